import faiss
import numpy as np
import pytest

from bench.codec import kmeans, nearest
from bench.codec.nearest import assign
from bench.errors import SettingsError

STEP = 1 / 254 + 1e-5  # a byte holds a dimension of a centroid to within half a step of 1/127


def unit(vectors, dim=8, seed=0):
    made = np.random.default_rng(seed).standard_normal((vectors, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("vectors", "centroids"),
    [(1, 16), (3, 16), (4, 32), (100, 128), (4**10 - 1, 2**13), (4**10, 2**14), (600_000_000, 262_144)],
)
def test_the_number_of_centroids_is_the_power_of_two_below_sixteen_roots(vectors, centroids):
    assert kmeans.number_of_centroids(vectors) == centroids


@pytest.mark.parametrize(("times", "centroids"), [(1, 2**9), (2, 2**10), (8, 2**12)])
def test_more_centroids_are_a_multiple_of_the_papers(times, centroids):
    assert kmeans.number_of_centroids(1024, times) == centroids


def test_no_centroids_are_refused():
    with pytest.raises(SettingsError, match="0 times the paper's number of centroids; at least 1 is right"):
        kmeans.number_of_centroids(1024, 0)


def test_no_vectors_have_no_centroids():
    with pytest.raises(SettingsError, match="at least one vector"):
        kmeans.number_of_centroids(0)


@pytest.mark.parametrize(
    ("passages", "size"), [(1, 1), (1000, 1000), (30_720, 30_720), (120_000, 60_716), (8_841_823, 521_173)]
)
def test_the_sample_is_sixteen_roots_of_120_vectors_a_passage_and_at_most_all(passages, size):
    assert kmeans.sample_size(passages) == size


def test_sampled_passages_are_sorted_distinct_and_seeded():
    first = kmeans.sample_passages(40_000, np.random.default_rng(5))
    again = kmeans.sample_passages(40_000, np.random.default_rng(5))
    other = kmeans.sample_passages(40_000, np.random.default_rng(6))
    assert len(first) == kmeans.sample_size(40_000) < 40_000
    assert (np.diff(first) > 0).all()
    assert first[0] >= 0
    assert first[-1] < 40_000
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("vectors", "held"), [(20, 1), (39, 1), (40, 2), (1000, 50), (1_000_020, 50_000)])
def test_five_in_a_hundred_are_held_out_and_at_most_fifty_thousand(vectors, held):
    train, heldout = kmeans.hold_out(vectors, np.random.default_rng(0))
    assert len(heldout) == held
    np.testing.assert_array_equal(np.sort(np.concatenate([train, heldout])), np.arange(vectors))


@pytest.mark.parametrize("vectors", [1, 19])
def test_of_fewer_than_twenty_both_parts_are_all(vectors):
    train, heldout = kmeans.hold_out(vectors, np.random.default_rng(0))
    np.testing.assert_array_equal(train, np.arange(vectors))
    np.testing.assert_array_equal(heldout, np.arange(vectors))


def test_centroids_have_norm_one_to_within_a_byte_and_the_asked_number():
    centroids = kmeans.fit(unit(500), 32, seed=0, iterations=4)
    assert centroids.shape == (32, 8)
    assert centroids.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, atol=STEP)


def test_kmeans_finds_well_separated_directions():
    centres = np.eye(8, dtype=np.float32)
    noisy = np.repeat(centres, 50, axis=0) + 0.05 * unit(400)
    found = kmeans.fit(noisy, 8, seed=0, iterations=20)
    assert (found @ centres.T).max(axis=1).min() > 0.7
    assert ((noisy @ found.T).max(axis=1) > 0.6).all()


def test_the_same_seed_gives_the_same_centroids_and_another_seed_others():
    sample = unit(300)
    first, again, other = (kmeans.fit(sample, 16, seed=seed, iterations=3) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_centroids_are_the_means_of_all_their_points_where_the_sample_is_not_larger_than_what_is_looked_at():
    sample = np.repeat(np.eye(8, dtype=np.float32)[:2], [96, 32], axis=0) + 0.2 * unit(128)
    found = kmeans.fit(sample, 2, seed=0, iterations=10)
    codes = assign(sample, found)
    assert sorted(np.bincount(codes).tolist()) == [32, 96]
    for centroid in range(2):
        mean = sample[codes == centroid].mean(axis=0)
        np.testing.assert_allclose(found[centroid], mean / np.linalg.norm(mean), atol=STEP)


@pytest.mark.parametrize(
    ("iterations", "points"),
    [(1, kmeans.FIRST_POINTS), (2, 2 * kmeans.FIRST_POINTS), (9, kmeans.POINTS), (99, kmeans.POINTS)],
)
def test_each_iteration_looks_at_twice_as_many_points_of_a_larger_sample_taken_by_lot(iterations, points):
    sample = unit(4000)
    mean = sample[np.random.default_rng(3).permutation(4000)[:points]].mean(axis=0)
    found = kmeans.fit(sample, 1, seed=3, iterations=iterations)
    np.testing.assert_allclose(found, [mean / np.linalg.norm(mean)], atol=STEP)


def test_one_centroid_is_the_normalised_mean():
    sample = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6]], np.float32)
    mean = sample.mean(axis=0)
    np.testing.assert_allclose(kmeans.fit(sample, 1, seed=0, iterations=3), [mean / np.linalg.norm(mean)], atol=STEP)


def test_fewer_distinct_vectors_than_centroids_are_the_centroids():
    distinct = unit(5)
    found = kmeans.fit(np.repeat(distinct, 4, axis=0), 16, seed=0, iterations=3)
    assert found.shape == (5, 8)
    np.testing.assert_allclose(found, np.unique(distinct, axis=0), atol=STEP)


