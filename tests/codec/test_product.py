import numpy as np
import pytest

from bench.codec import product

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


def test_a_codebook_is_the_same_for_the_same_seed_and_more_bytes_lose_less():
    codebooks = {number: product.fit(CORRELATED, number, 7) for number in (2, 4, 8)}
    assert {number: book.shape for number, book in codebooks.items()} == {2: (2, 256, 16), 4: (4, 256, 8), 8: (8, 256, 4)}
    np.testing.assert_array_equal(codebooks[4], product.fit(CORRELATED, 4, 7))
    errors = [error(CORRELATED, codebook) for codebook in codebooks.values()]
    assert errors[0] > errors[1] > errors[2]


def test_the_rotation_of_opq_is_orthogonal_and_loses_less():
    rotation = product.rotation(CORRELATED, 4, 7)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(32), atol=1e-6)
    np.testing.assert_array_equal(rotation, product.rotation(CORRELATED, 4, 7))
    turned = CORRELATED @ rotation
    assert error(turned, product.fit(turned, 4, 7)) < 0.9 * error(CORRELATED, product.fit(CORRELATED, 4, 7))


@pytest.mark.parametrize("vectors", [1, 3, 256])
def test_few_residuals_are_all_in_the_codebook(vectors):
    some = CORRELATED[:vectors]
    np.testing.assert_allclose(decoded(some, product.fit(some, 4, 0)), some, atol=1e-6)
