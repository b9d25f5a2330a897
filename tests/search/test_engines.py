"""What every engine with token vectors does alike."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from bench.search.colbertv2 import ColBERTv2
from bench.search.exact import Exact, ExactKernels
from bench.search.kernels.backends import open_kernels
from bench.search.plaid import Plaid
from tests.fixtures_index import KERNELS

EVERYTHING = 10_000


def open_exact(index, kernels="cpu"):
    return ExactKernels(open_kernels(kernels, index))


def open_colbertv2(index, kernels="cpu", nprobe=EVERYTHING, ncandidates=EVERYTHING):
    return ColBERTv2(open_kernels(kernels, index), nprobe=nprobe, ncandidates=ncandidates)


def open_plaid(index, kernels="cpu", ncells=EVERYTHING, threshold=-1.0, ndocs=4 * EVERYTHING):
    return Plaid(open_kernels(kernels, index), ncells=ncells, centroid_score_threshold=threshold, ndocs=ndocs)


def open_decoded(index, kernels):
    """Exhaustive search by matrix products over the decoded vectors, which has no kernels to choose."""
    return Exact(index)


ENGINES = {"exact": open_exact, "colbertv2": open_colbertv2, "plaid": open_plaid}


CASES = [(name, kernels) for name in ENGINES for kernels in KERNELS]


@pytest.fixture(params=[*CASES, ("decoded", "")], ids="-".join)
def engine(request):
    name, kernels = request.param
    return partial(ENGINES.get(name, open_decoded), kernels=kernels)


@pytest.mark.parametrize("nbits", [1, 4])
@pytest.mark.parametrize("width", [1, 8, 33, 70])
def test_without_any_pruning_every_engine_equals_the_loop(
    engine, indexes, random_queries, naive_scores, assert_best, nbits, width
):
    queries = random_queries(2, width)
    for query, ranking in zip(queries, engine(indexes[nbits]).search(queries, 12), strict=True):
        assert_best(ranking, naive_scores(indexes[nbits], query), 12)


def test_without_any_pruning_every_engine_gives_the_ranking_of_exact(engine, indexes, random_queries):
    queries = random_queries(5, 8)
    found = engine(indexes[4]).search(queries, 25)
    for one, other in zip(Exact(indexes[4]).search(queries, 25), found, strict=True):
        np.testing.assert_array_equal(one.passages, other.passages)


@pytest.mark.parametrize("kernels", KERNELS)
def test_bounds_that_cut_nothing_equal_exact_too(indexes, random_queries, kernels):
    queries, index = random_queries(3, 6), indexes[4]
    centroids = len(index.compressed.codec.centroids)
    for found in (
        open_colbertv2(index, kernels, nprobe=centroids, ncandidates=len(index)).search(queries, 25),
        open_plaid(index, kernels, ncells=centroids, ndocs=4 * len(index)).search(queries, 25),
    ):
        for one, other in zip(Exact(index).search(queries, 25), found, strict=True):
            np.testing.assert_array_equal(one.passages, other.passages)


def test_a_k_beyond_the_corpus_returns_the_corpus(engine, indexes, random_queries):
    ranking = engine(indexes[4]).search(random_queries(1, 4), 1000)[0]
    assert sorted(ranking.passages.tolist()) == list(range(25))


@pytest.mark.parametrize("width", [6, 11])
def test_zero_vectors_of_a_query_change_no_score_wherever_they_stand(engine, indexes, random_queries, width):
    queries = random_queries(3, 6)
    padded = np.zeros((3, width, 16), np.float32)
    padded[0, :1], padded[1, :4], padded[2, width - 5 : width : 2] = queries[0, :1], queries[1, :4], queries[2, :3]
    alone = [queries[0, :1], queries[1, :4], queries[2, :3]]
    for query, ranking in zip(alone, engine(indexes[4]).search(padded, 25), strict=True):
        expected = engine(indexes[4]).search(query[None], 25)[0]
        np.testing.assert_array_equal(ranking.passages, expected.passages)
        np.testing.assert_allclose(ranking.scores, expected.scores, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("doclen", [1, 7])
def test_a_corpus_of_one_passage_is_found(engine, small_index, random_queries, naive_scores, tmp_path, doclen):
    index, query = small_index(tmp_path, [doclen], 2), random_queries(1, 5)
    ranking = engine(index).search(query, 10)[0]
    assert ranking.passages.tolist() == [0]
    np.testing.assert_allclose(ranking.scores, naive_scores(index, query[0]), rtol=1e-5)


def test_ties_are_ranked_by_passage_id_and_not_by_position_even_at_the_cut(engine, basis_index):
    index = basis_index([[0], [1], [0, 1], [1, 0], [0], [2]], ids=["f", "e", "d", "c", "b", "a"])
    query = np.eye(8, dtype=np.float32)[None, :2]
    found = [index.ids[passage] for passage in engine(index).search(query, 6)[0].passages]
    assert found == ["c", "d", "b", "e", "f", "a"]
    for k in range(1, 6):
        assert [index.ids[passage] for passage in engine(index).search(query, k)[0].passages] == found[:k]


def test_a_corpus_of_duplicates_has_one_centroid_and_is_ranked_by_passage_id(engine, basis_index):
    index = basis_index([[3]] * 5, ids=["10", "9", "2", "1", "30"])
    np.testing.assert_allclose(index.compressed.codec.centroids, [np.eye(8)[3]], atol=0.001)
    ranking = engine(index).search(np.eye(8, dtype=np.float32)[None, 2:5], 4)[0]
    assert [index.ids[passage] for passage in ranking.passages] == ["1", "10", "2", "30"]
    assert ranking.scores.tolist() == [1.0] * 4


def test_passages_with_the_same_vectors_have_the_same_score_and_are_ranked_by_id(
    engine, small_index, random_queries, tmp_path
):
    copies, vectors = 23, random_queries(1, 3, dim=128, seed=4)[0]
    ids = [f"{copies - number:02d}" for number in range(copies)]
    index = small_index(tmp_path, [3] * copies, 2, vectors=np.tile(vectors, (copies, 1)), ids=ids)
    for ranking in engine(index).search(random_queries(4, 9, dim=128), copies):
        assert len(set(ranking.scores.tolist())) == 1
        assert [index.ids[passage] for passage in ranking.passages] == sorted(ids)


def test_the_order_and_the_number_of_queries_change_no_ranking(engine, indexes, random_queries):
    queries = random_queries(4, 6)
    together = engine(indexes[4]).search(queries, 8)
    backwards = engine(indexes[4]).search(queries[::-1], 8)[::-1]
    alone = [engine(indexes[4]).search(query[None], 8)[0] for query in queries]
    for one, two, three in zip(together, backwards, alone, strict=True):
        assert one.passages.tolist() == two.passages.tolist() == three.passages.tolist()


IMPORTED = """
import sys
import numpy as np
from pathlib import Path
from bench.config.presets import parse
from bench.index.index import open_index
from bench.search.engines import open_engine
index = open_index(Path(sys.argv[1]))
for preset in (
    {"engine": "exact"},
    {"engine": "colbertv2", "nprobe": 2, "ncandidates": 64},
    {"engine": "plaid", "ncells": 2, "centroid_score_threshold": 0.4, "ndocs": 64},
    {"engine": "grouped", "groups": 4, "ngroups": 2, "nlists": 4, "nscored": 16, "margin": 0.2},
):
    engine = open_engine(parse(preset, "this test"), index)
    assert len(engine.search(np.eye(16, dtype=np.float32)[None, :4], 10)[0]) == 10
print({"torch", "transformers", "pandas"} & set(sys.modules))
"""


def test_no_engine_over_a_compressed_index_imports_a_library_that_takes_seconds(small_index, tmp_path):
    small_index(tmp_path, [3] * 30, 2)
    words = [sys.executable, "-c", IMPORTED, str(tmp_path / "index")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout == "set()\n", done.stderr
