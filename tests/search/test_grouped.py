"""The engine ``grouped``: against a loop over passages, and its kernels against the reference, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import presets
from bench.errors import SettingsError
from bench.search.engines import open_engine
from bench.search.grouped import Grouped
from bench.search.kernels import cpu
from bench.search.kernels.backends import open_grouped
from bench.search.kernels.base import rounded_codebook
from bench.search.kernels.grouped_cpu import LANES_IN_16_BITS
from bench.search.kernels.groups import find
from tests.fixtures_index import KERNELS
from tests.search.test_cpu import SHAPES, draw_queries, world  # noqa: F401

EVERYTHING = {"ngroups": 10_000, "nlists": 10_000, "nscored": 10_000, "margin": 1e9}
VALUES = {"engine": "grouped", "groups": 8, "ngroups": 2, "nlists": 4, "nscored": 12, "margin": 0.1}


@pytest.fixture(params=KERNELS)
def open_one(request):
    def make(index, groups=4, threads=1, **values):
        found = find(index.compressed.codec, groups)
        return Grouped(open_grouped(request.param, index, threads), found, **{**EVERYTHING, **values})

    return make


@settings(max_examples=30, deadline=None, derandomize=True)
@given(shape=st.sampled_from(SHAPES), data=st.data())
def test_every_kernel_gives_what_the_reference_gives(world, shape, data):  # noqa: F811
    index = world(shape)
    groups = find(index.compressed.codec, data.draw(st.integers(1, min(9, shape.centroids))))
    fast, plain = open_grouped("cpu", index), open_grouped("reference", index)
    vectors = draw_queries(data, shape.dim)[0]
    vectors = vectors[vectors.any(axis=1)]
    query, expected = fast.opened(vectors), plain.opened(vectors)
    ngroups, nlists = data.draw(st.sampled_from([1, 2, 100])), data.draw(st.sampled_from([1, 3, 1000]))
    near = plain.near(expected, groups, ngroups)
    np.testing.assert_array_equal(fast.near(query, groups, ngroups), near)
    gathered = plain.gathered(expected, near, nlists)
    np.testing.assert_array_equal(fast.gathered(query, near, nlists), gathered)
    assert gathered.max() >= 0
    for wanted in (1, 3, 1000):
        (passages, count), (truth, same) = (kernels.strongest(gathered, wanted) for kernels in (fast, plain))
        np.testing.assert_array_equal(passages, truth)
        assert count == same
    margin = data.draw(st.sampled_from([0, 0.05, 0.3, 10]))
    for passages in (np.flatnonzero(gathered), np.arange(len(index))[::2], np.arange(0)):
        (scores, one), (truth, same) = fast.scored(query, passages, margin), plain.scored(expected, passages, margin)
        np.testing.assert_array_equal(scores, truth)
        assert one == same


@pytest.mark.parametrize("lanes", [LANES_IN_16_BITS, LANES_IN_16_BITS + 1, 600])
def test_queries_of_hundreds_of_vectors_are_gathered_as_by_the_reference(indexes, lanes):
    index = indexes[4]
    fast, plain = open_grouped("cpu", index), open_grouped("reference", index)
    vectors = np.tile(np.random.default_rng(0).standard_normal(index.compressed.codec.dim), (lanes, 1)).astype(np.float32)
    every = np.arange(len(index.compressed.codec.centroids))
    query, expected = fast.opened(vectors), plain.opened(vectors)
    fast.near(query, find(index.compressed.codec, 1), 1)
    found = fast.gathered(query, every, len(every))
    np.testing.assert_array_equal(found, plain.gathered(expected, every, len(every)))
    assert found.max() > lanes * 100  # the sums are as large as they can be, about


def test_without_any_limit_it_gives_the_passages_and_scores_of_exact_search(open_one, indexes, random_queries, naive_scores):
    index, queries = indexes[4], random_queries(4, 9)
    for query, ranking in zip(queries, open_one(index).search(queries, 25), strict=True):
        scores = naive_scores(index, query)
        np.testing.assert_allclose(ranking.scores, scores[ranking.passages], atol=0.02)
        assert sorted(ranking.passages.tolist()) == list(range(25))
        assert (np.diff(ranking.scores) <= 0).all()


def test_a_passage_gets_its_best_list_of_each_query_vector_and_just_less_than_the_last_list_if_it_is_in_none(
    open_one, basis_index
):
    index = basis_index([[0], [1], [2], [0, 1], [3], [4]])
    query = np.zeros((2, 8), np.float32)
    query[0, :5] = [0.6, 0.4, 0.3, 0.2, 0.1]
    query[1, :5] = [0.0, 0.5, 0.2, -0.2, -0.5]
    engine = open_one(index, groups=5)
    opened = engine.kernels.opened(query)
    near = engine.kernels.near(opened, engine.groups, 5)
    similar = np.floor(query[:, [0, 1, 2]] / np.linalg.norm(query, axis=1).max() * 32_000 / 256 + 0.5).astype(int)
    (zero, one, two), (other_zero, other_one, other_two) = similar  # the second vector reads the lists of 1 and 2 alone
    assert other_zero < other_two
    expected = [
        zero - one + 1,
        1 + other_one - other_two + 1,
        1,
        zero - one + 1 + other_one - other_two + 1,
        0,
        0,
    ]
    found = engine.kernels.gathered(opened, near, 2)
    np.testing.assert_allclose(found, expected, atol=1)
    assert (found[[4, 5]] == 0).all()
    assert two < one


def test_only_passages_of_the_lists_that_are_read_are_returned(open_one, basis_index):
    index = basis_index([[0], [1, 2], [0, 3], [4], [5, 0]])
    ranking = open_one(index, groups=6, ngroups=1, nlists=1).search(np.eye(8, dtype=np.float32)[None, :1], 5)[0]
    assert sorted(ranking.passages.tolist()) == [0, 2, 4]


def test_groups_that_are_not_near_hide_their_passages(open_one, basis_index):
    index = basis_index([[0], [1], [2], [3]])
    query = np.array([[[0.6, 0.5, 0.4, 0.3, 0, 0, 0, 0]]], np.float32)
    assert len(open_one(index, groups=4, ngroups=4).search(query, 4)[0]) == 4
    assert open_one(index, groups=4, ngroups=2).search(query, 4)[0].passages.tolist() == [0, 1]


def test_vectors_far_below_the_best_centroid_are_left_out(open_one, small_index, tmp_path):
    """The passage's second vector is nearer to the query than its centroid says; its first one is farther."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((40, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = small_index(tmp_path, [8] * 5, 4, vectors=vectors, centroids=6)
    queries = rng.standard_normal((6, 3, 16)).astype(np.float32)
    whole, narrow = (open_one(index, groups=3, margin=margin).search(queries, 5) for margin in (10, 0))
    lost = [all_.scores.sum() - some.scores.sum() for all_, some in zip(whole, narrow, strict=True)]
    assert min(lost) >= 0
    assert max(lost) > 0.05


