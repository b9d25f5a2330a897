"""The same kernels on an accelerator or in Triton's interpreter, against the reference."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.codec.codec import Codec
from bench.codec.device import interpreted
from bench.codec.int8_centroids import rounded, to_bytes
from bench.errors import SettingsError
from bench.search.colbertv2 import ColBERTv2
from bench.search.exact import Exact, ExactKernels
from bench.search.kernels import cuda_exhaustive
from bench.search.kernels.base import fixed_point_scale, largest_norm, norms, rounded_query
from bench.search.kernels.cuda import CUDA, NONE
from bench.search.kernels.cuda_exhaustive import bounds
from bench.search.kernels.reference import Reference
from bench.search.plaid import Plaid
from bench.search.stage_times import StageWork

pytestmark = pytest.mark.gpu

RAGGED = [1, 2, 70, 1, 33, 16, 17, 5]
SHAPES = [(1, 128, 32), (2, 32, 1), (4, 96, 17), (2, 256, 40), (8, 40, 3)]


@pytest.fixture(scope="module")
def made(tmp_path_factory, small_index):
    """``made(nbits, dim)``: an index of ragged passages."""
    found = {}

    def make(nbits, dim):
        if (nbits, dim) not in found:
            folder = tmp_path_factory.mktemp(f"nbits-{nbits}-dim-{dim}")
            found[nbits, dim] = small_index(folder, RAGGED, nbits, dim=dim, centroids=16, shards=2)
        return found[nbits, dim]

    return make


@pytest.fixture(scope="module")
def both(device):
    def open_both(index):
        return CUDA(index, device=device), Reference(index, index.compressed)

    return open_both


def close(found, expected):
    """The same passages in the same order, scores equal up to rounding."""
    assert found.passages.tolist() == expected.passages.tolist()
    assert found.scores.dtype == np.float32
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5, atol=1e-6)


def listed(kernels, passages, queries=1):
    """Passages of each query of a batch, with a hole in front."""
    return torch.tensor([[-1, *passages]] * queries, dtype=torch.int32, device=kernels.device)


def interaction(kernels, batch, passages, threshold):
    """Scores of the passages for each query, and that a hole has none."""
    keys = kernels.interactions(batch, listed(kernels, passages, len(batch)), threshold).cpu().numpy()
    assert (keys[:, 0] == NONE).all()
    return keys[:, 1:] >> 32


def chosen(kernels, batch, passages, kept, probed):
    found = kernels.chosen(batch, listed(kernels, passages, len(batch)), kept, probed).cpu().numpy()
    return [sorted(row[row >= 0].tolist()) for row in found]


def mask(probed, centroids):
    """The probed centroids of a batch's queries as the reference has them, bool ``[queries, centroids]``."""
    found = np.zeros((len(probed), centroids), bool)
    for row, some in zip(found, probed.cpu().numpy(), strict=True):
        row[some[some >= 0]] = True
    return found


@pytest.mark.parametrize(("nbits", "dim", "width"), SHAPES)
def test_centroids_and_interaction_equal_the_reference_to_the_bit(made, both, random_queries, nbits, dim, width):
    kernels, reference = both(made(nbits, dim))
    queries = [random_queries(1, width, dim)[0], random_queries(1, max(1, width - 3), dim, seed=5)[0]]
    batch, theirs = kernels.open(queries), [reference.open(query) for query in queries]
    fixed = batch.near.fixed.cpu().numpy().reshape(2, batch.groups, 16, batch.lanes)
    for number, one in enumerate(theirs):
        found = fixed[number].transpose(1, 0, 2).reshape(16, -1)[:, : len(queries[number])]
        np.testing.assert_array_equal(found, one.fixed)
    for nprobe in (3, 16):
        found = mask(kernels.nearest(batch, nprobe), 16)
        np.testing.assert_array_equal(found, [reference.nearest(one, nprobe) for one in theirs])
    passages, one = [0, 2, 4, 7], theirs[0]
    middle, most = float(np.median(one.fixed.max(axis=1))) / one.scale, one.fixed.max() / one.scale
    for threshold in (None, middle, float(most), 2.0):
        expected = [reference.interaction(each, np.array(passages), threshold) for each in theirs]
        np.testing.assert_array_equal(interaction(kernels, batch, passages, threshold), expected)


