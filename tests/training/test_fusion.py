"""Fused teachers: scores without a common scale, query by query."""

import numpy as np
import pytest

from bench.training.fusion import fused, standardised

OFFSETS = np.array([0, 3, 3, 5, 6])


def test_scores_of_each_query_get_mean_zero_and_deviation_one():
    found = standardised(np.array([1.0, 2.0, 3.0, 10.0, 30.0, 7.0], np.float32), OFFSETS)
    np.testing.assert_allclose(found, [-np.sqrt(1.5), 0, np.sqrt(1.5), -1, 1, 0], atol=1e-6)
    assert found.dtype == np.float32


def test_scores_that_are_all_equal_say_nothing():
    assert standardised(np.full(6, 0.1, np.float32), OFFSETS).tolist() == [0] * 6


def test_scale_and_offset_of_either_teacher_change_nothing():
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 6)).astype(np.float32)
    np.testing.assert_allclose(fused(30 * one - 7, other, OFFSETS, 0.5), fused(one, other, OFFSETS, 0.5), atol=1e-5)


@pytest.mark.parametrize(("weight", "expected"), [(1, [1, 0, 0, -1]), (3, [1, -0.5, 0.5, -1]), (0.25, [1, 0.6, -0.6, -1])])
def test_the_fused_score_is_the_weighted_mean(weight, expected):
    one, other = np.array([1, 1, -1, -1], np.float32), np.array([1, -1, 1, -1], np.float32)
    np.testing.assert_allclose(fused(one, other, np.array([0, 4]), weight), expected, atol=1e-6)
