import numpy as np
import pytest

from bench.codec import packing, residual
from bench.codec.packing import unpack


def test_one_bit_cuts_at_the_median_and_stands_for_the_quartiles():
    cutoffs, weights = residual.fit(np.array([[4.0, 0.0, 2.0, 1.0, 3.0]]), 1)
    assert cutoffs.tolist() == [2.0]
    assert weights.tolist() == [1.0, 3.0]
    assert cutoffs.dtype == weights.dtype == np.float32


def test_two_bits_cut_at_quarters_and_stand_for_odd_eighths_of_all_dimensions_together():
    cutoffs, weights = residual.fit(np.array([[8.0, 0, 1], [7, 2, 3], [6, 5, 4]]), 2)
    assert cutoffs.tolist() == [2.0, 4.0, 6.0]
    assert weights.tolist() == [1.0, 3.0, 5.0, 7.0]


@pytest.mark.parametrize("nbits", [1, 2, 4, 8])
def test_the_buckets_of_the_held_out_residuals_are_equally_likely(nbits):
    values = np.random.default_rng(0).standard_normal((640, 16)).astype(np.float32)
    cutoffs, weights = residual.fit(values, nbits)
    counts = np.bincount(unpack(residual.quantize(values, cutoffs), nbits).ravel(), minlength=2**nbits)
    assert len(cutoffs) == 2**nbits - 1
    assert len(weights) == 2**nbits
    assert abs(counts - values.size / 2**nbits).max() <= 1


def test_each_weight_lies_inside_its_bucket():
    cutoffs, weights = residual.fit(np.random.default_rng(1).standard_normal((100, 8)), 4)
    assert (weights[:-1] <= cutoffs).all()
    assert (cutoffs <= weights[1:]).all()


@pytest.mark.parametrize("nbits", [1, 2, 4, 8])
@pytest.mark.parametrize("dim", [8, 24, 128])
def test_every_byte_of_the_codebook_stands_for_the_weights_of_its_buckets(nbits, dim):
    weights = np.random.default_rng(2).standard_normal(2**nbits).astype(np.float32)
    table = packing.codebook(weights, dim)
    size = dim * nbits // 8
    assert table.shape == (size, 256, dim // size)
    assert table.dtype == np.float32
    for byte in range(256):
        expected = weights[unpack(np.array([[byte]], np.uint8), nbits)[0]]
        assert (table[:, byte] == expected).all()


def test_a_value_on_a_cutoff_goes_to_the_lower_bucket():
    cutoffs = np.array([-1.0, 0.0, 1.0], np.float32)
    assert unpack(residual.quantize(np.array([[-1.0, 0.0, 1.0, 1.5]], np.float32), cutoffs), 2).tolist() == [[0, 1, 2, 3]]


def test_a_value_just_above_a_cutoff_goes_to_the_upper_bucket():
    above = np.nextafter(np.float32(0), np.float32(1))
    values = np.array([[0.0, above, -above, 0, 0, 0, 0, above]], np.float32)
    assert residual.quantize(values, np.zeros(1, np.float32)).tolist() == [[0b0100_0001]]


def test_values_beyond_all_cutoffs_go_to_the_outermost_buckets():
    cutoffs, _ = residual.fit(np.random.default_rng(3).standard_normal((50, 8)), 8)
    assert residual.quantize(np.array([[-1e9, 1e9]], np.float32), cutoffs).tolist() == [[0, 255]]
