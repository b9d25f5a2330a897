import numpy as np
import pytest

from bench.errors import DataError
from bench.evaluation.explanation import contributions, moved, moves, worst_queries


def test_passages_that_moved_farthest_come_first_and_those_that_one_side_lacks_before_them():
    one = [("a", 3.0), ("b", 2.0), ("c", 1.0)]
    other = [("c", 5.0), ("b", 4.0), ("d", 3.0)]
    found = moves(one, other, 3)
    assert [move.passage for move in found] == ["a", "d", "c", "b"]
    assert (found[0].rank, found[0].other_rank, found[0].other_score) == (1, None, None)
    assert (found[2].rank, found[2].other_rank, found[2].distance) == (3, 1, 2)
    assert (found[2].score, found[2].other_score) == (1.0, 5.0)


def test_a_rank_beyond_the_depth_is_still_known():
    one, other = [("a", 2.0), ("b", 1.0)], [("b", 2.0), ("a", 1.0)]
    assert [(move.passage, move.rank, move.other_rank) for move in moves(one, other, 1)] == [("a", 1, 2), ("b", 2, 1)]


def test_the_parts_of_a_score_by_hand():
    query = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    passage = np.array([[0.8, 0.6], [0.0, 1.0], [0.0, 1.0]])
    best, values = contributions(query, passage)
    assert best.tolist() == [0, 1, 0]
    assert values == pytest.approx([0.8, 1.0, 0.96])


def test_judged_passages_that_moved_come_by_how_far_they_fell():
    one = [("a", 5.0), ("b", 4.0), ("c", 3.0), ("d", 2.0), ("e", 1.0)]
    other = [("d", 5.0), ("b", 4.0), ("a", 3.0), ("lost", 2.0), ("x", 1.0)]
    found = moved(one, other, {"a", "b", "d", "e", "lost"})
    assert [(move.passage, move.rank, move.other_rank) for move in found] == [
        ("lost", None, 4),
        ("d", 4, 1),
        ("a", 1, 3),
        ("e", 5, None),
    ]


def test_the_worst_queries_are_those_that_lost_most_and_never_those_that_did_not():
    values = {"q1": 0.5, "q2": 0.0, "q3": 1.0, "q4": 0.2, "q5": 0.9}
    reference = {"q1": 1.0, "q2": 1.0, "q3": 1.0, "q4": 0.7, "q5": 0.5}
    assert worst_queries(values, reference, 10) == ["q2", "q1", "q4"]
    assert worst_queries(values, reference, 1) == ["q2"]


def test_runs_over_different_queries_have_no_worst_ones():
    with pytest.raises(DataError, match="cover different queries, 1 and 2"):
        worst_queries({"q1": 0.0}, {"q1": 1.0, "q2": 1.0}, 10)
