import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec import nearest
from bench.codec.nearest import assign, code_dtype


def unit(vectors, dim=8, seed=0):
    made = np.random.default_rng(seed).standard_normal((vectors, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def clustered(vectors, centres, dim, noise, seed=0):
    """Unit vectors around unit centres, which come back too."""
    rng = np.random.default_rng(seed)
    middles = unit(centres, dim, seed + 1)
    made = middles[rng.integers(0, centres, vectors)] + noise * unit(vectors, dim, seed + 2)
    return made / np.linalg.norm(made, axis=1, keepdims=True), middles


@pytest.mark.parametrize(("centroids", "bits"), [(1, 8), (256, 8), (257, 16), (65_536, 16), (65_537, 32), (262_144, 32)])
def test_codes_are_as_wide_as_the_last_centroid_id_needs(centroids, bits):
    assert code_dtype(centroids) == np.dtype(f"uint{bits}")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    vectors=st.sampled_from([1, 7, 511, 512, 513]),
    centroids=st.integers(1, 300),
    dim=st.sampled_from([1, 8, 32, 200]),
    half=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_code_is_the_centroid_of_the_largest_inner_product(vectors, centroids, dim, half, seed):
    some, centres = unit(vectors, dim, seed), unit(centroids, dim, seed + 1)
    some = some.astype(np.float16) if half else some
    codes = assign(some, centres)
    assert codes.dtype == code_dtype(centroids)
    products = some.astype(np.float64) @ centres.astype(np.float64).T
    np.testing.assert_allclose(products[np.arange(vectors), codes], products.max(axis=1), atol=1e-6)


def test_the_lower_id_wins_a_tie():
    centroids = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], np.float32)
    assert assign(np.array([[1, 0], [0, 1], [0.5, 0.5]], np.float16), centroids).tolist() == [1, 0, 0]


@pytest.mark.parametrize("centroids", [3, 2048])
def test_no_vectors_have_no_codes(centroids):
    assert assign(np.empty((0, 8), np.float16), unit(centroids)).shape == (0,)


def test_below_the_limit_every_product_is_computed():
    vectors, centroids = unit(1500, 16), unit(nearest.FEW - 1, 16, seed=1)
    expected = (vectors @ centroids.T).argmax(axis=1)
    np.testing.assert_array_equal(assign(vectors, centroids), expected)
    np.testing.assert_array_equal(assign(vectors, centroids, exhaustive=True), expected)
