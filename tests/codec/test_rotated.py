import numpy as np
import pytest

from bench.codec import rotated
from bench.codec.scalar import nearest


@pytest.mark.parametrize("dim", [8, 33, 128])
def test_a_rotation_is_orthogonal_and_the_same_for_the_same_seed(dim):
    found = rotated.rotation(dim, 5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found @ found.T, np.eye(dim), atol=1e-6)
    np.testing.assert_array_equal(found, rotated.rotation(dim, 5))
    assert np.abs(found - rotated.rotation(dim, 6)).max() > 0.1


def test_the_dimensions_of_a_rotated_unit_vector_are_nearly_normal_whatever_it_was():
    one = np.zeros(128, np.float32)
    one[3] = 1
    values = np.concatenate([one @ rotated.rotation(128, seed) for seed in range(40)]) * np.sqrt(128)
    assert values.mean() == pytest.approx(0, abs=0.04)
    assert values.std() == pytest.approx(1, abs=0.03)
    assert np.mean(np.abs(values) < 0.6745) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("nbits", "positive"), [(1, [0.7979]), (2, [0.4528, 1.5104])])
def test_buckets_are_those_of_maxs_table_divided_by_the_root_of_dim(nbits, positive):
    cutoffs, weights = rotated.buckets(nbits, 64)
    np.testing.assert_allclose(8 * weights[len(weights) // 2 :], positive, atol=1e-4)
    assert len(cutoffs) == 2**nbits - 1
    assert cutoffs[len(cutoffs) // 2] == pytest.approx(0, abs=1e-7)


def test_a_gain_is_the_multiple_of_the_direction_that_is_nearest():
    directions = np.array([[1.0, 0], [1, 1], [0, 0]], np.float32)
    residuals = np.array([[3.0, 9], [1, 3], [5, 5]], np.float32)
    assert rotated.gains(residuals, directions).tolist() == [3, 2, 0]


def test_levels_of_gains_go_from_zero_to_the_largest():
    levels = rotated.gain_levels(np.array([0.2, 0.51], np.float32))
    assert (levels[0], levels[-1], len(levels)) == (0, np.float32(0.51), 256)
    assert nearest(np.array([-1, 0, 0.00101, 0.51, 7]), levels).tolist() == [0, 0, 1, 255, 255]


def test_residuals_of_zero_stay_zero_when_made_unit():
    assert rotated.unit(np.array([[0, 0], [3, 4]], np.float32)).tolist() == [[0, 0], [np.float32(0.6), np.float32(0.8)]]
