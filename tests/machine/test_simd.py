import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import njit

from bench.machine import simd

INT16 = st.integers(-32768, 32767)
FLOAT = st.floats(-1e6, 1e6, width=32)


@njit
def _word(values, place):
    return simd.word(values, place)


@njit
def _halves(bits, out):
    simd.store(out, 0, simd.load_halves(bits, 1, 8))


def test_halves_are_read_as_the_floats_that_they_are():
    values = np.array([1, 0.1, -0.0, -2.5, 65504, 6e-8, np.inf, -6.1e-5, 1 / 3], np.float16)
    found = np.empty(8, np.float32)
    _halves(values.view(np.uint16), found)
    assert found.tobytes() == values[1:].astype(np.float32).tobytes()


@njit
def _prefetch(values, place):
    simd.prefetch(values, place)


@pytest.fixture(scope="module", params=[16, 32])
def width(request):
    return request.param


@pytest.fixture(scope="module")
def exceed(width):
    @njit
    def run(left, right):
        return simd.exceeding(simd.load(left, 0, width), simd.load(right, 0, width))

    return run


@pytest.fixture(scope="module")
def operate(width):
    """Apply every operation that both types know to ``width`` elements from the one after the first on."""

    @njit
    def run(left, right, out):
        one, other = simd.load(left, 1, width), simd.load(right, 1, width)
        simd.store(out[0], 1, one)
        simd.store(out[1], 1, simd.fill(right[2], width))
        simd.store(out[2], 1, simd.add(one, other))
        simd.store(out[3], 1, simd.multiply(one, other))
        simd.store(out[4], 1, simd.maximum(one, other))

    return run


@pytest.fixture(scope="module")
def maximum_of(width):
    @njit
    def run(values):
        return simd.largest(simd.load(values, 0, width))

    return run


def check(operate, left, right, width, sums, products):
    out = np.full((5, width + 2), 7, left.dtype)
    operate(left, right, out)
    here = slice(1, width + 1)
    expected = [left[here], np.full(width, right[2]), sums[here], products[here], np.maximum(left, right)[here]]
    np.testing.assert_array_equal(out[:, here], expected)
    assert (out[:, [0, -1]] == 7).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_integers_are_what_numpy_says_and_wrap_around(operate, width, data):
    left, right = (data.draw(arrays(np.int16, width + 2, elements=INT16)) for _ in range(2))
    left[5], right[5] = 32767, 32767
    check(operate, left, right, width, left + right, left * right)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_floats_are_what_numpy_says(operate, width, data):
    left, right = (data.draw(arrays(np.float32, width + 2, elements=FLOAT)) for _ in range(2))
    check(operate, left, right, width, left + right, left * right)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_largest_is_that_of_all_lanes_wherever_it_stands(width, maximum_of, data):
    values = data.draw(arrays(np.float32, width, elements=FLOAT))
    for lane in (0, width // 2, width - 1):
        values[lane] += np.float32(3e6)
        assert maximum_of(values) == values.max()


def test_bytes_load_and_have_a_maximum(width):
    @njit
    def run(left, right, out):
        simd.store(out, 0, simd.maximum(simd.load(left, 0, width), simd.load(right, 0, width)))

    left, right = np.random.default_rng(0).integers(-128, 128, (2, width)).astype(np.int8)
    out = np.empty(width, np.int8)
    run(left, right, out)
    np.testing.assert_array_equal(out, np.maximum(left, right))


def test_integers_become_floats(width):
    @njit
    def run(values, out):
        simd.store(out, 0, simd.to_float(simd.load(values, 0, width)))

    for dtype in (np.int16, np.int32):
        info, out = np.iinfo(dtype), np.empty(width, np.float32)
        values = np.linspace(info.min, info.max, width).astype(dtype)
        run(values, out)
        np.testing.assert_array_equal(out, values.astype(np.float32))


def test_floats_are_rounded_to_int16_halves_to_even_and_beyond_it_wrap_around(width):
    @njit
    def run(values, out):
        for start in range(0, len(values), width):
            simd.store(out, start, simd.to_int16(simd.load(values, start, width)))

    halves = np.arange(-32768, 32767, dtype=np.float32) + np.float32(0.5)
    beyond = np.array([32768, -32769, 60800.4, -60800.4, 65536, 1e9], np.float32)
    spread = np.random.default_rng(0).uniform(-40_000, 40_000, 4096).astype(np.float32)
    values = np.concatenate([halves, beyond, spread])
    values = values[: len(values) // width * width]
    out = np.empty(len(values), np.int16)
    run(values, out)
    np.testing.assert_array_equal(out, np.rint(values).astype(np.int32).astype(np.int16))
    assert out[32768:32772].tolist() == [0, 2, 2, 4]


def test_the_high_byte_is_rounded_halves_up(width):
    @njit
    def run(values, out):
        for start in range(0, len(values), width):
            simd.store(out, start, simd.to_int8(simd.load(values, start, width)))

    values = np.arange(-32768, 32640, dtype=np.int16)
    out = np.empty(len(values), np.int8)
    run(values, out)
    np.testing.assert_array_equal(out, np.floor((values.astype(int) + 128) / 256))


def test_products_of_neighbours_are_added_up_without_loss(width):
    pairs_wide = 2 * width

    @njit
    def run(values, pairs, out):
        pair, row = simd.fill_pairs(values, 2, pairs_wide), simd.load(pairs, 0, pairs_wide)
        simd.store(out, 0, simd.multiply_pairs(pair, row))

    rng = np.random.default_rng(0)
    pairs, out = rng.integers(-32767, 32768, 2 * width).astype(np.int16), np.empty(width, np.int32)
    for values in ([5, 5, -32767, 32767], [1, 2, 127, -3], [0, 0, 32767, 32767]):
        run(np.array(values, np.int16), pairs, out)
        expected = [values[2] * int(pairs[2 * lane]) + values[3] * int(pairs[2 * lane + 1]) for lane in range(width)]
        assert out.tolist() == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 16])
