import numpy as np
import pytest

from bench.search.colbertv2 import ColBERTv2
from bench.search.kernels.backends import open_kernels
from tests.fixtures_index import KERNELS


@pytest.fixture(params=KERNELS)
def kernels(request):
    return lambda index: open_kernels(request.param, index)


def naive_bounds(index, query, nprobe):
    """Passages of the probed lists with a bound from those of their vectors that lie in a probed list."""
    compressed = index.compressed
    similarities = compressed.codec.centroids @ query.T
    probed = set()
    for column in similarities.T:
        probed |= set(sorted(range(len(column)), key=lambda centroid: (-column[centroid], centroid))[:nprobe])
    vectors, bounds = index.vectors(slice(None)), {}
    for passage, (start, length) in enumerate(zip(index.offsets, index.doclens, strict=False)):
        met = [vectors[row] for row in range(start, start + length) if compressed.codes[row] in probed]
        if met:
            bounds[passage] = sum(max(float(vector @ part) for vector in met) for part in query)
    return bounds


@pytest.mark.parametrize("nbits", [1, 4])
@pytest.mark.parametrize("nprobe", [1, 2, 5, 16])
def test_lower_bounds_equal_those_of_a_loop_and_never_exceed_the_score(
    kernels, indexes, random_queries, naive_scores, nbits, nprobe
):
    index = indexes[nbits]
    opened = kernels(index)
    for vectors in random_queries(3, 3):
        query = opened.open(vectors)
        probed = opened.nearest(query, nprobe)
        expected = naive_bounds(index, vectors, nprobe)
        passages = opened.candidates(probed)
        assert passages.tolist() == sorted(expected)
        bounds = opened.best(query, passages, len(passages), probed)
        assert sorted(bounds.passages.tolist()) == sorted(expected)
        np.testing.assert_allclose(bounds.scores, [expected[p] for p in bounds.passages], rtol=1e-5, atol=1e-6)
        assert (bounds.scores <= naive_scores(index, vectors)[bounds.passages] + 1e-5).all()


def test_with_every_list_probed_the_bound_is_the_score(kernels, indexes, random_queries, naive_scores):
    opened, vectors = kernels(indexes[4]), random_queries(1, 5)[0]
    query = opened.open(vectors)
    probed = opened.nearest(query, 16)
    passages = opened.candidates(probed)
    assert passages.tolist() == list(range(25))
    bounds = opened.best(query, passages, 25, probed)
    np.testing.assert_allclose(bounds.scores, naive_scores(indexes[4], vectors)[bounds.passages], rtol=1e-5)


@pytest.mark.parametrize(("nprobe", "ncandidates"), [(1, 4), (2, 8), (3, 100)])
def test_the_best_bounds_are_scored_with_all_their_vectors(
    kernels, indexes, random_queries, naive_scores, nprobe, ncandidates
):
    index = indexes[4]
    engine = ColBERTv2(kernels(index), nprobe=nprobe, ncandidates=ncandidates)
    for query, ranking in zip(random_queries(4, 2), engine.search(random_queries(4, 2), 5), strict=True):
        bounds, scores = naive_bounds(index, query, nprobe), naive_scores(index, query)
        candidates = sorted(bounds, key=bounds.get, reverse=True)[:ncandidates]
        expected = sorted(candidates, key=scores.__getitem__, reverse=True)[:5]
        assert ranking.passages.tolist() == expected
        np.testing.assert_allclose(ranking.scores, scores[expected], rtol=1e-5)


def test_only_passages_in_a_probed_list_are_returned(kernels, basis_index):
    index = basis_index([[0], [1, 2], [0, 3], [4], [5, 0]])
    engine = ColBERTv2(kernels(index), nprobe=1, ncandidates=100)
    ranking = engine.search(np.eye(8, dtype=np.float32)[None, :1], 5)[0]
    assert sorted(ranking.passages.tolist()) == [0, 2, 4]


def test_no_more_than_ncandidates_are_returned(kernels, indexes, random_queries):
    engine = ColBERTv2(kernels(indexes[4]), nprobe=16, ncandidates=3)
    assert [len(ranking) for ranking in engine.search(random_queries(2, 4), 10)] == [3, 3]


def test_of_equally_near_centroids_the_lower_are_probed(kernels, basis_index):
    index = basis_index([[number] for number in range(8)])
    opened = kernels(index)
    similar = np.zeros((2, 8), np.float32)
    similar[0, [2, 3, 5]], similar[1, [0, 5]] = [0.5, 1, 0.5], [0.5, 1]
    query = opened.open(similar @ index.compressed.codec.centroids.T.round())
    expected = {1: [3, 5], 2: [0, 2, 3, 5], 3: [0, 1, 2, 3, 5], 4: [0, 1, 2, 3, 5], 8: list(range(8)), 9: list(range(8))}
    for nprobe, probed in expected.items():
        assert np.flatnonzero(opened.nearest(query, nprobe)).tolist() == probed
