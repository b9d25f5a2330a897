"""Every codec of the axis: what it loses, and that what is encoded is what is decoded."""

import dataclasses
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec import codec as codecs
from bench.codec import fitting, kmeans
from bench.codec.kmeans import Clusters
from bench.codec.names import FAMILIES, SPREADS, TABLES, WITH_SPREADS, parse
from bench.codec.nearest import assign
from bench.errors import DamagedFileError, SettingsError
from bench.files.storage import FolderWriter

NAMES = [f"{family}-{size}" for family, (_, sizes) in FAMILIES.items() for size in sizes]


QUERIES = np.random.default_rng(4).standard_normal((500, 64)).astype(np.float32) * np.exp(
    np.arange(64) / 16, dtype=np.float32
)


def unit(vectors, dim, seed=0):
    """Vectors whose dimensions differ in width, as those of a PCA do."""
    made = np.random.default_rng(seed).standard_normal((vectors, dim)) * np.exp(-np.arange(dim) / dim)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def clusters(number, dim):
    return Clusters(unit(number, dim), np.ones(number, np.float16))


def fitted(name, centroids, vectors, codes, seed, queries):
    """The codec of that name, with the queries only where it looks at them, and spreads that differ."""
    parsed, spreads = parse(name), np.linspace(0.5, 1.5, len(centroids)).astype(np.float16)
    return fitting.fit(parsed, Clusters(centroids, spreads), vectors, codes, seed, queries if parsed.needs_queries else None)


@pytest.fixture(scope="module")
def world():
    """Vectors, centroids and codes: 3,000 of dim 64, and every codec fitted on them."""
    vectors = unit(3000, 64)
    clusters = kmeans.clusters(vectors, 64, seed=0, iterations=4)
    codes = assign(vectors, clusters.centroids)
    every = {name: (parse(name), QUERIES if parse(name).needs_queries else None) for name in NAMES}
    codecs = {name: fitting.fit(parsed, clusters, vectors, codes, 9, asked) for name, (parsed, asked) in every.items()}
    return vectors, codes, codecs


def loss(world, name):
    vectors, codes, fitted = world
    decoded = fitted[name].mapped_back(fitted[name].decode(codes, fitted[name].encode(vectors, codes)))
    return float(1 - (decoded * vectors).sum(axis=1).mean() / np.linalg.norm(decoded, axis=1).mean())


@pytest.mark.parametrize("name", NAMES)
def test_every_codec_has_the_bytes_of_its_name_and_one_for_a_gain(world, name):
    vectors, codes, fitted = world
    codec, size = fitted[name], parse(name).size
    expected = size if name.startswith(("pq", "opq", "aware")) else 64 * size // 8 + name.startswith("rotated")
    assert codec.bytes == parse(name).bytes(64) == expected
    assert codec.encode(vectors[:5], codes[:5]).shape == (5, expected)
    lengths = np.linalg.norm(codec.decode(codes, codec.encode(vectors, codes)), axis=1)
    assert codec.normalised == (not name.startswith("aware"))
    assert np.allclose(lengths, 1, atol=1e-6) == codec.normalised