def test_any_number_of_floats_is_multiplied_added_and_summed_half_by_half(count):
    @njit
    def run(left, right, addend, out):
        found = simd.multiply_add(simd.load(left, 0, count), simd.load(right, 0, count), simd.load(addend, 0, count))
        simd.store(out, 0, found)
        return simd.total(found)

    left, right, addend = np.random.default_rng(count).standard_normal((3, count)).astype(np.float32)
    out = np.empty(count, np.float32)
    total = run(left, right, addend, out)
    np.testing.assert_allclose(out, left.astype(float) * right + addend, rtol=1e-6)
    while len(out) % 2 == 0:
        out = out[: len(out) // 2] + out[len(out) // 2 :]
    expected = out[0]
    for value in out[1:]:
        expected += value
    assert total == expected


@settings(deadline=None, derandomize=True)
@given(values=arrays(np.uint8, 24), place=st.integers(0, 16))
def test_a_word_is_eight_bytes_from_anywhere(values, place):
    assert int(_word(values, place)) == int.from_bytes(values[place : place + 8].tobytes(), "little")


def test_asking_for_a_cache_line_changes_nothing_and_may_miss_the_array():
    values = np.arange(10, dtype=np.uint16)
    for place in (0, 9, 10_000_000, -1):
        _prefetch(values, place)
    assert values.tolist() == list(range(10))


@given(data=st.data())
@settings(max_examples=50, deadline=None, derandomize=True)
def test_a_bit_tells_of_each_lane_that_exceeds_the_other(width, exceed, data):
    left, right = (data.draw(arrays(np.int16, width, elements=INT16)) for _ in range(2))
    assert [bool(int(exceed(left, right)) >> lane & 1) for lane in range(width)] == (left > right).tolist()
    assert int(exceed(left, right)) >> width == 0


def test_a_bit_tells_of_each_lane_that_reaches_the_other_and_of_those_that_are_no_numbers(width):
    @njit
    def run(left, right):
        return simd.reaching(simd.load(left, 0, width), simd.load(right, 0, width))

    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 3, (2, width)).astype(np.float32)
    left[3], right[5], left[7], right[8] = np.nan, np.nan, -np.inf, -np.inf
    found = run(left, right)
    assert [bool(int(found) >> lane & 1) for lane in range(width)] == (~(left < right)).tolist()
    assert int(found) >> width == 0