def test_more_centroids_than_a_block_has_are_probed_as_by_the_reference(made, both, random_queries):
    stored = made(2, 32).compressed
    rng = np.random.default_rng(6)
    centroids = rounded(np.repeat(rng.standard_normal((70, 32)), 3, axis=0).astype(np.float32))  # equals in other blocks
    codec = replace(stored.codec, centroids=centroids[rng.permutation(210)])
    kernels, reference = both(replace(made(2, 32), compressed=replace(stored, codec=codec)))
    queries = list(random_queries(2, 3, 32))
    batch = kernels.open(queries)
    for nprobe in (1, 5, 300):
        expected = [reference.nearest(reference.open(query), nprobe) for query in queries]
        np.testing.assert_array_equal(mask(kernels.nearest(batch, nprobe), 210), expected)


@pytest.mark.parametrize(("nbits", "dim", "width"), SHAPES)
def test_the_best_equal_the_reference_up_to_rounding_with_and_without_a_mask(made, both, random_queries, nbits, dim, width):
    kernels, reference = both(made(nbits, dim))
    queries = [random_queries(1, width, dim, seed=2)[0], random_queries(1, max(1, width - 1), dim, seed=3)[0]]
    batch, theirs = kernels.open(queries), [reference.open(query) for query in queries]
    some = [1, 2, 4, 5]
    for passages, k in ((None, 5), (some, 100)):
        given = None if passages is None else listed(kernels, passages, 2)
        for found, one in zip(kernels.best(batch, given, k), theirs, strict=True):
            close(found, reference.best(one, passages and np.array(passages), k))
    probed = np.zeros(16, bool)
    probed[[1, 6, 11]] = True
    lists = torch.tensor([[1, 6, 11, -1]] * 2, dtype=torch.int32, device=kernels.device)
    expected = [sorted(reference.best(one, np.arange(len(RAGGED)), 3, probed).passages.tolist()) for one in theirs]
    assert chosen(kernels, batch, range(len(RAGGED)), 3, lists) == expected


def test_fixed_point_rounds_halves_to_the_even_number(made, both, random_queries):
    index = made(2, 32)
    stored = index.compressed
    centroids = rounded(np.random.default_rng(6).standard_normal((3000, 32)).astype(np.float32))
    codec = replace(stored.codec, centroids=centroids)
    offsets = np.zeros(3001, np.uint32)
    changed = replace(stored, codec=codec, lists=stored.lists[:0], list_offsets=offsets, norm_levels=np.full(256, 9.0))
    kernels, _ = both(replace(index, compressed=changed))
    query = random_queries(1, 32, 32)[0]
    values, scales = to_bytes(centroids)
    integers, step = rounded_query(query)
    factors = scales.astype(np.float32) * np.float32(step * fixed_point_scale(norms(query), largest_norm(changed)))
    exact = (values.astype(np.float64) @ integers.T.astype(np.float64)).astype(np.float32) * factors[:, None]
    halves = exact % 1 == 0.5
    assert halves.sum() >= 10
    found = kernels.open([query]).near.fixed[0].cpu().numpy()
    np.testing.assert_array_equal(found, np.rint(exact))
    assert (found[halves] % 2 == 0).all()


def test_candidates_are_those_of_the_lists(made, both):
    kernels, reference = both(made(2, 32))
    masks = [np.arange(16) == 3, np.arange(16) % 5 == 1, np.ones(16, bool), np.zeros(16, bool)]
    probed = np.full((4, 16), -1, np.int32)
    for row, some in zip(probed, masks, strict=True):
        row[: some.sum()] = np.flatnonzero(some)
    found = kernels.candidates(torch.from_numpy(probed).to(kernels.device)).cpu().numpy()
    for row, some in zip(found, masks, strict=True):
        np.testing.assert_array_equal(row[row >= 0], reference.candidates(some))


def test_no_passages_have_no_scores(made, both, random_queries):
    kernels, _ = both(made(2, 32))
    batch = kernels.open([random_queries(1, 3, 32)[0]])
    none = torch.full((1, 7), -1, dtype=torch.int32, device=kernels.device)
    assert (kernels.interactions(batch, none) == NONE).all()
    assert len(kernels.best(batch, none, 3)[0]) == 0
    probed = torch.full((1, 2), -1, dtype=torch.int32, device=kernels.device)
    assert chosen(kernels, batch, range(len(RAGGED)), 3, probed) == [[]]


