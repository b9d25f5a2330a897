import pytest

from bench.errors import DataError
from bench.evaluation.overlap import overlap


def ranked(*passages):
    return [(passage, float(-place)) for place, passage in enumerate(passages)]


def test_the_share_of_the_reference_s_best_that_are_among_the_run_s_best():
    run = {"q1": ranked("a", "x", "b", "c"), "q2": ranked("c", "b", "a", "z")}
    reference = {"q1": ranked("a", "b", "c", "d"), "q2": ranked("a", "b", "c", "d")}
    assert overlap(run, reference, 1) == {"q1": 1.0, "q2": 0.0}
    assert overlap(run, reference, 2) == {"q1": 0.5, "q2": 0.5}
    assert overlap(run, reference, 4) == {"q1": 0.75, "q2": 0.75}


def test_a_query_that_the_run_lacks_and_a_short_ranking_count_what_they_lack():
    reference = {"q1": ranked("a", "b"), "q2": ranked("a", "b")}
    assert overlap({"q1": ranked("b")}, reference, 2) == {"q1": 0.5, "q2": 0.0}


def test_a_query_that_the_reference_lacks_is_refused():
    with pytest.raises(DataError, match="query 'q2' is in the run but not in the reference"):
        overlap({"q2": ranked("a")}, {"q1": ranked("a")}, 1)


def test_a_reference_that_is_too_short_is_refused():
    with pytest.raises(DataError, match="ranks 2 passages for query 'q1': no overlap at 3"):
        overlap({}, {"q1": ranked("a", "b")}, 3)
