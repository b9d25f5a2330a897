"""The compiled kernels against the reference, over indexes of every shape."""

import dataclasses
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bench
from bench.codec import rotated
from bench.codec.codec import Codec
from bench.codec.fitting import fit_residual
from bench.codec.int8_centroids import rounded
from bench.codec.nearest import code_dtype
from bench.index.build import build_compressed
from bench.index.index import Index, open_index
from bench.index.shards import open_shard, write_shard
from bench.search.colbertv2 import ColBERTv2
from bench.search.exact import ExactKernels
from bench.search.kernels import cpu
from bench.search.kernels.backends import open_kernels
from bench.search.plaid import Plaid
from tests.fixtures_index import KERNELS


def unit(rng, rows, dim):
    made = rng.standard_normal((rows, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def learned(rng, centroids, shape):
    """A codec with a random codebook, as product quantization would fit one."""
    dim = centroids.shape[1]
    codebook = shape.spread * rng.standard_normal((shape.bytes, 256, dim // shape.bytes)).astype(np.float32)
    options = {"map": rotated.rotation(dim, 1)} if shape.rotated or shape.stretched else {}
    if shape.stretched:
        options["map"] = options["map"] * np.linspace(0.5, 2, dim, dtype=np.float32)
    if shape.gains:
        options["gains"] = np.linspace(0, 1.5, 256, dtype=np.float32)
    if shape.spreads:
        options["spreads"] = rng.uniform(0.1, 3, len(centroids)).astype(np.float16)
    return Codec(centroids, codebook, **options)


@dataclass(frozen=True)
class Shape:
    """nbits of the paper's codec, or a learned codebook of that many bytes; passages of 1 to ``longest`` vectors."""

    dim: int
    nbits: int | None = None
    bytes: int | None = None
    centroids: int = 40
    passages: int = 60
    longest: int = 9
    spread: float = 0.05
    rotated: bool = False
    stretched: bool = False
    gains: bool = False
    spreads: bool = False

    def build(self, folder, seed):
        """Half of the centroids have no vector, and every third passage is a copy of an earlier one."""
        rng = np.random.default_rng(seed)
        centroids = rounded(unit(rng, self.centroids, self.dim))
        lengths = rng.integers(1, self.longest + 1, self.passages)
        codes = [rng.integers(0, self.centroids // 2 + 1, length).astype(code_dtype(self.centroids)) for length in lengths]
        near = [centroids[code] + 0.5 * unit(rng, len(code), self.dim) for code in codes]
        if self.nbits is not None:
            codec = fit_residual(centroids, np.concatenate(near), np.concatenate(codes), self.nbits)
            residuals = [codec.encode(part, code) for part, code in zip(near, codes, strict=True)]
        else:
            codec = learned(rng, centroids, self)
            residuals = [rng.integers(0, 256, (len(code), codec.bytes), np.uint8) for code in codes]
        for passage in range(2, self.passages, 3):
            copied = int(rng.integers(0, passage))
            codes[passage], residuals[passage] = codes[copied], residuals[copied]
        return coded_index(folder, codec, codes, residuals, rng.permutation(self.passages))


def coded_index(folder, codec, codes, residuals, order):
    """An index of passages with the given codes and residuals; the vectors of its shard are not looked at."""
    doclens = [len(code) for code in codes]
    write_shard(folder / "shard", np.zeros((sum(doclens), codec.dim)), np.array(doclens))
    parts = [np.concatenate(codes)], [np.concatenate(residuals)]
    ids = [f"p{number:03d}" for number in order]
    build_compressed(folder / "index", [open_shard(folder / "shard").doclens], *parts, codec, ids, settings={})
    return open_index(folder / "index")


SHAPES = [
    Shape(32, nbits=1),
    Shape(96, nbits=2, passages=25, longest=30),
    Shape(128, nbits=2, centroids=200, passages=150, longest=3),
    Shape(64, nbits=4, longest=1),
    Shape(256, nbits=4, passages=12),
    Shape(32, nbits=8, centroids=1),
    Shape(128, nbits=1, passages=1, longest=1),
    Shape(8, bytes=2),
    Shape(80, bytes=5),
    Shape(33, bytes=11, spread=0.5),
    Shape(128, bytes=8, spread=0.3),
    Shape(128, bytes=16, rotated=True),
    Shape(64, bytes=32, gains=True, rotated=True),
    Shape(48, bytes=6, gains=True, longest=30, passages=25),
    Shape(33, bytes=11, spread=0.5, gains=True),
    Shape(128, bytes=8, stretched=True),
    Shape(32, bytes=4, stretched=True, gains=True, spread=0.3),
    Shape(128, bytes=16, rotated=True, spreads=True),
    Shape(33, bytes=11, spread=0.5, spreads=True, longest=30, passages=25),
    Shape(64, bytes=8, stretched=True, spreads=True, spread=0.3),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The index of a shape, built once."""
    built: dict[Shape, Index] = {}

    def index(shape):
        if shape not in built:
            built[shape] = shape.build(tmp_path_factory.mktemp("world"), seed=len(built))
        return built[shape]

    return index


def draw_queries(data, dim, count=2):
    """Queries of up to 70 vectors, some of them zeros, of different lengths."""
    width, seed = data.draw(st.sampled_from([1, 15, 16, 17, 32, 33, 64, 70])), data.draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    queries = np.stack([unit(rng, width, dim) for _ in range(count)])
    queries *= np.float32(data.draw(st.sampled_from([1, 1e-4, 50])))
    if data.draw(st.booleans()):
        queries *= rng.uniform(0.1, 3, (count, width, 1)).astype(np.float32)
    queries[:, rng.random(width) < data.draw(st.sampled_from([0, 0.3]))] = 0
    queries[~queries.any(axis=(1, 2)), 0] = 1
    return queries


def is_stretched(codec):
    return len(codec.map) > 0 and abs(np.linalg.norm(codec.map[:, 0]) - 1) > 0.1


def true_scores(index, query, met=None):
    """Equation 1 in double precision over the vectors that codes and residuals stand for; -inf for passages not met."""
    compressed, codec = index.compressed, index.compressed.codec
    sub_vectors = np.arange(len(codec.codebook))
    entries = codec.codebook.astype(np.float64)[sub_vectors, compressed.residuals[:, sub_vectors]]
    gains = codec.gains.astype(np.float64)[compressed.residuals[:, -1:]] if len(codec.gains) else 1
    gains = codec.spreads.astype(np.float64)[compressed.codes][:, None] if len(codec.spreads) else gains
    vectors = codec.centroids.astype(np.float64)[compressed.codes] + gains * entries.reshape(-1, codec.dim)
    wide = query.astype(np.float64)
    if len(codec.map):
        wide = wide @ np.linalg.inv(codec.map.astype(np.float64)).T
    products = vectors @ wide.T / (1 if is_stretched(codec) else np.linalg.norm(vectors, axis=1, keepdims=True))
    if met is not None:
        products[~met[compressed.codes]] = -np.inf
    ends = index.offsets[1:]
    return np.array(
        [products[end - length : end].max(axis=0).sum() for end, length in zip(ends, index.doclens, strict=True)]
    )


def assert_same(found, expected, truth, scale):
    """The same scores at every rank, and the same passages but for those whose own scores hardly differ."""
    assert len(found) == len(expected)
    assert len(set(found.passages.tolist())) == len(found)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5, atol=1e-6 * scale)
    swapped = found.passages != expected.passages
    assert (np.abs(truth[found.passages[swapped]] - truth[expected.passages[swapped]]) < 1e-4 * scale).all()


def coarse(kernels, query, passages, met=None):
    """The scores that decide which passages are scored in float32."""
    return kernels._coarse(query, passages, (np.ones(0, bool), True) if met is None else (met, False)).astype(np.float64)


def length(query):
    return float(np.linalg.norm(query, axis=1).sum())


@settings(max_examples=20, deadline=None, derandomize=True)
@given(shape=st.sampled_from(SHAPES), data=st.data())
def test_every_kernel_gives_what_the_reference_gives(world, shape, data):
    index = world(shape)
    fast, plain = open_kernels("cpu", index), open_kernels("reference", index)
    vectors = draw_queries(data, shape.dim)[0]
    vectors = vectors[vectors.any(axis=1)]
    query, expected = fast.open(vectors), plain.open(vectors)
    for nprobe in (1, 2, 7, 1000):
        probed = plain.nearest(expected, nprobe)
        np.testing.assert_array_equal(fast.nearest(query, nprobe), probed)
    probed = plain.nearest(expected, data.draw(st.integers(1, 3)))
    passages = plain.candidates(probed)
    np.testing.assert_array_equal(fast.candidates(probed), passages)
    nearest = np.sort(expected.fixed.max(axis=1))
    for threshold in (None, *nearest[[0, len(nearest) // 2, -1]] / expected.scale, 1e9):
        np.testing.assert_array_equal(
            fast.interaction(query, passages, threshold), plain.interaction(expected, passages, threshold)
        )
    for met in (None, probed):
        truth = true_scores(index, vectors, met)
        for k in (1, 5, len(passages) + 3):
            ranking = fast.best(query, passages, k, met)
            assert_same(ranking, plain.best(expected, passages, k, met), truth, length(vectors))
            assert_same(ranking, ranking, truth, length(vectors))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(shape=st.sampled_from(SHAPES), norm=st.sampled_from([1, 1e-33, 1e-12, 1e6, 1e18, 1e30]), data=st.data())
def test_a_rounded_score_is_never_farther_from_the_true_one_than_its_error(world, shape, norm, data):
    index = world(shape)
    fast = open_kernels("cpu", index)
    vectors = draw_queries(data, shape.dim)[0]
    vectors = vectors[vectors.any(axis=1)] * np.float32(norm)
    query = fast.open(vectors)
    met = fast.nearest(query, 2) if data.draw(st.booleans()) else None
    passages = np.arange(len(index)) if met is None else fast.candidates(met)
    truth = true_scores(index, vectors, met)[passages]
    assert fast.bounded
    assert np.abs(coarse(fast, query, passages, met) - truth).max(initial=0) <= query.error
    ranking = fast.best(query, passages, 5, met)
    best = np.sort(truth)[::-1][: len(ranking)]
    np.testing.assert_allclose(ranking.scores, best, rtol=1e-5, atol=1e-6 * length(vectors.astype(np.float64)))


@pytest.mark.parametrize(("number_of_bytes", "dim"), [(1, 16), (2, 32), (3, 48)])
def test_residuals_longer_than_every_decoded_vector_are_scored_right(tmp_path, number_of_bytes, dim):
    rng = np.random.default_rng(number_of_bytes)
    centroids = rounded(unit(rng, 3, dim))
    codebook = 0.01 * rng.standard_normal((number_of_bytes, 256, dim // number_of_bytes)).astype(np.float32)
    codebook[:, 7] = -1.95 * centroids[1].reshape(number_of_bytes, -1)
    codes, residuals = rng.integers(0, 3, 30).astype(np.uint8), rng.integers(8, 256, (30, number_of_bytes), np.uint8)
    codes[::4], residuals[::4] = 1, 7
    codec = Codec(centroids, codebook)
    index = coded_index(
        tmp_path, codec, [codes[n : n + 1] for n in range(30)], [residuals[n : n + 1] for n in range(30)], range(30)
    )
    fast = open_kernels("cpu", index)
    for sign in (1, -1):
        vectors = sign * centroids[[1, 1, 0]] + 0.01 * unit(rng, 3, dim)
        query = fast.open(vectors)
        truth = true_scores(index, vectors)
        assert np.abs(coarse(fast, query, np.arange(30)) - truth).max() <= query.error
        np.testing.assert_allclose(fast.best(query, np.arange(30), 5).scores, np.sort(truth)[::-1][:5], rtol=1e-5)


CACHED = """
import sys
from pathlib import Path
import numpy as np
import bench
from bench.index.index import open_index
from bench.search.kernels.backends import open_kernels
from bench.search.plaid import Plaid
engine = Plaid(open_kernels("cpu", open_index(Path(sys.argv[1]))), ncells=1, centroid_score_threshold=0.1, ndocs=20)
print(engine.search(np.ones((1, 2, 32), np.float32), 3)[0].passages.tolist())
print(bench.__path__[0])
"""


@pytest.mark.slow
def test_a_second_process_compiles_nothing_even_in_another_clone(tmp_path):
    SHAPES[0].build(tmp_path, seed=0)
    source = Path(bench.__path__[0])
    clone = tmp_path / "clone"
    shutil.copytree(source, clone / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    printed, compiled = [], []
    for tree in (source.parent, clone):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tree)}
        command = [sys.executable, "-c", CACHED, str(tmp_path / "index")]
        done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
        printed.append(done.stdout.splitlines())
        compiled.append({path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nbc")})
    assert [Path(lines[1]) for lines in printed] == [source, clone / "bench"]
    assert printed[0][0] == printed[1][0] != ""
    assert compiled[0] == compiled[1]
    assert any("fine" in name for name in compiled[0])


def engines(index, kernels, threads=1):
    opened = open_kernels(kernels, index, threads)
    return {
        "exact": ExactKernels(opened),
        "colbertv2": ColBERTv2(opened, nprobe=2, ncandidates=20),
        "plaid": Plaid(opened, ncells=2, centroid_score_threshold=0.2, ndocs=40),
    }


@pytest.mark.parametrize("name", ["exact", "colbertv2", "plaid"])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(shape=st.sampled_from(SHAPES), k=st.sampled_from([1, 10, 1000]), data=st.data())
def test_an_engine_ranks_alike_with_both_kernels(world, name, shape, k, data):
    index, queries = world(shape), draw_queries(data, shape.dim)
    fast, plain = (engines(index, kernels)[name].search(queries, k) for kernels in KERNELS)
    for query, found, expected in zip(queries, fast, plain, strict=True):
        assert_same(found, expected, true_scores(index, query), length(query))


@pytest.mark.parametrize("name", ["exact", "colbertv2", "plaid"])
@pytest.mark.parametrize("shape", SHAPES[1:3])
def test_threads_batches_and_shared_out_passages_change_no_bit(world, monkeypatch, name, shape):
    index, queries = world(shape), np.stack([unit(np.random.default_rng(seed), 20, shape.dim) for seed in range(5)])
    expected = engines(index, "cpu")[name].search(queries, 10)
    monkeypatch.setattr(cpu, "WORTH_SHARING", {"interaction": 1, "scoring": 1})
    for threads in (1, 2, 3):
        engine = engines(index, "cpu", threads)[name]
        for rankings in (engine.search(queries, 10), [engine.search(query[None], 10)[0] for query in queries]):
            for ranking, other in zip(expected, rankings, strict=True):
                assert ranking.passages.tolist() == other.passages.tolist()
                assert ranking.scores.tobytes() == other.scores.tobytes()


@pytest.mark.parametrize("name", ["exact", "colbertv2", "plaid"])
def test_copies_of_a_passage_have_the_same_score_and_are_ranked_by_id(world, name):
    shape = SHAPES[0]
    index, query = world(shape), unit(np.random.default_rng(8), 40, shape.dim)
    ranking = engines(index, "cpu")[name].search(query[None], 1000)[0]
    ties = np.diff(ranking.scores) == 0
    ids = [index.ids[passage] for passage in ranking.passages]
    assert ties.sum() >= 2
    assert all(ids[place] < ids[place + 1] for place in np.flatnonzero(ties))


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", ["exact", "colbertv2", "plaid"])
def test_the_type_and_the_layout_of_queries_change_nothing(world, name, kernels):
    shape = SHAPES[1]
    queries = np.stack([unit(np.random.default_rng(seed), 20, shape.dim) for seed in range(3)])
    engine = engines(world(shape), kernels)[name]
    read_only, every_other = queries.copy(), np.zeros((6, 40, 2 * shape.dim), np.float32)
    read_only.flags.writeable = False
    every_other[::2, ::2, ::2] = queries
    others = [read_only, every_other[::2, ::2, ::2], np.asfortranarray(queries), queries.astype(np.float64)]
    expected = engine.search(queries, 10)
    for other in others:
        for ranking, found in zip(expected, engine.search(other, 10), strict=True):
            assert ranking.passages.tolist() == found.passages.tolist()
            assert ranking.scores.tobytes() == found.scores.tobytes()


@pytest.mark.parametrize("kind", ["mapped", "written"])
def test_arrays_may_be_memory_mapped_or_in_memory(world, kind):
    shape = SHAPES[1]
    index = world(shape)
    names = ("codes", "residuals", "norms", "lists")
    arrays = {name: np.array(getattr(index.compressed, name)) for name in names}
    if kind == "mapped":
        arrays = {name: getattr(index.compressed, name).base for name in names}
        assert all(isinstance(array, np.memmap) for array in arrays.values())
    other = dataclasses.replace(index, compressed=dataclasses.replace(index.compressed, **arrays))
    queries = unit(np.random.default_rng(1), 20, shape.dim)[None]
    for name in ("exact", "colbertv2", "plaid"):
        expected, found = (engines(one, "cpu")[name].search(queries, 10)[0] for one in (index, other))
        assert expected.passages.tolist() == found.passages.tolist()
        assert expected.scores.tobytes() == found.scores.tobytes()


@pytest.mark.parametrize("kernels", KERNELS)
def test_no_passages_have_no_scores(world, kernels):
    opened, nothing = open_kernels(kernels, world(SHAPES[1])), np.empty(0, np.int64)
    query = opened.open(unit(np.random.default_rng(0), 20, SHAPES[1].dim))
    assert len(opened.best(query, nothing, 5)) == 0
    assert opened.interaction(query, nothing).shape == opened.interaction(query, nothing, 0.5).shape == (0,)
    assert opened.candidates(np.zeros(SHAPES[1].centroids, bool)).tolist() == []


def test_codes_may_take_two_bytes(tmp_path):
    shape = dataclasses.replace(SHAPES[2], centroids=300)
    index = shape.build(tmp_path, seed=1)
    assert index.compressed.codes.dtype == np.uint16
    queries = unit(np.random.default_rng(1), 20, shape.dim)[None]
    for name in ("exact", "colbertv2", "plaid"):
        found, expected = (engines(index, kernels)[name].search(queries, 10)[0] for kernels in KERNELS)
        assert_same(found, expected, true_scores(index, queries[0]), 20)


def test_a_centroid_that_rounding_made_longer_is_not_more_similar_than_fixed_point_can_say(tmp_path):
    rng, dim = np.random.default_rng(0), 128
    longer = np.array([127] + [11.53] * 127, np.float32)  # of which 11.53 are rounded to 12
    centroids = rounded(np.stack([longer / np.linalg.norm(longer), *unit(rng, 3, dim) / 2]))
    assert np.linalg.norm(centroids, axis=1).max() > 1.02
    codes, residuals = (
        [np.array([number % 4], np.uint8) for number in range(12)],
        rng.integers(0, 256, (12, 1, 16), np.uint8),
    )
    shrinking = np.zeros((16, 256, 8), np.float32)
    shrinking -= 0.03 * centroids[0].reshape(16, 1, 8)
    index = coded_index(tmp_path, Codec(centroids, shrinking), codes, list(residuals), range(12))
    vectors = (centroids[:1] / np.linalg.norm(centroids[0])).astype(np.float32)
    for kernels in KERNELS:
        opened = open_kernels(kernels, index)
        query = opened.open(vectors)
        assert np.flatnonzero(opened.nearest(query, 1)).tolist() == [0]
        scores = opened.interaction(query, np.arange(12))
        assert scores.argmax() % 4 == 0
        assert 120 <= scores.max() <= 127


def test_vectors_that_decode_to_nothing_or_nearly_so_are_scored_like_the_reference(tmp_path):
    rng = np.random.default_rng(0)
    centroids = rounded(unit(rng, 3, 32))
    codec = learned(rng, centroids, Shape(32, bytes=4, spread=0.1))
    codec.codebook[:, 0] = -centroids[1].reshape(4, 8)
    codec.codebook[:, 1] = np.float32(-1 + 1e-4) * centroids[1].reshape(4, 8)
    codes = [rng.integers(0, 3, 3).astype(np.uint8) for _ in range(20)]
    residuals = [rng.integers(2, 256, (3, 4), np.uint8) for _ in range(20)]
    for passage in (0, 3, 4):
        codes[passage][:2], residuals[passage][:2] = 1, [[0] * 4, [1] * 4]
    codes[7][:], residuals[7][:] = 1, 0
    index = coded_index(tmp_path, codec, codes, residuals, range(20))
    assert index.compressed.norm_levels[0] == 0
    for width in (1, 20):
        vectors = unit(rng, width, 32) * np.float32(1e5)
        fast, plain = (open_kernels(name, index) for name in KERNELS)
        assert not fast.bounded
        expected = plain.best(plain.open(vectors), np.arange(20), 20)
        found = fast.best(fast.open(vectors), np.arange(20), 20)
        truth = np.zeros(20, np.float32)
        truth[expected.passages] = expected.scores
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-3)
        np.testing.assert_allclose(found.scores, truth[found.passages], rtol=1e-3)
        assert found.scores[found.passages == 7].tolist() == [0]


@pytest.mark.parametrize("k", [1, 10])
def test_the_best_of_passages_that_differ_by_less_than_rounding_are_found(tmp_path, k):
    rng = np.random.default_rng(0)
    codec = learned(rng, rounded(unit(rng, 1, 32)), Shape(32, bytes=4, spread=1e-5))
    codes = [np.zeros(1, np.uint8) for _ in range(400)]
    index = coded_index(tmp_path, codec, codes, list(rng.integers(0, 256, (400, 1, 4), np.uint8)), range(400))
    vectors = codec.centroids + 0.3 * unit(rng, 5, 32)
    truth = true_scores(index, vectors)
    fast = open_kernels("cpu", index)
    assert 0 < np.ptp(truth) < 0.01
    found = fast.best(fast.open(vectors), np.arange(400), k)
    np.testing.assert_allclose(truth[found.passages], np.sort(truth)[::-1][:k], rtol=3e-7)


def test_a_query_all_of_whose_values_are_rounded_the_same_way_stays_within_the_error(tmp_path):
    rng, step = np.random.default_rng(0), 1 / 16_383
    codec = learned(rng, rounded(unit(rng, 4, 32)), Shape(32, bytes=1, spread=0))
    index = coded_index(tmp_path, codec, [np.zeros(1, np.uint8)], [np.zeros((1, 1), np.uint8)], range(1))
    vectors = (0.499 * step * np.sign(codec.centroids[:1])).astype(np.float32)
    vectors[0, 0] = np.sign(codec.centroids[0, 0])
    fast = open_kernels("cpu", index)
    query = fast.open(vectors)
    off = abs(coarse(fast, query, np.arange(1)) - true_scores(index, vectors))[0]
    assert 0.4 * step * np.abs(codec.centroids[0, 1:]).sum() < off <= query.error
