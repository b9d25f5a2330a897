"""Errors of decoded vectors by hand, and of a real index beside the bound at its bits."""

import numpy as np
import pytest

from bench.evaluation.rate_distortion import least_errors
from bench.evaluation.reconstruction import Sample, bits_of


@pytest.fixture
def indexes(small_index, tmp_path):
    doclens = [5, 3, 8, 4] * 25
    plain, coded = (small_index(tmp_path / str(nbits), doclens, nbits, dim=16) for nbits in (None, 2))
    return plain, coded


def sample(index, pairs=None):
    query = np.eye(16, dtype=np.float32)[:3]
    return Sample(index, np.arange(len(index.raw)), pairs or [(query, np.array([0, 2])), (query[:1], np.array([1]))])


def test_vectors_that_are_compared_with_themselves_have_no_error(indexes):
    plain, _ = indexes
    found = sample(plain).measured(plain)
    assert found["cosine"] == pytest.approx(1)
    assert [found[name] for name in ("squared_error", "maxsim_error", "maxsim_rms")] == [0, 0, 0]


def test_scores_are_those_of_equation_1_query_by_query(indexes):
    plain, _ = indexes
    vectors = plain.raw.astype(float)
    expected = [vectors[:5, :3].max(axis=0).sum(), vectors[8:16, :3].max(axis=0).sum(), vectors[5:8, 0].max()]
    assert sample(plain).scores == pytest.approx(expected)


def test_the_errors_of_decoded_vectors_are_as_their_definitions_read(indexes):
    plain, coded = indexes
    found = sample(plain).measured(coded)
    vectors, decoded = plain.raw.astype(float), coded.vectors(slice(None)).astype(float)
    assert found["squared_error"] == pytest.approx(np.square(vectors - decoded).sum(axis=1).mean())
    assert found["cosine"] == pytest.approx(1 - found["squared_error"] / 2, abs=1e-3)  # both sides of length 1
    errors = np.array([decoded[part, :3].max(axis=0).sum() for part in (slice(0, 5), slice(8, 16))])
    errors = np.append(errors, decoded[5:8, 0].max()) - sample(plain).scores
    assert found["maxsim_error"] == pytest.approx(np.abs(errors).mean())
    assert found["maxsim_rms"] == pytest.approx(np.sqrt(np.square(errors).mean()))
    assert found["maxsim_rms"] >= found["maxsim_error"] > 0


def test_bits_are_those_that_a_vector_takes_in_the_index(indexes):
    _, coded = indexes
    assert bits_of(coded) == {"code": 8 * coded.compressed.codes.dtype.itemsize, "residual": 32}


def test_the_bound_is_the_error_of_water_filling_and_its_other_errors_fall_with_the_bits(indexes):
    plain, _ = indexes
    compared = sample(plain, [(np.eye(16, dtype=np.float32)[:4], np.arange(100))])
    few, many = (compared.bound(bits, seed=1) for bits in (16, 64))
    variances = np.linalg.eigvalsh(np.cov(plain.raw.astype(float), rowvar=False, bias=True))[::-1]
    assert few["squared_error"] == pytest.approx(least_errors(variances, 16).sum())
    assert few["cosine"] < many["cosine"] < 1
    assert few["maxsim_error"] > many["maxsim_error"] > 0
    assert compared.bound(64, seed=1) == many


def test_the_bound_of_residuals_is_that_of_what_the_centroids_leave(indexes):
    plain, coded = indexes
    compared = sample(plain)
    left = plain.raw.astype(float) - coded.compressed.codec.centroids[coded.compressed.codes]
    variances = np.linalg.eigvalsh(np.cov(left, rowvar=False, bias=True))[::-1]
    found = compared.residual_bound(coded)
    assert found == pytest.approx(least_errors(variances, 32).sum())
    # Random vectors are no clusters: two bits a dimension in buckets cannot reach it.
    assert found < compared.measured(coded)["squared_error"] < left.var(axis=0).sum()
