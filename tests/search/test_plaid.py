import numpy as np
import pytest

from bench.codec.int8_centroids import to_bytes
from bench.search.kernels.backends import open_kernels
from bench.search.plaid import Plaid
from tests.fixtures_index import KERNELS


@pytest.fixture(params=KERNELS)
def open_plaid(request):
    def make(index, ncells, threshold, ndocs):
        kernels = open_kernels(request.param, index)
        return Plaid(kernels, ncells=ncells, centroid_score_threshold=threshold, ndocs=ndocs)

    return make


def fixed_point(index, query):
    """Similarities ``[centroids, query vectors]``, query values counted in 16383ths of the largest; and what counts as 1."""
    values, scales = to_bytes(index.compressed.codec.centroids)
    step = float(np.abs(query).max()) / 16_383
    sums = values.astype(int) @ np.rint(query.T / step).astype(int)
    longest = float(np.linalg.norm(index.compressed.codec.centroids, axis=1).max())
    largest = max(1.0, longest, float(index.compressed.norm_levels[-1])) * float(np.linalg.norm(query, axis=1).max())
    return np.rint(sums * scales.astype(float)[:, None] * step * 32_000 / largest).astype(int), 32_000 / largest


def naive_interaction(index, passage, similarities, allowed):
    """The score of a passage with its vectors replaced by their centroids, over the allowed centroids only."""
    codes = index.compressed.codes[index.offsets[passage] : index.offsets[passage + 1]]
    codes = [code for code in codes if allowed[code]]
    if not codes:
        return -np.inf
    return sum(max(round_to_byte(similarities[code, part]) for code in codes) for part in range(similarities.shape[1]))


def round_to_byte(value):
    return int(np.floor(value / 256 + 0.5))


def naive_plaid(index, query, ncells, threshold, ndocs, scores, k):
    similarities, one = fixed_point(index, query)
    cells = {cell for column in similarities.T for cell in np.argsort(-column, kind="stable")[:ncells]}
    kept = [p for p in range(len(index)) if cells & set(index.compressed.codes[index.offsets[p] : index.offsets[p + 1]])]
    above = similarities.max(axis=1) >= threshold * one
    for allowed, count in ((above, ndocs), (np.ones(len(above), bool), ndocs // 4)):
        interaction = {p: naive_interaction(index, p, similarities, allowed) for p in kept}
        kept = sorted(kept, key=lambda p: (-interaction[p], index.ids[p]))[:count]
    return sorted(kept, key=lambda p: (-scores[p], index.ids[p]))[:k]


@pytest.mark.parametrize("ncells", [1, 3, 16])
@pytest.mark.parametrize("threshold", [-1.0, 0.2, 0.4, 0.6, 2.0])
@pytest.mark.parametrize("ndocs", [4, 16, 60])
def test_every_stage_keeps_what_a_loop_keeps(open_plaid, indexes, random_queries, naive_scores, ncells, threshold, ndocs):
    index, queries = indexes[4], random_queries(4, 3)
    for query, ranking in zip(queries, open_plaid(index, ncells, threshold, ndocs).search(queries, 6), strict=True):
        scores = naive_scores(index, query)
        assert ranking.passages.tolist() == naive_plaid(index, query, ncells, threshold, ndocs, scores, 6)
        np.testing.assert_allclose(ranking.scores, scores[ranking.passages], rtol=1e-5)


def test_a_centroid_is_pruned_as_a_whole_and_counts_for_all_query_vectors_once_near_one_of_them(open_plaid, basis_index):
    index = basis_index([[1], [0], [0], [0], [0]], ids=["b", "z", "y", "x", "w"])
    query = np.zeros((1, 2, 8), np.float32)
    query[0, :, 0] = [0.625, -0.875]
    query[0, :, 1] = [0.5, 0.25]
    for threshold, best, score in ((0.5, "b", 0.75), (0.5625, "w", -0.25)):
        ranking = open_plaid(index, 8, threshold, 4).search(query, 3)[0]
        assert [index.ids[passage] for passage in ranking.passages] == [best]
        assert ranking.scores.tolist() == [score]


def test_a_quarter_of_ndocs_is_scored(open_plaid, indexes, random_queries):
    for ndocs, found in ((4, 1), (11, 2), (40, 10), (1000, 25)):
        assert len(open_plaid(indexes[4], 16, -1.0, ndocs).search(random_queries(1, 4), 100)[0]) == found


def test_with_every_centroid_pruned_the_passages_are_kept_by_id(open_plaid, basis_index):
    index = basis_index([[0], [1], [0], [1], [0], [1], [0], [1]], ids=list("hgfedcba"))
    query = np.eye(8, dtype=np.float32)[None, :2]
    ranking = open_plaid(index, 8, 2.0, 4).search(query, 8)[0]
    assert [index.ids[passage] for passage in ranking.passages] == ["a"]


def test_only_passages_of_the_probed_cells_are_returned(open_plaid, basis_index):
    index = basis_index([[0], [1, 2], [0, 3], [4], [5, 0]])
    ranking = open_plaid(index, 1, 0.5, 400).search(np.eye(8, dtype=np.float32)[None, :1], 5)[0]
    assert sorted(ranking.passages.tolist()) == [0, 2, 4]
