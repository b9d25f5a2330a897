import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec import fitting, kmeans, product
from bench.codec.names import parse

RNG = np.random.default_rng(0)
WIDTHS = np.exp(-np.arange(32) / 6)
CORRELATED = (RNG.standard_normal((6000, 32)) * WIDTHS @ np.linalg.qr(RNG.standard_normal((32, 32)))[0]).astype(np.float32)


def decoded(residuals, codebook):
    return codebook[np.arange(len(codebook)), product.assign(residuals, codebook)].reshape(residuals.shape)


def error(residuals, codebook):
    return float(((decoded(residuals, codebook) - residuals) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize(("number_of_bytes", "dim"), [(4, 32), (8, 32), (11, 33)])
def test_bytes_are_those_of_the_nearest_sub_vectors(number_of_bytes, dim):
    codebook = RNG.standard_normal((number_of_bytes, 256, dim // number_of_bytes)).astype(np.float32)
    residuals = RNG.standard_normal((200, dim)).astype(np.float32)
    parts = residuals.reshape(200, number_of_bytes, 1, -1).astype(np.float64)
    distances = ((parts - codebook[None]) ** 2).sum(axis=3)
    np.testing.assert_array_equal(product.assign(residuals, codebook), distances.argmin(axis=2))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    number_of_bytes=st.integers(1, 5),
    part=st.integers(1, 9),
    vectors=st.integers(0, 9),
    distinct=st.integers(1, 256),
    seed=st.integers(0, 99),
)
def test_of_equal_sub_vectors_the_first_is_taken_whatever_the_shape(number_of_bytes, part, vectors, distinct, seed):
    rng = np.random.default_rng(seed)
    codebook = rng.integers(-99, 99, (number_of_bytes, 256, part)).astype(np.float32)  # so that nothing is rounded
    codebook[:, :, 0] = rng.permutation(256)
    codebook[:, distinct:] = codebook[:, :1]
    wanted = rng.integers(0, distinct, (vectors, number_of_bytes))
    residuals = codebook[np.arange(number_of_bytes), wanted].reshape(vectors, number_of_bytes * part)
    np.testing.assert_array_equal(product.assign(np.repeat(residuals, 2, axis=1)[:, ::2], codebook), wanted)


def test_the_number_of_threads_changes_nothing():
    codebook = product.fit(CORRELATED, 4, 7)
    np.testing.assert_array_equal(codebook, product.fit(CORRELATED, 4, 7, threads=3))
    np.testing.assert_array_equal(product.assign(CORRELATED, codebook), product.assign(CORRELATED, codebook, threads=3))


@pytest.mark.parametrize("number_of_bytes", [2, 4, 8])
def test_the_error_is_not_two_percent_above_that_of_faiss(number_of_bytes):
    other = faiss.ProductQuantizer(32, number_of_bytes, 8)
    other.cp.niter, other.cp.min_points_per_centroid = 12, 1
    other.train(CORRELATED)
    theirs = faiss.vector_to_array(other.centroids).reshape(number_of_bytes, 256, -1)
    assert error(CORRELATED, product.fit(CORRELATED, number_of_bytes, 7)) < 1.02 * error(CORRELATED, theirs)


@pytest.mark.parametrize(("number_of_bytes", "most"), [(2, 0.95), (4, 0.7), (8, 0.3)])
def test_the_rotation_leaves_less_error_than_that_of_faiss(number_of_bytes, most):
    theirs = faiss.OPQMatrix(32, number_of_bytes)
    theirs.niter, theirs.niter_pq, theirs.niter_pq_0 = 8, 1, 8
    theirs.train(CORRELATED)
    turned = CORRELATED @ product.rotation(CORRELATED, number_of_bytes), theirs.apply(CORRELATED)
    ours, other = (error(some, product.fit(some, number_of_bytes, 7)) for some in turned)
    assert ours < most * other


def test_sub_vectors_that_no_residual_is_nearest_to_move_to_where_the_error_is():
    rng = np.random.default_rng(3)
    alike = np.repeat(rng.standard_normal((1, 8)), 3000, axis=0)
    apart = 10 + rng.standard_normal((200, 8))
    some = np.concatenate([alike, apart]).astype(np.float32)
    codebook = product.fit(some, 2, 0)
    assert error(some, codebook) < 1e-9


def test_a_codebook_is_the_same_for_the_same_seed_and_more_bytes_lose_less():
    codebooks = {number: product.fit(CORRELATED, number, 7) for number in (2, 4, 8)}
    assert {number: book.shape for number, book in codebooks.items()} == {2: (2, 256, 16), 4: (4, 256, 8), 8: (8, 256, 4)}
    np.testing.assert_array_equal(codebooks[4], product.fit(CORRELATED, 4, 7))
    errors = [error(CORRELATED, codebook) for codebook in codebooks.values()]
    assert errors[0] > errors[1] > errors[2]


def test_the_rotation_of_opq_is_orthogonal_and_loses_less():
    rotation = product.rotation(CORRELATED, 4)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(32), atol=1e-6)
    np.testing.assert_array_equal(rotation, product.rotation(CORRELATED, 4))
    turned = CORRELATED @ rotation
    assert error(turned, product.fit(turned, 4, 7)) < 0.9 * error(CORRELATED, product.fit(CORRELATED, 4, 7))


def test_axes_are_uncorrelated_and_dealt_out_so_that_bytes_have_equal_products_of_variances():
    widths = np.repeat([9.0, 7.0, 3.0, 1.0], 2)  # by hand: 9 and 1, 9 and 1, 7 and 3, 7 and 3
    hidden = np.linalg.qr(RNG.standard_normal((8, 8)))[0]
    some = (RNG.standard_normal((5000, 8)) @ np.diag(widths) @ hidden).astype(np.float32)
    covariance = np.cov(some @ product.rotation(some, 4), rowvar=False)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-3)
    found = np.sort(np.sqrt(np.diag(covariance)).reshape(4, 2))[:, ::-1]
    np.testing.assert_allclose(found, [[9, 1], [9, 1], [7, 3], [7, 3]], rtol=0.05)


@pytest.mark.parametrize("spread", [0, 1])
def test_residuals_that_fill_fewer_dimensions_than_they_have_still_have_a_rotation(spread):
    some = np.outer(spread * RNG.standard_normal(300), RNG.standard_normal(8)).astype(np.float32)
    rotation = product.rotation(some, 2)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(8), atol=1e-6)


@pytest.mark.parametrize("vectors", [1, 3, 256])
def test_few_residuals_are_all_in_the_codebook(vectors):
    some = CORRELATED[:vectors]
    np.testing.assert_allclose(decoded(some, product.fit(some, 4, 0)), some, atol=1e-6)


def test_an_axis_points_where_its_largest_entry_is_positive_and_a_map_is_of_multiples_of_a_grid():
    """LAPACKs differ in the sign of an axis and in last bits, from which k-means would go another way."""
    residuals = np.random.default_rng(5).standard_normal((500, 32)).astype(np.float32) * np.linspace(
        1, 3, 32, dtype=np.float32
    )
    axes = product.rotation(residuals, 8)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(32)] > 0).all()
    clusters = kmeans.clusters(residuals, 4, seed=0, iterations=2)
    found = fitting.fit(parse("opq-8"), clusters, residuals, np.zeros(500, np.uint8), 0)
    assert (found.map / fitting.GRID == np.rint(found.map / fitting.GRID)).all()
    assert np.linalg.norm(found.map, axis=1) == pytest.approx(np.ones(32), abs=2e-5)