def test_the_passages_with_the_best_lists_are_scored(open_one, indexes, random_queries):
    for nscored in (1, 7, 25):
        assert len(open_one(indexes[4], nscored=nscored).search(random_queries(1, 4), 100)[0]) == nscored


@pytest.mark.parametrize("passages", [1, 3])
def test_k_beyond_the_collection_gives_the_collection(open_one, small_index, tmp_path, passages):
    index = small_index(tmp_path, [2] * passages, 2, centroids=2)
    ranking = open_one(index, groups=1).search(np.ones((1, 3, 16), np.float32), 10)[0]
    assert sorted(ranking.passages.tolist()) == list(range(passages))


def test_lists_may_be_empty(open_one, world):  # noqa: F811
    index = world(SHAPES[0])  # half of its centroids have no vector
    sizes = np.diff(index.compressed.list_offsets.astype(np.int64))
    assert (sizes == 0).sum() >= 10
    values = {"groups": 8, "ngroups": 1, "nlists": 1}
    for centroid in np.flatnonzero(sizes == 0)[:3]:
        query = index.compressed.codec.centroids[centroid][None, None]
        assert len(open_one(index, **values).search(query, 5)[0]) == 0


def test_threads_change_no_bit(indexes, random_queries, world):  # noqa: F811
    for index, dim in ((indexes[4], 16), (world(SHAPES[2]), 128)):
        queries = random_queries(7, 20, dim)
        found = [
            open_engine(presets.parse(VALUES, "test"), index, threads=threads).search(some, 12)
            for threads in (1, 3)
            for some in (queries, queries[:1])
        ]
        for one, three in ((found[0], found[2]), (found[1], found[3]), (found[0][:1], found[3])):
            for left, right in zip(one, three, strict=True):
                np.testing.assert_array_equal(left.passages, right.passages)
                np.testing.assert_array_equal(left.scores, right.scores)