@pytest.mark.parametrize("family", FAMILIES)
def test_a_larger_code_loses_less(world, family):
    losses = [loss(world, f"{family}-{size}") for size in FAMILIES[family][1]]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("lloyd-1", "residual-1"),
        ("lloyd-2", "residual-2"),
        ("rotated-1", "residual-1"),
        ("rotated-2", "residual-2"),
        ("pq-8", "lloyd-1"),
        ("pq-16", "lloyd-2"),
        ("opq-8", "pq-8"),
    ],
)
def test_codecs_beyond_the_papers_lose_less_at_as_many_bytes_or_one_more(world, better, worse):
    assert loss(world, better) < loss(world, worse)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(NAMES), dim=st.sampled_from([32, 96]), vectors=st.sampled_from([0, 1, 40]), seed=st.integers(0, 99)
)
def test_decoding_equals_a_loop_over_vectors(name, dim, vectors, seed):
    centroids, heldout = unit(5, dim, seed), unit(30, dim, seed + 1)
    codec = fitted(name, centroids, heldout, assign(heldout, centroids), seed, heldout)
    some = unit(vectors, dim, seed + 2)
    codes = assign(some, centroids)
    packed = codec.encode(some.astype(np.float16), codes)
    decoded = codec.decode(codes, packed)
    for row, (code, values) in enumerate(zip(codes, packed, strict=True)):
        parts = np.concatenate([codec.codebook[place, values[place]] for place in range(len(codec.codebook))])
        gain = codec.gains[values[-1]] if len(codec.gains) else 1
        spread = codec.spreads[code].astype(np.float64) if name.startswith(WITH_SPREADS) else 1
        vector = codec.centroids[code].astype(np.float64) + gain * spread * parts
        length = np.linalg.norm(vector) if not name.startswith("aware") else 1
        np.testing.assert_allclose(decoded[row], vector / length, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_no_byte(world, name, threads, monkeypatch):
    vectors, codes, fitted = world
    expected = fitted[name].encode(vectors, codes)
    monkeypatch.setattr(codecs, "blocks", partial(codecs.blocks, size=700))
    np.testing.assert_array_equal(fitted[name].encode(vectors, codes, threads=threads), expected)


@pytest.mark.parametrize("name", NAMES)
def test_one_vector_is_enough_to_fit_on(name):
    one = unit(1, 32)
    codec = fitted(name, one, one, np.zeros(1, np.uint8), 0, one)
    decoded = codec.mapped_back(codec.decode(np.zeros(1, np.uint8), codec.encode(one, np.zeros(1, np.uint8))))
    assert float((decoded * one).sum()) > 0.999


@pytest.mark.parametrize("name", ["residual-2", "lloyd-1", "rotated-2", "opq-8"])
def test_a_saved_codec_loads_with_the_same_arrays(world, name, tmp_path):
    codec = world[2][name]
    codec.save(FolderWriter(tmp_path, "codec", 1))
    loaded = codecs.load(tmp_path)
    for table in ("centroids", *TABLES, SPREADS):
        np.testing.assert_array_equal(getattr(loaded, table), getattr(codec, table))
        assert getattr(loaded, table).dtype == (np.float16 if table == SPREADS else np.float32)


@pytest.mark.parametrize(("table", "shape"), [("map", (64, 32)), ("gains", (255,)), ("spreads", (63,))])
def test_tables_of_another_shape_are_refused(world, table, shape, tmp_path):
    codec = world[2]["rotated-1"]
    dataclasses.replace(codec, **{table: np.zeros(shape, np.float32)}).save(FolderWriter(tmp_path, "codec", 1))
    with pytest.raises(DamagedFileError, match=table):
        codecs.load(tmp_path)


def test_a_dim_that_the_bytes_do_not_divide_is_refused():
    with pytest.raises(SettingsError, match="dim 40 does not divide into 16 bytes; use a multiple of 16"):
        fitting.fit(parse("pq-16"), clusters(2, 40), unit(4, 40), np.zeros(4, np.int64), 0)


def test_a_codec_that_is_aware_of_queries_errs_less_in_their_products(world):
    vectors, codes, fitted = world
    errors = {}
    for name in ("opq-8", "aware-8"):
        codec = fitted[name]
        decoded = codec.decode(codes, codec.encode(vectors, codes))
        products = codec.mapped_queries(QUERIES) @ decoded.T
        errors[name] = float(((products - QUERIES @ vectors.T) ** 2).mean())
    assert errors["aware-8"] < 0.8 * errors["opq-8"]


def test_a_codec_that_needs_queries_is_not_fitted_without():
    with pytest.raises(SettingsError, match="codec 'aware-8' is fitted on vectors of training queries as well"):
        fitting.fit(parse("aware-8"), clusters(2, 32), unit(4, 32), np.zeros(4, np.int64), 0)


def test_queries_for_a_codec_that_would_not_look_at_them_are_refused():
    with pytest.raises(SettingsError, match="codec 'opq-8' is fitted on passages alone: it takes no vectors of queries"):
        fitting.fit(parse("opq-8"), clusters(2, 32), unit(4, 32), np.zeros(4, np.int64), 0, unit(2, 32))


def test_where_centroids_differ_in_spread_residuals_over_it_lose_less():
    rng = np.random.default_rng(8)
    centroids, codes = np.eye(32, dtype=np.float32), rng.integers(0, 32, 6000)
    wide = np.linspace(0.02, 0.6, 32)[codes][:, None]
    vectors = centroids[codes] + wide * unit(6000, 32, 3)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    even = Clusters(centroids, np.ones(32, np.float16))
    squares = np.bincount(codes, np.square(vectors - centroids[codes]).sum(axis=1)) / np.bincount(codes)
    known = Clusters(centroids, np.sqrt(squares / squares.mean()).astype(np.float16))
    errors = []
    for clusters in (known, even):
        codec = fitting.fit(parse("opq-8"), clusters, vectors, codes, 0)
        decoded = codec.mapped_back(codec.decode(codes, codec.encode(vectors, codes)))
        errors.append(float(np.square(decoded - vectors).sum(axis=1).mean()))
    assert errors[0] < 0.8 * errors[1]
