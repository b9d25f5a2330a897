from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec import codec as codecs
from bench.codec import kmeans, residual
from bench.codec.codec import Codec
from bench.codec.fitting import fit_residual
from bench.codec.int8_centroids import rounded
from bench.codec.nearest import assign
from bench.errors import DamagedFileError, SettingsError
from bench.files.storage import FolderWriter


def unit(vectors, dim, seed=0):
    made = np.random.default_rng(seed).standard_normal((vectors, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def decode_one_by_one(codec, codes, residuals):
    decoded = np.empty((len(codes), codec.dim))
    for row, (code, byte_values) in enumerate(zip(codes, residuals, strict=True)):
        parts = [codec.codebook[position, value] for position, value in enumerate(byte_values)]
        vector = codec.centroids[code].astype(np.float64) + np.concatenate(parts)
        decoded[row] = vector / np.sqrt((vector**2).sum())
    return decoded


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    nbits=st.sampled_from([1, 2, 4, 8]),
    eights=st.sampled_from([1, 2, 3, 12, 16]),
    vectors=st.sampled_from([0, 1, 2, 17]),
    seed=st.integers(0, 999),
)
def test_decoding_equals_a_loop_over_vectors_and_has_norm_one(nbits, eights, vectors, seed):
    centroids, heldout = unit(5, 8 * eights, seed), unit(30, 8 * eights, seed + 1)
    codec = fit_residual(centroids, heldout, assign(heldout, centroids), nbits)
    some = unit(vectors, 8 * eights, seed + 2).astype(np.float16)
    codes = assign(some, centroids)
    residuals = codec.encode(some, codes)
    assert residuals.shape == (vectors, codec.bytes) == (vectors, eights * nbits)
    assert residuals.dtype == np.uint8
    decoded = codec.decode(codes, residuals)
    assert decoded.shape == (vectors, 8 * eights)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, decode_one_by_one(codec, codes, residuals), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1, atol=1e-6)


def test_more_bits_decode_with_less_error():
    vectors = unit(2000, 32)
    centroids = kmeans.fit(vectors, 32, seed=0, iterations=5)
    codes = assign(vectors, centroids)
    errors = []
    for nbits in (1, 2, 4, 8):
        codec = fit_residual(centroids, vectors, codes, nbits)
        decoded = codec.decode(codes, codec.encode(vectors, codes))
        errors.append(float(np.linalg.norm(decoded - vectors, axis=1).mean()))
    without_residuals = float(np.linalg.norm(centroids[codes] - vectors, axis=1).mean())
    assert without_residuals > errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[3] < 0.02


def test_a_vector_that_is_its_centroid_decodes_to_itself():
    centroids = rounded(np.eye(8, dtype=np.float32))
    codec = fit_residual(centroids, centroids, np.arange(8), 2)
    codes = np.array([3, 0, 3])
    decoded = codec.decode(codes, codec.encode(centroids[codes], codes))
    assert (decoded == np.eye(8)[codes]).all()


def test_a_vector_that_decodes_to_zero_stays_zero():
    zeros = np.zeros((1, 8), np.float32)
    codec = fit_residual(zeros, zeros, np.zeros(1, np.int64), 1)
    assert codec.decode(np.zeros(1, np.int64), np.zeros((1, 1), np.uint8)).tolist() == [[0.0] * 8]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    nbits=st.sampled_from([1, 2, 4, 8]),
    dim=st.sampled_from([8, 24, 32, 128, 256]),
    vectors=st.sampled_from([0, 1, 2, 70]),
    threads=st.sampled_from([1, 3]),
    half=st.booleans(),
    seed=st.integers(0, 999),
)
def test_encoding_equals_the_plain_quantizer_in_every_byte(nbits, dim, vectors, threads, half, seed):
    centroids, heldout = unit(5, dim, seed), unit(30, dim, seed + 1)
    codec = fit_residual(centroids, heldout, assign(heldout, centroids), nbits)
    some = unit(vectors, dim, seed + 2)
    some[: vectors // 2] = codec.centroids[0]  # residuals of zero, and then some on a cutoff
    some[: vectors // 4, ::2] += codec.cutoffs[len(codec.cutoffs) // 2]
    some = some.astype(np.float16) if half else some
    codes = assign(some, codec.centroids)
    expected = residual.quantize(some.astype(np.float32) - codec.centroids[codes], codec.cutoffs)
    packed = codec.encode(some, codes, threads=threads)
    assert packed.dtype == np.uint8
    np.testing.assert_array_equal(packed, expected)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_encoding_fills_a_given_array_block_by_block(monkeypatch, threads):
    vectors, centroids = unit(50, 16), unit(4, 16, seed=1)
    codes = assign(vectors, centroids)
    codec = fit_residual(centroids, vectors, codes, 4)
    monkeypatch.setattr(codecs, "blocks", partial(codecs.blocks, size=7))
    out = np.zeros((50, 8), np.uint8)
    assert codec.encode(vectors, codes, threads=threads, out=out) is out
    np.testing.assert_array_equal(out, residual.quantize(vectors - codec.centroids[codes], codec.cutoffs))


@pytest.mark.parametrize(("number_of_bytes", "part"), [(2, 4), (1, 32), (3, 16), (7, 3), (33, 1)])
def test_a_learned_codebook_is_decoded_by_the_same_code(number_of_bytes, part):
    rng = np.random.default_rng(1)
    codebook = 0.3 * rng.standard_normal((number_of_bytes, 256, part)).astype(np.float32)
    codec = Codec(unit(9, number_of_bytes * part), codebook)
    codes = rng.integers(0, 9, 20).astype(np.uint8)
    residuals = rng.integers(0, 256, (20, number_of_bytes), np.uint8)
    residuals[0] = 255
    np.testing.assert_allclose(codec.decode(codes, residuals), decode_one_by_one(codec, codes, residuals), atol=1e-6)
    sums = codec.centroids[codes].astype(np.float64) + codebook[np.arange(number_of_bytes), residuals].reshape(20, -1)
    np.testing.assert_allclose(codec.norms(codes, residuals), np.sqrt((sums**2).sum(axis=1)), rtol=1e-6)


@pytest.mark.parametrize(("dim", "nbits", "multiple"), [(12, 1, 8), (10, 2, 4), (7, 4, 2)])
def test_a_dim_that_does_not_fill_bytes_is_refused_with_the_multiple_that_would(dim, nbits, multiple):
    with pytest.raises(SettingsError, match=f"dim {dim} at {nbits} bits .* multiple of {multiple}$"):
        fit_residual(unit(2, dim), unit(4, dim), np.zeros(4, np.int64), nbits)


def test_a_saved_codec_loads_with_the_same_arrays(tmp_path):
    codec = fit_residual(unit(4, 16), unit(40, 16), assign(unit(40, 16), unit(4, 16)), 2)
    codec.save(FolderWriter(tmp_path, "codec", 1))
    loaded = codecs.load(tmp_path)
    for name in ("centroids", "codebook", "cutoffs", "weights"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(codec, name))
        assert getattr(loaded, name).dtype == np.float32


def test_a_codebook_for_another_dim_is_refused(tmp_path):
    codec = fit_residual(unit(4, 16), unit(40, 16), np.zeros(40, np.int64), 2)
    Codec(rounded(unit(4, 24)), codec.codebook, codec.cutoffs, codec.weights).save(FolderWriter(tmp_path, "codec", 1))
    with pytest.raises(DamagedFileError, match=r"codebook .* does not fit vectors of dim 24"):
        codecs.load(tmp_path)