def test_a_single_query_is_shared_between_threads(indexes, random_queries, monkeypatch):
    monkeypatch.setitem(cpu.WORTH_SHARING, "scoring", 2)
    one, three = (
        open_engine(presets.parse({**VALUES, "nscored": 25}, "test"), indexes[4], threads=threads) for threads in (1, 3)
    )
    query = random_queries(1, 33)
    np.testing.assert_array_equal(one.search(query, 25)[0].scores, three.search(query, 25)[0].scores)


def test_groups_hold_every_centroid_once(indexes):
    codec = indexes[4].compressed.codec
    for number in (1, 5, 16):
        groups = find(codec, number)
        assert sorted(groups.members.tolist()) == list(range(16))
        assert 1 <= len(groups.means) == len(groups.starts) - 1 <= number
        assert (np.diff(groups.starts) > 0).all()
        first = codec.centroids[groups.members[: groups.starts[1]]].mean(axis=0)
        np.testing.assert_allclose(groups.means[0] * groups.scales[0], first, atol=0.01)


def test_more_groups_than_centroids_are_refused(indexes):
    with pytest.raises(SettingsError, match=r"groups is 17, but the index has 16 centroids; use no more groups than that"):
        open_engine(presets.parse({**VALUES, "groups": 17}, "test"), indexes[4])


def test_more_groups_per_query_vector_than_groups_are_refused():
    with pytest.raises(SettingsError, match=r"a\.yaml: ngroups is 9, more than groups, 8"):
        presets.parse({**VALUES, "ngroups": 9}, "a.yaml")


@pytest.mark.parametrize("margin", [-0.1, float("nan"), "wide"])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(SettingsError, match="margin"):
        presets.parse({**VALUES, "margin": margin}, "a.yaml")


def test_an_index_without_lists_is_refused(indexes):
    with pytest.raises(SettingsError, match="the engine grouped needs an inverted list"):
        open_engine(presets.parse(VALUES, "test"), indexes[None])


def test_a_gpu_is_refused(indexes):
    with pytest.raises(SettingsError, match=r"kernels 'cuda' of the engine grouped .* it runs on the CPU"):
        open_engine(presets.parse(VALUES, "test"), indexes[4], "cuda")


@pytest.mark.parametrize("part", [1, 2, 3, 8, 16, 64])
def test_products_with_a_rounded_codebook_fit_in_32_bits(part):
    codebook = np.ones((2, 256, part), np.float32) * 7
    rounded, step = rounded_codebook(codebook)
    assert int(np.abs(rounded.astype(np.int64)).sum(axis=2).max()) * 16_383 < 2**31
    np.testing.assert_allclose(rounded * step, codebook, rtol=2e-3)
