import numpy as np
import pytest

from bench.codec import kmeans, packing
from bench.codec.codec import Codec

DOCLENS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3]


@pytest.fixture(scope="session")
def indexes(tmp_path_factory, small_index):
    """The same 25 passages of random vectors as fp16 and at two bit widths, by nbits."""
    return {
        nbits: small_index(tmp_path_factory.mktemp(f"nbits-{nbits}"), DOCLENS, nbits, shards=3, centroids=16)
        for nbits in (None, 1, 4)
    }


@pytest.fixture(scope="session")
def basis_index(tmp_path_factory, small_index):
    """A maker of indexes whose vectors are unit vectors of 8 dimensions, so that every score is exact in every engine.

    passages: for each the dimensions of its vectors. Fewer distinct vectors than centroids, so centroids are these, but
    for what rounding adds to them, and the lowest bucket takes this off again.
    """

    def basis_codec(vectors):
        centroids = kmeans.fit(vectors, len(vectors), seed=0, iterations=1)
        added = centroids.max() - np.float32(1)
        assert 0 < added < 0.001
        weights = np.array([-added, 0, 0, 0], np.float32)
        return Codec(centroids, packing.codebook(weights, 8), np.array([-added / 2, 1, 2], np.float32), weights)

    def make(passages, nbits=2, ids=None):
        vectors = np.eye(8, dtype=np.float32)[np.concatenate(passages)]
        codec = None if nbits is None else basis_codec(vectors)
        folder = tmp_path_factory.mktemp("basis")
        return small_index(folder, [len(p) for p in passages], vectors=vectors, ids=ids, codec=codec)

    return make


@pytest.fixture(scope="session")
def random_queries():
    def make(count, width, dim=16, seed=1):
        queries = np.random.default_rng(seed).standard_normal((count, width, dim)).astype(np.float32)
        return queries / np.linalg.norm(queries, axis=2, keepdims=True)

    return make


@pytest.fixture(scope="session")
def naive_score():
    """Equation 1 of arXiv 2112.01488 in loops, in double precision."""

    def score(query, vectors):
        return sum(max(float(np.dot(q.astype(float), v.astype(float))) for v in vectors) for q in query)

    return score


@pytest.fixture(scope="session")
def naive_scores(naive_score):
    """Scores of all passages of an index, over the vectors that it decodes to."""

    def scores(index, query):
        vectors, ends = index.vectors(slice(None)), np.cumsum(index.doclens)
        return np.array([naive_score(query, vectors[e - n : e]) for e, n in zip(ends, index.doclens, strict=True)])

    return scores


@pytest.fixture(scope="session")
def assert_best():
    """The ranking holds the k best of the naive scores, in their order, with their values."""

    def check(ranking, naive, k):
        assert len(set(ranking.passages.tolist())) == len(ranking) == min(k, len(naive))
        np.testing.assert_allclose(ranking.scores, np.sort(naive)[::-1][:k], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(ranking.scores, naive[ranking.passages], rtol=1e-5, atol=1e-6)
        assert (np.diff(ranking.scores) <= 0).all()

    return check
