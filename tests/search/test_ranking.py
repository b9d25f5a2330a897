import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DataError
from bench.search.ranking import Ranking, check_self_match, results, top


@settings(max_examples=50, deadline=None, derandomize=True)
@given(scores=st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), max_size=20), k=st.integers(1, 25), data=st.data())
def test_the_best_are_those_of_a_full_sort_by_score_and_then_id(scores, k, data):
    passages = np.array(data.draw(st.permutations(range(len(scores)))), np.int64)
    ranks = np.array(data.draw(st.permutations(range(len(scores)))), np.int64)
    expected = sorted(zip(scores, passages, strict=True), key=lambda item: (-item[0], ranks[item[1]]))[:k]
    found = top(passages, np.array(scores, np.float32), k, ranks)
    assert found.passages.tolist() == [passage for _, passage in expected]
    assert found.scores.tolist() == [score for score, _ in expected]


def test_a_tie_at_the_cut_is_decided_by_the_passage_id():
    found = top(np.arange(4), np.array([1.0, 1.0, 1.0, 2.0]), 2, np.array([2, 1, 0, 3]))
    assert found.passages.tolist() == [3, 2]


IDS = ["a", "b", "c", "d"]
RANKING = Ranking(np.array([2, 0, 3, 1]), np.array([4.0, 3.0, 2.0, 1.0], np.float32))


def test_results_are_ids_and_scores_cut_at_the_depth():
    assert results(RANKING, IDS, "a", 3, "none") == ([("c", 4.0), ("a", 3.0), ("d", 2.0)], 0)


def test_a_self_match_is_counted_and_leaves_before_the_cut():
    assert results(RANKING, IDS, "a", 3, "removed") == ([("c", 4.0), ("d", 2.0), ("b", 1.0)], 1)


@pytest.mark.parametrize("depth", [1, 4])
def test_a_query_that_is_no_passage_loses_nothing(depth):
    kept, removed = results(RANKING, IDS, "q1", depth, "removed")
    assert removed == 0
    assert [name for name, _ in kept] == ["c", "a", "d", "b"][:depth]


def test_queries_and_passages_that_share_an_id_are_refused_where_none_is_expected():
    with pytest.raises(DataError, match=r"2 queries have the id of a passage, such as \['a', 'c'\]"):
        check_self_match("absent", ["c", "a", "x"], ["a", "b", "c"])


@pytest.mark.parametrize(("policy", "ids"), [("absent", ["b"]), ("none", ["a"]), ("removed", ["a"])])
def test_shared_ids_are_fine_where_there_are_none_or_the_policy_allows_them(policy, ids):
    check_self_match(policy, ["a"], ids)
