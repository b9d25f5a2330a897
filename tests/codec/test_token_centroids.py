import numpy as np
import pytest

from bench.codec import kmeans, nearest, token_centroids
from bench.codec.token_centroids import TokenClusters, clusters
from bench.codec.token_groups import Groups
from bench.errors import DataError, SettingsError

STEP = 1 / 254 + 1e-3  # of a byte, and of a vector in float16


def collection(vectors, tokens, dim=16, noise=0.7, seed=0):
    """float16 unit vectors around the direction of their token; the number of a token falls with its id."""
    rng = np.random.default_rng(seed)
    found = np.minimum(rng.geometric(min(4 / tokens, 1), vectors) - 1, tokens - 1).astype(np.uint16)
    made = rng.standard_normal((tokens, dim))[found] + noise * rng.standard_normal((vectors, dim))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16), found


@pytest.fixture(scope="module")
def found():
    vectors, tokens = collection(6000, 200)
    return vectors, tokens, clusters(vectors, tokens, 256, seed=1, iterations=4)


def slow(made, vectors, tokens):
    """Codes by every inner product with the centroids of the token's group, those of all where it has none."""
    products = vectors.astype(np.float32) @ made.centroids.T
    owners = made.groups.of_tokens(tokens)
    group = np.repeat(np.arange(len(made.groups)), np.diff(made.groups.starts))
    allowed = (owners[:, None] == group) | (owners < 0)[:, None]
    return np.where(allowed, products, -np.inf)


def test_each_vector_has_the_nearest_centroid_of_its_own_token(found):
    vectors, tokens, made = found
    codes = made.assign(vectors, tokens)
    products = slow(made, vectors, tokens)
    np.testing.assert_allclose(products[np.arange(len(codes)), codes], products.max(axis=1), atol=1e-5)
    assert codes.dtype == np.uint8
    assert made.centroids.shape == (256, 16)


def test_a_token_that_was_not_seen_gets_the_nearest_of_all_centroids(found):
    vectors, tokens, made = found
    strange = np.where(np.arange(len(tokens)) % 3 == 0, 60_000, tokens).astype(np.uint16)
    codes = made.assign(vectors, strange)
    products = slow(made, vectors, strange)
    np.testing.assert_allclose(products[np.arange(len(codes)), codes], products.max(axis=1), atol=1e-5)
    np.testing.assert_array_equal(codes[1::3], made.assign(vectors, tokens)[1::3])


def test_the_error_is_near_that_of_kmeans_over_all_vectors_and_below_one_centroid_a_token(found):
    vectors, tokens, made = found

    def error(centroids, codes):
        return np.square(vectors.astype(np.float32) - centroids[codes]).sum(axis=1).mean()

    plain = kmeans.clusters(vectors, 256, seed=1, iterations=4)
    sums = np.zeros((200, 16), np.float32)
    np.add.at(sums, tokens, vectors.astype(np.float32))
    own = error(made.centroids, made.assign(vectors, tokens))
    assert own < 1.05 * error(plain.centroids, nearest.assign(vectors, plain.centroids))
    assert own < 0.96 * error(kmeans.unit(sums), tokens)


def test_of_one_token_the_centroids_are_the_means_of_their_vectors():
    vectors, _ = collection(40, 1)
    made = clusters(vectors, np.full(40, 7, np.uint16), 2, seed=0, iterations=10)
    codes = made.assign(vectors, np.full(40, 7, np.uint16))
    for centroid in range(2):
        mean = vectors[codes == centroid].astype(np.float32).mean(axis=0)
        np.testing.assert_allclose(made.centroids[centroid], mean / np.linalg.norm(mean), atol=STEP)


@pytest.mark.parametrize("threads", [2, 3])
def test_neither_threads_nor_chunks_change_a_byte_and_the_seed_does(found, monkeypatch, threads):
    vectors, tokens, made = found
    monkeypatch.setattr(token_centroids, "CHUNK", 1000)
    again = clusters(vectors, tokens, 256, seed=1, iterations=4, threads=threads)
    assert again.centroids.tobytes() == made.centroids.tobytes()
    assert again.spreads.tobytes() == made.spreads.tobytes()
    np.testing.assert_array_equal(again.assign(vectors, tokens, threads=threads), made.assign(vectors, tokens))
    assert clusters(vectors, tokens, 256, seed=2, iterations=4).centroids.tobytes() != made.centroids.tobytes()


@pytest.mark.parametrize(
    ("vectors", "tokens", "centroids"),
    [
        (collection(30, 12)[0], np.arange(30, dtype=np.uint16) % 12, 512),  # more centroids than vectors
        (collection(1, 1)[0], np.array([5], np.uint8), 16),  # one vector
        (collection(600, 3)[0], np.repeat([9, 1, 2], [300, 150, 150]).astype(np.uint8), 64),  # one token is half of all
        (collection(500, 50)[0], np.random.default_rng(0).integers(0, 10**6, 500).astype(np.uint32), 64),  # large vocabulary
        (np.repeat(np.eye(16, dtype=np.float16)[:2], 20, axis=0), np.repeat([0, 1], 20).astype(np.uint8), 16),  # duplicates
    ],
    ids=["many centroids", "one vector", "half", "million", "duplicates"],
)
def test_unusual_collections_work(vectors, tokens, centroids):
    made = clusters(vectors, tokens, centroids, seed=0, iterations=3)
    assert len(made.groups) <= len(made.centroids) <= min(centroids, len(vectors))
    assert np.isfinite(made.centroids).all()
    codes = made.assign(vectors, tokens)
    if centroids >= len(vectors):
        np.testing.assert_allclose(made.centroids[codes], vectors.astype(np.float32), atol=0.1)
    np.testing.assert_allclose(np.linalg.norm(made.centroids, axis=1), 1, atol=0.02)


def test_a_centroid_without_points_moves_to_the_farthest_point_of_its_group():
    points = np.concatenate([np.repeat(np.eye(8)[:1], 5, axis=0), -np.eye(8)[1:2], np.eye(8)[2:3]]).astype(np.float16)
    owners = np.array([0, 0, 0, 0, 0, 0, 1], np.int32)
    centroids = np.eye(8, dtype=np.float32)[[0, 0, 3]]
    means, _ = token_centroids._means(
        points, owners, centroids, Groups(np.arange(2, dtype=np.int32), np.array([0, 2, 3])), 1
    )
    expected = np.array([[5, -1, 0], [0, -1, 0], [0, 0, 1]]) / np.sqrt([[26], [1], [1]])
    np.testing.assert_allclose(means[:, :3], expected, rtol=1e-6)


def test_tokens_and_dim_must_fit(found):
    vectors, tokens, made = found
    with pytest.raises(DataError, match="10 token ids are given for 6000 vectors"):
        made.assign(vectors, tokens[:10])
    with pytest.raises(DataError, match="0 token ids are given for 6000 vectors"):
        made.assign(vectors)
    with pytest.raises(SettingsError, match="multiple of 8, and not 4"):
        clusters(vectors[:, :4], tokens, 8, seed=0, iterations=1)
    assert isinstance(made, TokenClusters)
