import numpy as np
import pytest

from bench.codec import lloyd, residual
from bench.codec.packing import unpack

NORMAL = np.random.default_rng(0).standard_normal((100_000, 8))


def error(residuals, cutoffs, weights):
    nbits = (weights.shape[-1] - 1).bit_length()
    buckets = unpack(residual.quantize(residuals.astype(np.float32), cutoffs), nbits)
    own = np.broadcast_to(weights, (residuals.shape[1], weights.shape[-1]))
    return float(((np.take_along_axis(own.T, buckets, axis=0) - residuals) ** 2).mean())


@pytest.mark.parametrize(("nbits", "positive"), [(1, [0.7979]), (2, [0.4528, 1.5104])])
def test_the_weights_of_normal_values_are_those_of_maxs_table(nbits, positive):
    cutoffs, weights = lloyd.optimal(NORMAL, nbits)
    np.testing.assert_allclose(weights[len(weights) // 2 :], positive, rtol=0.01)
    np.testing.assert_allclose(weights, -weights[::-1], atol=0.01)
    np.testing.assert_allclose(cutoffs, (weights[1:] + weights[:-1]) / 2)


@pytest.mark.parametrize(("nbits", "distortion"), [(1, 0.3634), (2, 0.1175), (4, 0.00954)])
def test_the_error_on_normal_values_is_that_of_maxs_table_and_below_the_papers(nbits, distortion):
    found = error(NORMAL, *lloyd.fit(NORMAL, nbits))
    assert found == pytest.approx(distortion, rel=0.03)
    assert error(NORMAL, *residual.fit(NORMAL, nbits)) > 1.03 * found


def test_each_dimension_has_its_own_width():
    widths = np.array([1, 0.1, 3, 0.5, 2, 1, 1, 0.01])
    cutoffs, weights = lloyd.fit(NORMAL * widths, 2)
    assert cutoffs.shape == (8, 3)
    assert weights.shape == (8, 4)
    assert cutoffs.dtype == weights.dtype == np.float32
    np.testing.assert_allclose(weights[:, 3] / widths, 1.51, rtol=0.02)


def test_a_dimension_that_never_differs_gets_weights_of_zero():
    cutoffs, weights = lloyd.fit(np.column_stack([NORMAL[:, 0], np.zeros(100_000)]), 2)
    assert weights[1].tolist() == [0, 0, 0, 0]
    assert cutoffs[1].tolist() == [0, 0, 0]
    assert weights[0, 3] > 1


def test_a_bucket_without_values_keeps_its_weight():
    cutoffs, weights = lloyd.optimal(np.array([[-1.0, -1, -1, 1]]), 2)
    assert np.isfinite(weights).all()
    assert np.isfinite(cutoffs).all()
    assert set(np.round(weights[[0, 3]], 6)) == {-1.0, 1.0}
