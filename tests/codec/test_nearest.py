import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec import nearest
from bench.codec.nearest import assign, code_dtype


def unit(vectors, dim=8, seed=0):
    made = np.random.default_rng(seed).standard_normal((vectors, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def clustered(vectors, centres, dim, noise, topics=None, seed=0):
    """Unit vectors around unit centres, which come back too, and are themselves around topics if these are given."""
    rng = np.random.default_rng(seed)
    middles = unit(centres, dim, seed + 1)
    if topics is not None:
        middles += unit(topics, dim, seed + 3)[rng.integers(0, topics, centres)]
        middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    made = middles[rng.integers(0, centres, vectors)] + noise * unit(vectors, dim, seed + 2)
    return made / np.linalg.norm(made, axis=1, keepdims=True), middles


@pytest.mark.parametrize(("centroids", "bits"), [(1, 8), (256, 8), (257, 16), (65_536, 16), (65_537, 32), (262_144, 32)])
def test_codes_are_as_wide_as_the_last_centroid_id_needs(centroids, bits):
    assert code_dtype(centroids) == np.dtype(f"uint{bits}")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    vectors=st.sampled_from([1, 7, 511, 512, 513]),
    centroids=st.integers(1, 300),
    dim=st.sampled_from([1, 8, 32, 200]),
    half=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_code_is_the_centroid_of_the_largest_inner_product(vectors, centroids, dim, half, seed):
    some, centres = unit(vectors, dim, seed), unit(centroids, dim, seed + 1)
    some = some.astype(np.float16) if half else some
    codes = assign(some, centres)
    assert codes.dtype == code_dtype(centroids)
    products = some.astype(np.float64) @ centres.astype(np.float64).T
    np.testing.assert_allclose(products[np.arange(vectors), codes], products.max(axis=1), atol=1e-6)


def test_the_lower_id_wins_a_tie():
    centroids = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], np.float32)
    assert assign(np.array([[1, 0], [0, 1], [0.5, 0.5]], np.float16), centroids).tolist() == [1, 0, 0]


@pytest.mark.parametrize("centroids", [3, 2048])
def test_no_vectors_have_no_codes(centroids):
    assert assign(np.empty((0, 8), np.float16), unit(centroids)).shape == (0,)


def test_below_the_limit_every_product_is_computed():
    vectors, centroids = unit(1500, 16), unit(nearest.FEW - 1, 16, seed=1)
    expected = (vectors @ centroids.T).argmax(axis=1)
    np.testing.assert_array_equal(assign(vectors, centroids), expected)
    np.testing.assert_array_equal(assign(vectors, centroids, exhaustive=True), expected)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("centroids", [700, 2500])
def test_the_number_of_threads_changes_no_code(centroids, threads):
    vectors, centres = clustered(3000, centroids, 32, 0.6)
    np.testing.assert_array_equal(assign(vectors, centres, threads=threads), assign(vectors, centres))


@pytest.mark.parametrize(
    ("dim", "noise", "topics"), [(32, 0.5, None), (128, 0.7, None), (128, 1.2, 64), (96, 1.2, 600)], ids=str
)
def test_among_many_centroids_nearly_all_codes_are_the_nearest_and_the_others_are_hardly_farther(dim, noise, topics):
    vectors, centres = clustered(20_000, 4096, dim, noise, topics)
    vectors = vectors.astype(np.float16)
    codes, best = assign(vectors, centres, threads=2), assign(vectors, centres, threads=2, exhaustive=True)
    assert np.mean(codes == best) >= 0.97
    assert squared_distance(vectors, centres, codes) <= 1.005 * squared_distance(vectors, centres, best)


def squared_distance(vectors, centroids, codes):
    return float(((vectors - centroids[codes]) ** 2).sum(axis=1, dtype=np.float64).mean())


@pytest.mark.parametrize("doubtful", [0, 0.5, 0.999])
def test_the_doubtful_share_is_compared_with_every_centroid(monkeypatch, doubtful):
    monkeypatch.setattr(nearest, "FEW", 64)
    vectors, centres = unit(4000, 32), unit(200, 32, seed=1)
    best = assign(vectors, centres, exhaustive=True)
    codes = assign(vectors, centres, doubtful=doubtful)
    wrong = np.mean(codes != best)
    assert {0: 0.05, 0.5: 0.01, 0.999: 0}[doubtful] <= wrong <= {0: 0.9, 0.5: 0.5, 0.999: 0.001}[doubtful]


def test_doubtful_vectors_are_searched_in_wide_lists_where_there_are_too_many_centroids_for_all(monkeypatch):
    vectors, centres = clustered(20_000, 4096, 64, 1.2, 64)
    best = assign(vectors, centres, exhaustive=True)
    far = {}
    for limits in ((256, 4096), (256, 2048), (256, 512), (64, 512), (64, 64)):
        monkeypatch.setattr(nearest, "LIST", limits[0])
        monkeypatch.setattr(nearest, "WIDE", limits[1])
        far[limits] = squared_distance(vectors, centres, assign(vectors, centres, threads=2))
    assert sorted(far.values()) == list(far.values())
    assert squared_distance(vectors, centres, best) < far[256, 4096] < far[64, 64]


def test_chunks_and_blocks_are_put_together(monkeypatch):
    vectors, centres = clustered(1000, 300, 16, 0.2)
    expected = assign(vectors, centres)
    for name, size in (("FEW", 64), ("CHUNK", 333), ("BLOCK", 37)):
        monkeypatch.setattr(nearest, name, size)
    np.testing.assert_array_equal(assign(vectors, centres, threads=2), expected)


@pytest.mark.parametrize("kind", ["copies", "zeros", "opposite", "line"])
def test_degenerate_centroids_have_codes_too(monkeypatch, kind):
    monkeypatch.setattr(nearest, "FEW", 64)
    centres = unit(256, 16, seed=1)
    if kind == "copies":
        centres[:] = centres[:3].repeat(86, axis=0)[:256]
    elif kind == "zeros":
        centres[5:] = 0
    elif kind == "opposite":
        centres[128:] = -centres[:128]
    else:
        centres = np.outer(np.linspace(-1, 1, 256), centres[0]).astype(np.float32)
    vectors = np.concatenate([unit(500, 16), centres, -centres, np.zeros((3, 16), np.float32)])
    codes = assign(vectors, centres)
    products = vectors @ centres.T
    found = products[np.arange(len(vectors)), codes]
    assert np.mean(found >= products.max(axis=1) - 1e-6) >= 0.6


def test_vectors_may_be_memory_mapped_and_read_only(tmp_path):
    vectors = unit(600, 16).astype(np.float16)
    np.save(tmp_path / "v.npy", vectors)
    centres = unit(40, 16, seed=1)
    centres.flags.writeable = False
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    np.testing.assert_array_equal(assign(mapped, centres, threads=2), assign(vectors, centres))
