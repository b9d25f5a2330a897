import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.search.kernels import loops
from bench.search.kernels.reference import maxima, maxsim


@settings(max_examples=50, deadline=None, derandomize=True)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=8), width=st.integers(1, 9), seed=st.integers(0, 999))
def test_maxima_and_maxsim_equal_loops_over_passages_query_vectors_and_vectors(lengths, width, seed):
    similarities = np.random.default_rng(seed).standard_normal((sum(lengths), width))
    starts = np.cumsum(lengths) - lengths
    expected = np.empty((len(lengths), width))
    for passage, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        for part in range(width):
            expected[passage, part] = max(similarities[row, part] for row in range(start, start + length))
    assert maxima(similarities, starts).tolist() == expected.tolist()
    for kind in (np.float32, np.float64):
        assert loops.maxima(similarities.astype(kind), starts).tolist() == expected.astype(kind).tolist()
    np.testing.assert_allclose(maxsim(similarities, starts), [sum(row) for row in expected], atol=1e-12)


def test_maxsim_by_hand():
    similarities = np.array([[1.0, -5.0], [3.0, -4.0], [-1.0, -2.0]])
    assert maxsim(similarities, np.array([0, 2])).tolist() == [-1.0, -3.0]


def test_no_passages_have_no_scores():
    for function in (maxima, loops.maxima):
        assert function(np.empty((0, 4), np.float32), np.empty(0, np.int64)).shape == (0, 4)
    assert maxsim(np.empty((0, 4), np.float32), np.empty(0, np.int64)).shape == (0,)


@pytest.mark.parametrize("registers", [16, 32])
@pytest.mark.parametrize("centroids", [1, 2, 3, 4, 5, 11])
@pytest.mark.parametrize("width", [16, 32])
def test_similarities_are_exact_however_many_centroids_are_taken_at_a_time(registers, centroids, width, monkeypatch):
    monkeypatch.setattr(loops, "REGISTERS", registers)
    rng = np.random.default_rng(centroids)
    dim, values = 34, rng.integers(-127, 128, (centroids, 34)).astype(np.int16)
    query = rng.integers(-16_383, 16_384, (width, dim)).astype(np.int16)
    factors = rng.uniform(1e-4, 4e-4, centroids).astype(np.float32)
    fixed, fixed8 = np.empty(centroids * width, np.int16), np.empty(centroids * width, np.int8)
    pairs = np.ascontiguousarray(query.reshape(width, dim // 2, 2).transpose(1, 0, 2))
    loops.similarities.__wrapped__(width)(values.ravel(), np.arange(len(values)), pairs.ravel(), factors, 1.0, fixed, fixed8)
    sums = (values.astype(np.int64) @ query.T.astype(np.int64)).astype(np.float32)
    expected = np.rint(sums * factors[:, None]).astype(np.int64)
    np.testing.assert_array_equal(fixed.reshape(centroids, width), expected)
    np.testing.assert_array_equal(fixed8.reshape(centroids, width), (expected + 128) >> 8)