@pytest.mark.parametrize("factors", [None, "gains", "spreads"])
@pytest.mark.parametrize("part", [3, 4, 24])
def test_a_learned_codebook_is_scored_whatever_the_dimensions_of_a_byte(made, both, random_queries, part, factors):
    index = made(8, 40)
    rng = np.random.default_rng(5)
    stored, number = index.compressed, 24 // part
    codebook = (rng.standard_normal((number, 256, part)) / 9).astype(np.float32)
    given = {None: {}, "gains": {"gains": np.linspace(0, 1.5, 256, dtype=np.float32)}}
    given["spreads"] = {"spreads": rng.uniform(0.1, 3, 16).astype(np.float16)}
    centroids = rounded(rng.standard_normal((16, 24)).astype(np.float32))
    codec = Codec(centroids, codebook, stored.codec.cutoffs, np.empty(0), **given[factors])
    residuals = rng.integers(0, 256, (len(stored.codes), codec.bytes), np.uint8)
    levels = np.linspace(0, codec.norms(stored.codes, residuals).max(), 256, dtype=np.float32)
    index = replace(index, compressed=replace(stored, codec=codec, residuals=residuals, norm_levels=levels))
    kernels, reference = both(index)
    query = random_queries(1, 7, 24)[0]
    close(kernels.best(kernels.open([query]), None, 8)[0], reference.best(reference.open(query), None, 8))
    found = interaction(kernels, kernels.open([query]), range(len(RAGGED)), None)[0]
    np.testing.assert_array_equal(found, reference.interaction(reference.open(query), np.arange(len(RAGGED))))


@pytest.mark.parametrize("stretch", [0.5, 2.0])
def test_vectors_that_are_not_normalised_are_ranked_as_by_the_reference(made, both, random_queries, stretch):
    index = made(2, 32)
    stored = index.compressed
    codec = replace(stored.codec, map=np.diag(np.linspace(stretch, 1, 32)).astype(np.float32))
    levels = np.ones(256, np.float32)
    kernels, reference = both(replace(index, compressed=replace(stored, codec=codec, norm_levels=levels)))
    assert not codec.normalised
    query = 3 * random_queries(1, 5, 32)[0]
    close(kernels.best(kernels.open([query]), None, 4)[0], reference.best(reference.open(query), None, 4))


def test_vectors_that_decode_to_zero_score_zero(made, both, random_queries):
    index = made(2, 32)
    stored = index.compressed
    nothing = Codec(np.zeros((16, 32), np.float32), np.zeros((8, 256, 4), np.float32), stored.codec.cutoffs, np.zeros(4))
    kernels, _ = both(replace(index, compressed=replace(stored, codec=nothing)))
    batch = kernels.open([random_queries(1, 4, 32)[0]])
    assert kernels.best(batch, None, 8)[0].scores.tolist() == [0.0] * 8


@pytest.mark.parametrize("masked", [False, True])
def test_equal_passages_tie_wherever_they_stand_and_are_ranked_by_id_even_at_the_cut(
    tmp_path, small_index, random_queries, both, masked
):
    copies, vectors = 23, random_queries(1, 3, dim=128, seed=4)[0]
    ids = [f"{copies - number:02d}" for number in range(copies)]
    index = small_index(tmp_path, [3] * copies, 2, vectors=np.tile(vectors, (copies, 1)), ids=ids)
    kernels, _ = both(index)
    batch = kernels.open([random_queries(1, 9, dim=128)[0]])
    passages = listed(kernels, range(copies)) if masked else None
    for k in (5, copies):
        ranking = kernels.best(batch, passages, k)[0]
        assert len(set(ranking.scores.tolist())) == 1
        assert [index.ids[passage] for passage in ranking.passages] == sorted(ids)[:k]
        if masked:
            probed = torch.arange(len(index.compressed.codec.centroids), dtype=torch.int32, device=kernels.device)[None]
            found = chosen(kernels, batch, range(copies), k, probed)[0]
            assert sorted(index.ids[passage] for passage in found) == sorted(ids)[:k]


