import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.search.colbertv2 import ColBERTv2, nearest_centroids


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
def test_lower_bounds_equal_those_of_a_loop_and_never_exceed_the_score(indexes, random_queries, naive_scores, nbits, nprobe):
    index = indexes[nbits]
    engine = ColBERTv2(index, index.compressed, nprobe=nprobe, ncandidates=5)
    for query in random_queries(3, 3):
        passages, bounds = engine.lower_bounds(query)
        expected = naive_bounds(index, query, nprobe)
        assert passages.tolist() == sorted(expected)
        np.testing.assert_allclose(bounds, [expected[passage] for passage in passages], rtol=1e-5, atol=1e-6)
        assert (bounds <= naive_scores(index, query)[passages] + 1e-5).all()


def test_with_every_list_probed_the_bound_is_the_score(indexes, random_queries, naive_scores):
    query = random_queries(1, 5)[0]
    passages, bounds = ColBERTv2(indexes[4], indexes[4].compressed, nprobe=16, ncandidates=1).lower_bounds(query)
    assert passages.tolist() == list(range(25))
    np.testing.assert_allclose(bounds, naive_scores(indexes[4], query), rtol=1e-5)


@pytest.mark.parametrize(("nprobe", "ncandidates"), [(1, 4), (2, 8), (3, 100)])
def test_the_best_bounds_are_scored_with_all_their_vectors(indexes, random_queries, naive_scores, nprobe, ncandidates):
    index = indexes[4]
    engine = ColBERTv2(index, index.compressed, nprobe=nprobe, ncandidates=ncandidates)
    for query, ranking in zip(random_queries(4, 2), engine.search(random_queries(4, 2), 5), strict=True):
        bounds, scores = naive_bounds(index, query, nprobe), naive_scores(index, query)
        candidates = sorted(bounds, key=bounds.get, reverse=True)[:ncandidates]
        expected = sorted(candidates, key=scores.__getitem__, reverse=True)[:5]
        assert ranking.passages.tolist() == expected
        np.testing.assert_allclose(ranking.scores, scores[expected], rtol=1e-5)


def test_only_passages_in_a_probed_list_are_returned(basis_index):
    index = basis_index([[0], [1, 2], [0, 3], [4], [5, 0]])
    engine = ColBERTv2(index, index.compressed, nprobe=1, ncandidates=100)
    ranking = engine.search(np.eye(8, dtype=np.float32)[None, :1], 5)[0]
    assert sorted(ranking.passages.tolist()) == [0, 2, 4]


def test_no_more_than_ncandidates_are_returned(indexes, random_queries):
    engine = ColBERTv2(indexes[4], indexes[4].compressed, nprobe=16, ncandidates=3)
    assert [len(ranking) for ranking in engine.search(random_queries(2, 4), 10)] == [3, 3]


def test_nearest_centroids_are_distinct_sorted_and_of_equal_ones_the_lower():
    similarities = np.array([[0.5, 0.1], [0.9, 0.1], [0.5, 0.1], [0.1, 0.0]])
    assert nearest_centroids(similarities, 1).tolist() == [0, 1]
    assert nearest_centroids(similarities, 2).tolist() == [0, 1]
    assert nearest_centroids(similarities, 3).tolist() == [0, 1, 2]
    assert nearest_centroids(similarities, 9).tolist() == [0, 1, 2, 3]


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_nearest_centroids_are_those_of_a_stable_sort(data):
    shape = (data.draw(st.integers(1, 12)), data.draw(st.integers(1, 5)))
    nprobe = data.draw(st.integers(1, 14))
    scores = data.draw(arrays(np.float32, shape, elements=st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])))
    expected = np.unique(np.argsort(-scores, axis=0, kind="stable")[:nprobe])
    assert nearest_centroids(scores, nprobe).tolist() == expected.tolist()
