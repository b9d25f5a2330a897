"""Equivalence within a margin: two one-sided tests, by hand and by what statsmodels documents of them."""

import math

import numpy as np
import pytest
from scipy import stats

from bench.errors import DataError, SettingsError
from bench.evaluation.equivalence import equivalence, holm, verdict

DIFFERENCES = np.array([0.02, -0.01, 0.00, 0.01, -0.02, 0.01, 0.00, -0.01])  # mean 0, standard deviation sqrt(0.0012 / 7)


def test_the_interval_and_p_by_hand():
    error = math.sqrt(0.0012 / 7) / math.sqrt(8)
    found = equivalence(DIFFERENCES, 0.02)
    assert found.high == pytest.approx(1.894579 * error, rel=1e-5)  # t of 7 degrees of freedom at .95
    assert found.low == pytest.approx(-found.high)
    assert found.p == pytest.approx(stats.t.sf(0.02 / error, 7))
    assert found.shown


def test_equivalence_is_shown_exactly_where_the_90_percent_interval_lies_inside_the_margin():
    high = equivalence(DIFFERENCES, 1.0).high
    assert equivalence(DIFFERENCES, high * 1.0001).shown
    assert not equivalence(DIFFERENCES, high * 0.9999).shown


def test_a_difference_beyond_the_margin_is_not_equivalent_however_sure_it_is():
    found = equivalence(DIFFERENCES / 100 + 0.05, 0.02)
    assert not found.shown
    assert found.p == pytest.approx(1.0)


def test_queries_needed_by_hand():
    """((1.6449 + 1.2816) * 0.1 / 0.01) ** 2 = 856.4 for a deviation of 0.1 and a margin of 0.01."""
    values = np.array([0.1, -0.1] * 500)
    values *= 0.1 / values.std(ddof=1)
    assert equivalence(values, 0.01).queries_needed == 857


def test_as_many_queries_as_needed_show_equivalence_in_four_of_five_draws():
    rng = np.random.default_rng(0)
    shown = [equivalence(rng.normal(0, 0.1, 857), 0.01).shown for _ in range(500)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.04)


def test_equal_runs_are_equivalent_and_a_constant_difference_is_compared_with_the_margin():
    assert equivalence(np.zeros(5), 0.01).shown
    assert not equivalence(np.full(5, 0.02), 0.01).shown


@pytest.mark.parametrize("margin", [0.0, -0.01, math.nan, math.inf])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(SettingsError, match="is no finite number above 0"):
        equivalence(DIFFERENCES, margin)


def test_one_query_is_too_few():
    with pytest.raises(DataError, match="1 queries show no equivalence"):
        equivalence(np.array([0.1]), 0.01)


def test_holm_by_hand_and_as_statsmodels_gives_it():
    """statsmodels 0.14: multipletests([.01, .04, .03, .005], method="holm") gives .03, .06, .06, .02."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, None, 0.04]) == [pytest.approx(0.02), None, pytest.approx(0.04)]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.2, 0.2]) == pytest.approx([0.4, 0.4])
    assert holm([None]) == [None]
    assert holm([]) == []


def test_holm_rejects_no_true_hypothesis_in_nineteen_of_twenty_families():
    rng = np.random.default_rng(0)
    wrong = [min(holm(rng.random(8).tolist())) <= 0.05 for _ in range(4000)]
    assert np.mean(wrong) == pytest.approx(0.05, abs=0.01)


def test_a_verdict_calls_nothing_the_same_that_was_not_shown_to_be():
    assert verdict(0.0, 1.0, 0.04) == "equivalent within the margin"
    assert verdict(0.001, 0.001, 0.04) == "equivalent within the margin"  # different from 0, and inside the margin
    assert verdict(0.0, 0.9, 0.06) == verdict(0.0, 0.9, None) == "undecided"
    assert (verdict(0.01, 0.05, None), verdict(-0.01, 0.05, 0.9)) == ("better", "worse")
