import pytest

from bench.errors import DataError
from bench.evaluation.overlap import overlap, rank_biased_overlap


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


def test_rank_biased_overlap_by_hand():
    # Depths 1 and 2 agree by 1 and 1/2: 0.1/0.9 * (0.9 + 0.405) + 1/2 * 0.81.
    assert rbo(ranked("a", "b"), ranked("a", "c")) == pytest.approx(0.55)
    assert rbo(ranked("b", "a"), ranked("a", "b")) == pytest.approx(0.1 / 0.9 * 0.81 + 0.81)
    assert rbo(ranked("a", "b"), ranked("a", "c"), p=0.5) == pytest.approx(1 * (0.5 + 0.125) + 0.125)


def test_the_shorter_of_two_rankings_is_taken_to_go_on_as_it_agreed():
    # Agreement at depth 2 is 1 of 2 found; none was common at depth 1: (0.1/0.9) * 0.405 + 1/2 * 0.81.
    assert rbo(ranked("a"), ranked("b", "a")) == pytest.approx(0.45)
    assert rbo(ranked("b", "a"), ranked("a")) == pytest.approx(0.45)
    assert rbo(ranked("a"), ranked("a", "b", "c")) == pytest.approx(1)


def test_equal_rankings_agree_wholly_and_others_or_none_not_at_all():
    assert rbo(ranked(*"abcdefg"), ranked(*"abcdefg")) == pytest.approx(1)
    assert rbo(ranked("a", "b"), ranked("c", "d")) == 0
    assert rank_biased_overlap({}, {"q": ranked("a")}) == {"q": 0.0}


def test_a_swap_at_the_top_weighs_more_than_one_below():
    reference = ranked(*"abcdef")
    assert rbo(ranked(*"bacdef"), reference) < rbo(ranked(*"abcdfe"), reference) < 1


def test_rank_biased_overlap_refuses_a_query_that_the_reference_lacks():
    with pytest.raises(DataError, match="query 'q2' is in the run but not in the reference"):
        rank_biased_overlap({"q2": ranked("a")}, {"q1": ranked("a")})


def rbo(run, reference, **settings):
    return rank_biased_overlap({"q": run}, {"q": reference}, **settings)["q"]
