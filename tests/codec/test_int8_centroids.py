import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.codec.codec import Codec
from bench.codec.fitting import fit_residual
from bench.codec.int8_centroids import from_bytes, rounded, to_bytes
from bench.errors import DataError
from bench.files.storage import FolderWriter

VALUES = st.floats(-1, 1, width=32) | st.sampled_from([0.0, 1e-9, -3e-8, 1e-7, 127 / 128, 1.0])
CENTROIDS = arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 12)), elements=VALUES)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(centroids=CENTROIDS)
def test_a_value_is_off_by_half_a_step_at_most_and_rounding_twice_is_rounding_once(centroids):
    values, scales = to_bytes(centroids)
    assert (values.dtype, scales.dtype) == (np.int8, np.float16)
    once = rounded(centroids)
    steps = np.maximum(scales.astype(np.float64), np.finfo(np.float16).smallest_subnormal)
    assert (np.abs(once - centroids.astype(np.float64)) <= steps[:, None] * 0.50001).all()
    assert (np.abs(values.astype(int)) <= 127).all()
    assert rounded(once).tobytes() == once.tobytes()


def test_the_largest_value_takes_the_largest_byte_and_a_step_is_hardly_larger_than_it_must_be():
    centroids = np.random.default_rng(0).standard_normal((200, 64)).astype(np.float32)
    values, scales = to_bytes(centroids)
    assert np.abs(values.astype(int)).max(axis=1).tolist() == [127] * 200
    exact = np.abs(centroids).max(axis=1) / 127
    assert (scales >= exact).all()
    assert (scales <= exact * (1 + 2**-10)).all()


def test_bytes_and_their_scale_multiply_to_the_centroid():
    assert from_bytes(np.array([[-127, 0, 64]], np.int8), np.array([0.5], np.float16)).tolist() == [[-63.5, 0, 32]]


def test_a_row_of_zeros_stays_one():
    values, scales = to_bytes(np.zeros((2, 5), np.float32))
    assert (values.any(), scales.any()) == (False, False)
    assert rounded(np.zeros((2, 5), np.float32)).tolist() == [[0.0] * 5] * 2


def test_a_codec_rounds_its_centroids_and_takes_residuals_from_the_rounded_ones():
    rng = np.random.default_rng(1)
    centroids, heldout = rng.standard_normal((3, 8)).astype(np.float32), rng.standard_normal((9, 8)).astype(np.float32)
    codes = np.arange(9) % 3
    codec = fit_residual(centroids, heldout, codes, 8)
    np.testing.assert_array_equal(codec.centroids, rounded(centroids))
    residuals = np.sort((heldout - rounded(centroids)[codes]).ravel())
    assert residuals[0] <= codec.weights[0] <= codec.cutoffs[0] <= residuals[1]


def test_unrounded_centroids_are_not_saved(tmp_path):
    centroids = np.random.default_rng(2).standard_normal((3, 8)).astype(np.float32)
    codec = fit_residual(centroids, centroids, np.arange(3), 2)
    other = Codec(centroids, codec.codebook, codec.cutoffs, codec.weights)
    with pytest.raises(DataError, match=r"centroids for .*codec do not fit in a byte a dimension: round them first"):
        other.save(FolderWriter(tmp_path / "codec", "codec", 2))
    assert list((tmp_path / "codec").iterdir()) == []