def test_the_order_and_the_number_of_copies_of_its_vectors_change_no_bit_of_a_score(
    device, tmp_path, small_index, random_queries, both
):
    if interpreted():
        pytest.skip("numpy, which multiplies for Triton's interpreter, sums the rows of a matrix in different orders")
    vectors, rng = random_queries(1, 40, dim=128, seed=4)[0], np.random.default_rng(7)
    orders = [rng.permutation(np.concatenate([np.arange(40), rng.integers(0, 40, number)])) for number in range(30)]
    index = small_index(tmp_path, [len(order) for order in orders], 2, vectors=vectors[np.concatenate(orders)])
    kernels, _ = both(index)
    batch = kernels.open([random_queries(1, 9, dim=128)[0]])
    for passages in (None, listed(kernels, range(30))):
        assert len(set(kernels.best(batch, passages, 30)[0].scores.tolist())) == 1


def test_every_engine_gives_the_ranking_of_the_reference(indexes, both, random_queries):
    queries = random_queries(3, 6)
    queries[1, 4:] = 0  # padding
    for kernels, reference in [both(indexes[1]), both(indexes[4])]:
        for engine in (
            ExactKernels,
            lambda kernels: ColBERTv2(kernels, nprobe=2, ncandidates=12),
            lambda kernels: Plaid(kernels, ncells=2, centroid_score_threshold=0.3, ndocs=12),
        ):
            for found, expected in zip(
                engine(kernels).search(queries, 3), engine(reference).search(queries, 3), strict=True
            ):
                close(found, expected)


def test_uncompressed_vectors_are_searched_as_by_the_reference(indexes, device, random_queries):
    queries = random_queries(2, 6)
    found = ExactKernels(CUDA(indexes[None], device=device)).search(queries, 7)
    for ours, expected in zip(found, Exact(indexes[None]).search(queries, 7), strict=True):
        close(ours, expected)


@pytest.mark.parametrize("nbits", [None, 4])
def test_an_index_larger_than_the_memory_is_streamed_in_pieces(indexes, device, random_queries, nbits, monkeypatch):
    queries = random_queries(2, 6)
    kernels = CUDA(indexes[nbits], device=device, memory=indexes[nbits].manifest.counts["vectors"])
    assert not kernels.store.fits
    assert len(bounds(kernels, kernels.open(list(queries)))) > 3
    monkeypatch.setattr(cuda_exhaustive, "MARGIN", 0)  # so that the first guess is too small here
    found, expected = ExactKernels(kernels).search(queries, 3), Exact(indexes[nbits]).search(queries, 3)
    for pair in zip(found, expected, strict=True):
        close(*pair)
    if nbits:
        with pytest.raises(SettingsError, match=r"needs the whole index on the device, 0\.0 GB, of which \d+ bytes"):
            Plaid(kernels, ncells=2, centroid_score_threshold=0.3, ndocs=12).search(queries, 3)


def test_many_queries_are_scored_from_decoded_tiles_as_few_are_from_codes(indexes, device, random_queries):
    queries = random_queries(9, 6)
    for nbits in (None, 4):
        engine = ExactKernels(CUDA(indexes[nbits], device=device))
        alone = engine.search(queries[::4], 3)
        for found, expected in zip(engine.search(queries, 3)[::4], alone, strict=True):
            close(found, expected)


def test_work_is_counted_for_all_queries_of_a_batch(indexes, both, random_queries):
    queries = random_queries(2, 6)
    works = []
    for kernels in both(indexes[4]):
        watch = StageWork()
        Plaid(kernels, ncells=2, centroid_score_threshold=0.3, ndocs=12).search(queries, 3, watch)
        works.append({**watch.work, "interactions": None})
    assert works[0] == works[1]
    assert works[0]["candidates"] > 0


def test_exhaustive_search_takes_the_queries_of_a_call_together_whatever_other_stages_take(
    made, device, random_queries, monkeypatch
):
    kernels, seen = CUDA(made(2, 32), device=device), []
    monkeypatch.setattr("bench.search.kernels.cuda.MEMORY", kernels.index.offsets.nbytes)
    monkeypatch.setattr("bench.search.kernels.cuda.MOST_QUERIES", 3)
    monkeypatch.setattr(kernels, "best", lambda query, passages, k: seen.append(len(query)) or [None] * len(query))
    queries = random_queries(5, 4, 32)
    ExactKernels(kernels).search(queries, 2)
    assert seen == [3, 2]
    with pytest.raises(SettingsError, match="a query with 32 vectors takes"):
        ColBERTv2(kernels, nprobe=1, ncandidates=4).search(queries, 2)
