"""Lists and norms by torch, here on its CPU, beside those of the compiled loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec import fitting, kmeans
from bench.codec.names import parse
from bench.files.storage import read_array
from bench.index import inverted, on_device
from bench.index.build import build_compressed
from bench.index.index import open_index
from bench.search.exact import ExactKernels
from bench.search.kernels.backends import open_kernels

CODECS = ("residual-2", "lloyd-1", "rotated-2", "pq-8", "opq-8")


def written(parts, centroids, folder):
    inverted.write(parts, centroids, folder / "lists.npy", folder / "offsets.npy")
    return read_array(folder / "lists.npy"), read_array(folder / "offsets.npy")


@settings(deadline=None)
@given(
    shards=st.lists(st.lists(st.integers(1, 9), max_size=30), min_size=1, max_size=3),
    centroids=st.integers(1, 12),
    at_once=st.sampled_from([1, 7, 10_000]),
    seed=st.integers(0, 99),
)
def test_lists_are_those_of_the_compiled_loops(tmp_path_factory, shards, centroids, at_once, seed):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(centroids, size=sum(lengths)).astype(np.uint16) for lengths in shards]
    parts = [(code, np.array(lengths, np.int32)) for code, lengths in zip(codes, shards, strict=True)]
    lists, offsets = written(parts, centroids, tmp_path_factory.mktemp("lists"))
    found, ends = on_device.lists(parts, centroids, "cpu", at_once)
    np.testing.assert_array_equal(found, lists)
    np.testing.assert_array_equal(inverted.narrow(ends), offsets)
    assert inverted.narrow(ends).dtype == offsets.dtype


def test_gaps_of_one_to_four_bytes_are_those_of_the_compiled_loops(tmp_path):
    doclens = np.ones(2_200_000, np.int32)
    codes = np.ones(len(doclens), np.uint8)
    codes[[0, 127, 128, 257, 258 + 16_384, 2_199_999]] = 0
    lists, offsets = written([(codes, doclens)], 3, tmp_path)
    found, ends = on_device.lists([(codes, doclens)], 3, "cpu")
    np.testing.assert_array_equal(found, lists)
    assert ends.tolist() == offsets.tolist() == [0, 1 + 1 + 1 + 2 + 3 + 4, len(lists), len(lists)]


@pytest.fixture(scope="module")
def vectors():
    made = np.random.default_rng(3).standard_normal((900, 16)).astype(np.float32)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


@pytest.mark.parametrize("codec", CODECS)
def test_norms_are_those_of_decoding_and_an_index_has_the_rankings_of_one_that_the_cpu_made(vectors, codec, tmp_path):
    name = parse(codec, "this test")
    clusters = kmeans.clusters(vectors, 16, seed=0, iterations=2)
    codes = clusters.assign(vectors, None, threads=1)
    fitted = fitting.fit(name, clusters, vectors, codes, 0, None, threads=1)
    residuals = fitted.encode(vectors, codes)
    found = np.concatenate(list(on_device.norms(fitted, codes, residuals, "cpu")))
    np.testing.assert_allclose(found, fitted.norms(codes, residuals), rtol=1e-6)
    rankings = []
    for device in ("cpu", "elsewhere"):
        with pytest.MonkeyPatch.context() as patch:
            for function in ("lists", "norms"):
                real = getattr(on_device, function)
                patch.setattr(on_device, function, lambda *words, real=real: real(*words[:-1], "cpu"))
            folder, ids = tmp_path / device, [f"p{number}" for number in range(90)]
            build_compressed(folder, [np.full(90, 10, np.int32)], [codes], [residuals], fitted, ids, device, settings={})
        index = open_index(folder)
        queries = np.random.default_rng(5).standard_normal((6, 4, 16)).astype(np.float32)
        rankings.append(ExactKernels(open_kernels("cpu", index)).search(queries, 20))
        rankings[-1].append(index.compressed.norms.astype(int))
    *ours, levels = rankings[0]
    *theirs, other = rankings[1]
    assert np.abs(levels - other).max() <= 1
    for one, two in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.passages, two.passages)
