import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec.packing import pack, unpack


@settings(max_examples=50, deadline=None, derandomize=True)
@given(nbits=st.sampled_from([1, 2, 4, 8]), eights=st.integers(1, 32), vectors=st.integers(1, 5), seed=st.integers(0, 999))
def test_unpacking_what_was_packed_gives_the_same_buckets(nbits, eights, vectors, seed):
    buckets = np.random.default_rng(seed).integers(0, 2**nbits, (vectors, 8 * eights)).astype(np.uint8)
    packed = pack(buckets, nbits)
    assert packed.shape == (vectors, eights * nbits)
    assert packed.dtype == np.uint8
    np.testing.assert_array_equal(unpack(packed, nbits), buckets)


@pytest.mark.parametrize(
    ("nbits", "buckets", "byte"),
    [
        (1, [1, 0, 0, 0, 0, 1, 1, 0], 0b1000_0110),
        (2, [3, 0, 1, 2], 0b11_00_01_10),
        (4, [9, 4], 0x94),
        (8, [200], 200),
    ],
)
def test_the_first_dimension_stands_in_the_high_bits(nbits, buckets, byte):
    assert pack(np.array([buckets], np.uint8), nbits).tolist() == [[byte]]
    assert unpack(np.array([[byte]], np.uint8), nbits).tolist() == [buckets]


def test_dimensions_fill_bytes_from_the_left():
    assert pack(np.array([[1, 2, 15, 0]], np.uint8), 4).tolist() == [[0x12, 0xF0]]


def test_no_vectors_pack_to_no_rows_and_back():
    packed = pack(np.empty((0, 16), np.uint8), 2)
    assert packed.shape == (0, 4)
    assert unpack(packed, 2).shape == (0, 16)
