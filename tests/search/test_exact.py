import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.search import exact
from bench.search.exact import Exact, ExactKernels
from bench.search.kernels.backends import open_kernels
from tests.fixtures_index import KERNELS


def blocks(monkeypatch, vectors, query_vectors, kept):
    monkeypatch.setattr(exact, "VECTORS_PER_BLOCK", vectors)
    monkeypatch.setattr(exact, "QUERY_VECTORS_PER_BLOCK", query_vectors)
    monkeypatch.setattr(exact, "SCORES_KEPT", kept)


@pytest.mark.parametrize("nbits", [None, 1, 4])
@pytest.mark.parametrize("width", [1, 6, 40])
def test_the_best_passages_are_those_of_a_loop(indexes, random_queries, naive_scores, assert_best, nbits, width):
    queries = random_queries(3, width)
    for query, ranking in zip(queries, Exact(indexes[nbits]).search(queries, 10), strict=True):
        assert_best(ranking, naive_scores(indexes[nbits], query), 10)
        assert ranking.scores.dtype == np.float32


@pytest.mark.parametrize("nbits", [None, 4])
@pytest.mark.parametrize(("vectors", "query_vectors", "kept"), [(1, 1, 1), (7, 10, 9), (10, 5, 1000), (1000, 1000, 12)])
def test_the_sizes_of_blocks_change_no_ranking(indexes, random_queries, monkeypatch, nbits, vectors, query_vectors, kept):
    queries = random_queries(4, 5)
    whole = Exact(indexes[nbits]).search(queries, 7)
    blocks(monkeypatch, vectors, query_vectors, kept)
    for one, other in zip(whole, Exact(indexes[nbits]).search(queries, 7), strict=True):
        np.testing.assert_array_equal(one.passages, other.passages)
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-6)


QUERIES = st.lists(st.lists(st.integers(-2, 2), min_size=8, max_size=8).filter(any), min_size=2, max_size=2)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    passages=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=4), min_size=1, max_size=10),
    kept=st.integers(1, 12),
    k=st.integers(1, 12),
    data=st.data(),
)
def test_exact_scores_give_exactly_the_sorted_order_whatever_the_blocks(basis_index, passages, kept, k, data):
    ids = data.draw(st.permutations([f"p{number}" for number in range(len(passages))]))
    query = np.array(data.draw(QUERIES))
    scores = [sum(max(row[dimension] for dimension in passage) for row in query) for passage in passages]
    expected = sorted(range(len(passages)), key=lambda passage: (-scores[passage], ids[passage]))[:k]
    with pytest.MonkeyPatch.context() as monkeypatch:
        blocks(monkeypatch, 5, 2, kept)
        found = Exact(basis_index(passages, nbits=None, ids=ids)).search(query[None].astype(np.float32), k)[0]
    assert found.passages.tolist() == expected
    assert found.scores.tolist() == [scores[passage] for passage in expected]


def test_scores_of_a_stretch_are_those_of_its_passages(indexes, random_queries, naive_scores):
    queries = random_queries(2, 4)
    expected = [naive_scores(indexes[4], query)[3:11] for query in queries]
    np.testing.assert_allclose(Exact(indexes[4]).scores(queries, 3, 11), expected, rtol=1e-5)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("nbits", [1, 4])
def test_given_passages_are_scored_over_all_their_vectors(indexes, random_queries, naive_scores, kernels, nbits):
    index, query = indexes[nbits], random_queries(1, 5)[0]
    opened = open_kernels(kernels, index)
    passages = np.array([0, 3, 11, 20])
    ranking = opened.best(opened.open(query), passages, 4)
    assert sorted(ranking.passages.tolist()) == [0, 3, 11, 20]
    np.testing.assert_allclose(ranking.scores, naive_scores(index, query)[ranking.passages], rtol=1e-5)
    assert len(opened.best(opened.open(query), passages[:0], 4)) == 0


def test_no_queries_have_no_rankings(indexes):
    for engine in (Exact(indexes[4]), *(ExactKernels(open_kernels(name, indexes[4], threads=2)) for name in KERNELS)):
        assert engine.search(np.empty((0, 5, 16), np.float32), 3) == []