def test_duplicates_at_the_start_of_the_sample_do_not_hide_the_rest():
    sample = np.concatenate([np.repeat(unit(1, seed=9), 100, axis=0), unit(60)])
    assert kmeans.fit(sample, 16, seed=0, iterations=3).shape == (16, 8)
    assert kmeans.fit(sample, 61, seed=0, iterations=3).shape == (61, 8)


@pytest.mark.parametrize("copies", [1, 50])
def test_one_vector_however_often_is_one_centroid(copies):
    found = kmeans.fit(np.repeat(unit(1), copies, axis=0), 16, seed=0, iterations=3)
    np.testing.assert_allclose(found, unit(1), atol=STEP)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_sample_that_is_mostly_one_vector_has_as_many_centroids_as_any_other(monkeypatch, share):
    monkeypatch.setattr(nearest, "FEW", 64)
    sample = unit(6000, 16)
    sample[np.random.default_rng(0).random(6000) < share] = sample[0]
    found = kmeans.fit(sample, 256, seed=0, iterations=4)
    assert found.shape == (256, 16)
    assert len(np.unique(found, axis=0)) >= 200
    assert (found @ sample[0]).max() > 0.99


def clustered(vectors, centres, dim, noise, seed=0):
    rng = np.random.default_rng(seed)
    made = unit(centres, dim, seed + 1)[rng.integers(0, centres, vectors)] + noise * unit(vectors, dim, seed + 2)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def squared_error(sample, centroids):
    return float((2 - 2 * (sample @ unit_rows(centroids).T).max(axis=1).astype(np.float64)).mean())


def unit_rows(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("centres", "dim", "noise"), [(200, 32, 0.5), (40, 64, 0.9), (1000, 32, 0.2)])
def test_the_error_is_not_two_percent_above_that_of_faiss(centres, dim, noise):
    sample = clustered(6000, centres, dim, noise)
    other = faiss.Kmeans(dim, 128, niter=10, spherical=True, seed=1, min_points_per_centroid=1, verbose=False)
    other.train(sample)
    found = kmeans.fit(sample, 128, seed=1, iterations=10)
    assert squared_error(sample, found) <= 1.02 * squared_error(sample, other.centroids)


@pytest.mark.parametrize(("few", "threads"), [(nearest.FEW, 2), (nearest.FEW, 3), (64, 1), (64, 2), (64, 3)])
def test_the_number_of_threads_changes_no_byte(monkeypatch, few, threads):
    monkeypatch.setattr(nearest, "FEW", few)
    sample = clustered(5000, 200, 32, 0.5).astype(np.float16)
    one, many = (kmeans.fit(sample, 128, seed=1, iterations=4, threads=number) for number in (1, threads))
    assert one.tobytes() == many.tobytes()


def test_a_centroid_without_points_moves_to_the_point_farthest_from_its_own():
    sample = np.concatenate([np.repeat(np.eye(4, dtype=np.float32)[:1], 20, axis=0), -np.eye(4, dtype=np.float32)[1:2]])
    centroids = np.stack([sample[0], sample[0], sample[0]])
    codes = np.zeros(21, np.uint8)
    found, spreads = kmeans._means(sample, codes, centroids)
    np.testing.assert_allclose(found[1], sample[20])
    np.testing.assert_allclose(found[2], sample[0])
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert spreads.tolist() == [1, 1, 1]


def test_no_centroid_is_left_without_points_in_well_spread_vectors():
    sample = clustered(4000, 500, 16, 0.3)
    found = kmeans.fit(sample, 250, seed=0, iterations=8)
    assert np.bincount(assign(sample, found), minlength=250).min() >= 1


def test_centroids_of_half_precision_and_read_only_samples_are_those_of_the_same_numbers():
    sample = clustered(2000, 50, 16, 0.5).astype(np.float16)
    sample.flags.writeable = False
    one, other = (kmeans.fit(some, 32, seed=0, iterations=4) for some in (sample, sample.astype(np.float32)))
    assert one.tobytes() == other.tobytes()


def test_a_spread_is_the_root_mean_square_distance_over_that_of_all_with_one_vector_more_at_the_mean():
    angles = np.array([0.3, -0.3, 0.1, -0.1, 0.0])
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    codes, counts = np.array([0, 0, 1, 1, 2]), np.array([2, 2, 1, 0])
    sums = np.zeros((4, 2))
    np.add.at(sums, codes, points)
    squares = np.array([2 * (2 - 2 * np.cos(0.3)), 2 * (2 - 2 * np.cos(0.1)), 0, 0])
    mean = squares.sum() / 5
    expected = np.sqrt((squares + mean) / (counts + 1) / mean)
    found = kmeans.spreads(sums, counts)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert found[3] == 1


def test_where_all_vectors_are_centroids_every_spread_is_one():
    assert kmeans.spreads(np.eye(3) * 4, np.full(3, 4)).tolist() == [1, 1, 1]
    assert kmeans.clusters(unit(9), 16, seed=0, iterations=3).spreads.tolist() == [1] * 9


def test_wide_clusters_have_larger_spreads_than_narrow_ones():
    centres, wide = np.repeat(np.eye(8, dtype=np.float32), 200, axis=0), np.repeat(np.linspace(0.05, 0.4, 8), 200)
    points = centres + wide[:, None].astype(np.float32) * unit(1600)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found = kmeans.clusters(points, 8, seed=1, iterations=8)
    own = assign(points, found.centroids)
    distances = np.sqrt(np.bincount(own, np.square(points - found.centroids[own]).sum(axis=1)) / np.bincount(own))
    assert np.corrcoef(distances, found.spreads)[0, 1] > 0.99
