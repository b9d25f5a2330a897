import numpy as np
import pytest

from bench.evaluation.comparison import compare, interval


def rng(seed=0):
    return np.random.default_rng(seed)


def test_identical_systems_differ_by_nothing_with_p_one():
    values = rng().random(30)
    found = compare(values - values.copy(), rng())
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_clearly_better_system_has_a_small_p_that_is_never_zero():
    found = compare(0.2 + 0.1 * rng(2).random(40), rng())
    assert 0 < found.p < 0.01
    assert found.p == pytest.approx(1 / 10_001)
    assert 0.2 < found.low < found.mean < found.high < 0.3


def test_two_systems_that_differ_by_noise_have_a_large_p_and_an_interval_around_zero():
    noise = np.tile([0.1, -0.1], 20)
    found = compare(noise, rng())
    assert found.mean == pytest.approx(0)
    assert found.p == 1.0
    assert found.low < 0 < found.high


def test_the_p_of_few_queries_is_the_share_of_sign_flips_that_are_as_extreme():
    found = compare(np.array([0.3, 0.2, 0.4]), rng())
    assert found.p == pytest.approx(2 / 8, abs=0.02)
    found = compare(np.array([0.5, -0.2, 0.4]), rng())
    assert found.p == pytest.approx(4 / 8, abs=0.02)


def test_swapping_the_systems_flips_the_difference_and_keeps_p():
    one, other = rng(1).random(25), rng(2).random(25)
    forward, backward = compare(one - other, rng()), compare(other - one, rng())
    assert forward.mean == -backward.mean
    assert forward.p == backward.p
    assert (forward.low, forward.high) == pytest.approx((-backward.high, -backward.low))


def test_the_interval_contains_the_mean_and_matches_the_normal_approximation():
    values = rng(3).normal(0.4, 0.1, 400)
    low, high = interval(values, rng())
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert low < values.mean() < high
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_equal_values_have_an_interval_of_no_width():
    assert interval(np.full(10, 0.25), rng()) == (0.25, 0.25)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    one, other = rng(1).random(25), rng(2).random(25)
    assert compare(one - other, rng(7)) == compare(one - other, rng(7))
    assert compare(one - other, rng(7)) != compare(one - other, rng(8))


def test_wins_ties_losses_and_the_effect_by_hand():
    """Mean 0.1, standard deviation sqrt(((.2)^2 + .1^2 + .1^2 + .2^2) / 3)."""
    found = compare(np.array([0.3, 0.0, 0.2, -0.1]), rng())
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert found.effect == pytest.approx(0.1 / np.sqrt(0.1 / 3))
    assert compare(np.full(3, 0.1), rng()).effect is None


def test_one_query_is_compared_too():
    found = compare(np.array([0.5]), rng())
    assert (found.mean, found.low, found.high, found.p) == (0.5, 0.5, 0.5, 1.0)
