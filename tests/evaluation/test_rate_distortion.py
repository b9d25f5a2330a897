"""Reverse water-filling by hand, and a test channel that has the error and the covariance which theory gives it."""

import numpy as np
import pytest

from bench.errors import DataError
from bench.evaluation.rate_distortion import Source, least_errors, source


def test_equal_components_halve_their_deviation_with_each_bit_of_theirs():
    assert least_errors(np.array([1.0, 1.0, 1.0, 1.0]), 4) == pytest.approx([0.25] * 4)
    assert least_errors(np.array([1.0, 1.0]), 0) == pytest.approx([1, 1])


def test_a_component_below_the_water_level_gets_no_bits():
    # 2 bits, all for the first component: 4 * 2**-4 = 0.25, which is above the second variance.
    assert least_errors(np.array([4.0, 0.125]), 2) == pytest.approx([0.25, 0.125])
    # 4 bits: level ** 2 = 4 * 0.125 * 2**-8.
    assert least_errors(np.array([4.0, 0.125]), 4) == pytest.approx([0.5**0.5 / 16] * 2)


def test_the_bits_of_the_errors_add_up_to_the_bits_that_were_given():
    variances = np.sort(np.random.default_rng(0).exponential(1, 32))[::-1]
    for bits in (1, 8, 64, 272):
        errors = least_errors(variances, bits)
        assert np.log2(variances / errors).sum() / 2 == pytest.approx(bits)
        assert len(set(errors[errors < variances])) == 1


def test_a_component_without_variance_has_no_error_and_takes_no_bits():
    assert least_errors(np.array([1.0, 1.0, 0.0]), 2) == pytest.approx([0.25, 0.25, 0])


def test_the_test_channel_has_the_least_error_and_keeps_less_variance():
    rng = np.random.default_rng(1)
    scales = np.array([2.0, 1.0, 0.5, 0.1])
    vectors = rng.standard_normal((40_000, 4)) * scales + [1, 2, 3, 4]
    found = source(vectors)
    assert isinstance(found, Source)
    assert found.mean == pytest.approx([1, 2, 3, 4], abs=0.03)
    assert found.variances == pytest.approx(scales**2, rel=0.03)
    errors = least_errors(found.variances, 3)
    coded = found.channel(vectors, 3, rng)
    assert np.square(coded - vectors).sum(axis=1).mean() == pytest.approx(errors.sum(), rel=0.02)
    assert coded.var(axis=0) == pytest.approx(found.variances - errors, abs=0.03)
    # The error is independent of what is read, or a better decoder would exist.
    assert np.corrcoef(coded[:, 0], (vectors - coded)[:, 0])[0, 1] == pytest.approx(0, abs=0.02)


def test_without_bits_the_channel_gives_the_mean():
    vectors = np.random.default_rng(2).standard_normal((100, 3))
    found = source(vectors)
    assert found.channel(vectors, 0, np.random.default_rng(0)) == pytest.approx(np.tile(vectors.mean(axis=0), (100, 1)))


def test_vectors_that_are_all_equal_are_refused():
    with pytest.raises(DataError, match="all 3 vectors are equal"):
        source(np.ones((3, 4)))
