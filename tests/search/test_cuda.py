"""The same kernels on an accelerator or in Triton's interpreter, against the reference."""

from dataclasses import replace

import numpy as np
import pytest

from bench.codec.codec import Codec
from bench.codec.device import interpreted
from bench.codec.int8_centroids import rounded, to_bytes
from bench.search.colbertv2 import ColBERTv2
from bench.search.exact import ExactCodes
from bench.search.kernels.base import fixed_point_scale, largest_norm, norms, rounded_query
from bench.search.kernels.cuda import CUDA
from bench.search.kernels.reference import Reference
from bench.search.plaid import Plaid

pytestmark = pytest.mark.gpu

RAGGED = [1, 2, 70, 1, 33, 16, 17, 5]
SHAPES = [
    (1, 128, 32),
    (2, 128, 32),
    (4, 128, 32),
    (8, 128, 32),
    (2, 32, 1),
    (1, 64, 16),
    (4, 96, 17),
    (2, 256, 40),
    (8, 40, 3),
]


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
        return CUDA(index, index.compressed, device=device), Reference(index, index.compressed)

    return open_both


def close(found, expected):
    """The same passages in the same order, scores equal up to rounding."""
    assert found.passages.tolist() == expected.passages.tolist()
    assert found.scores.dtype == np.float32
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("nbits", "dim", "width"), SHAPES)
def test_centroids_and_interaction_equal_the_reference_to_the_bit(made, both, random_queries, nbits, dim, width):
    kernels, reference = both(made(nbits, dim))
    query = random_queries(1, width, dim)[0]
    ours, theirs = kernels.open(query), reference.open(query)
    np.testing.assert_array_equal(ours.real.cpu().numpy().T, theirs.fixed)
    for nprobe in (1, 3, 16):
        np.testing.assert_array_equal(kernels.nearest(ours, nprobe), reference.nearest(theirs, nprobe))
    some, every = np.array([0, 2, 3, 7]), np.arange(len(RAGGED))
    middle, most = float(np.median(theirs.fixed.max(axis=1))) / theirs.scale, theirs.fixed.max() / theirs.scale
    for threshold in (None, -2.0, middle, float(most), 2.0):
        for passages in (some, every):
            expected = reference.interaction(theirs, passages, threshold)
            found = kernels.interaction(ours, passages, threshold)
            assert found.dtype == np.int64
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("nbits", "dim", "width"), SHAPES)
def test_the_best_equal_the_reference_up_to_rounding_with_and_without_a_mask(made, both, random_queries, nbits, dim, width):
    kernels, reference = both(made(nbits, dim))
    query = random_queries(1, width, dim, seed=2)[0]
    ours, theirs = kernels.open(query), reference.open(query)
    some, every = np.array([1, 2, 4, 5]), np.arange(len(RAGGED))
    close(kernels.best(ours, every, 5), reference.best(theirs, every, 5))
    close(kernels.best(ours, some, 100), reference.best(theirs, some, 100))
    probed = np.zeros(16, bool)
    probed[[1, 6, 11]] = True
    close(kernels.best(ours, every, 100, probed), reference.best(theirs, every, 100, probed))
    close(kernels.best(ours, every, 2, probed), reference.best(theirs, every, 2, probed))


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
    found = kernels.open(query).fixed[0].cpu().numpy()
    np.testing.assert_array_equal(found, np.rint(exact))
    assert (found[halves] % 2 == 0).all()


def test_candidates_are_those_of_the_lists_in_ascending_order(made, both):
    kernels, reference = both(made(2, 32))
    for probed in (np.arange(16) == 3, np.arange(16) % 5 == 1, np.ones(16, bool), np.zeros(16, bool)):
        found = kernels.candidates(probed)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, reference.candidates(probed))


def test_no_passages_have_no_scores(made, both, random_queries):
    kernels, _ = both(made(2, 32))
    query, none = kernels.open(random_queries(1, 3, 32)[0]), np.empty(0, np.int64)
    assert kernels.interaction(query, none).shape == (0,)
    for probed in (None, np.ones(16, bool)):
        assert len(kernels.best(query, none, 3, probed)) == 0
    assert len(kernels.best(query, np.arange(len(RAGGED)), 3, np.zeros(16, bool))) == 0


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
    query, every = random_queries(1, 7, 24)[0], np.arange(len(RAGGED))
    close(kernels.best(kernels.open(query), every, 8), reference.best(reference.open(query), every, 8))
    found = kernels.interaction(kernels.open(query), every)
    np.testing.assert_array_equal(found, reference.interaction(reference.open(query), every))


def test_vectors_that_decode_to_zero_score_zero(made, both, random_queries):
    index = made(2, 32)
    stored = index.compressed
    nothing = Codec(np.zeros((16, 32), np.float32), np.zeros((8, 256, 4), np.float32), stored.codec.cutoffs, np.zeros(4))
    kernels, _ = both(replace(index, compressed=replace(stored, codec=nothing)))
    query = kernels.open(random_queries(1, 4, 32)[0])
    assert kernels.best(query, np.arange(len(RAGGED)), 8).scores.tolist() == [0.0] * 8


def test_equal_centroids_are_probed_from_the_lowest_on(made, both, random_queries):
    index = made(2, 32)
    stored = index.compressed
    centroids = np.repeat(stored.codec.centroids[:4], 4, axis=0)
    kernels, reference = both(replace(index, compressed=replace(stored, codec=replace(stored.codec, centroids=centroids))))
    query = random_queries(1, 5, 32)[0]
    for nprobe in (1, 2, 5, 7):
        np.testing.assert_array_equal(
            kernels.nearest(kernels.open(query), nprobe), reference.nearest(reference.open(query), nprobe)
        )


@pytest.mark.parametrize("probed", [None, np.ones(8, bool)], ids=["all", "probed"])
def test_equal_passages_tie_wherever_they_stand_and_are_ranked_by_id_even_at_the_cut(
    tmp_path, small_index, random_queries, both, probed
):
    copies, vectors = 23, random_queries(1, 3, dim=128, seed=4)[0]
    ids = [f"{copies - number:02d}" for number in range(copies)]
    index = small_index(tmp_path, [3] * copies, 2, vectors=np.tile(vectors, (copies, 1)), ids=ids)
    kernels, _ = both(index)
    probed = probed if probed is None else probed[: len(index.compressed.codec.centroids)]
    query = kernels.open(random_queries(1, 9, dim=128)[0])
    for k in (5, copies):
        ranking = kernels.best(query, np.arange(copies), k, probed)
        assert len(set(ranking.scores.tolist())) == 1
        assert [index.ids[passage] for passage in ranking.passages] == sorted(ids)[:k]


def test_the_order_and_the_number_of_copies_of_its_vectors_change_no_bit_of_a_score(
    device, tmp_path, small_index, random_queries, both
):
    if interpreted():
        pytest.skip("numpy, which multiplies for Triton's interpreter, sums the rows of a matrix in different orders")
    vectors, rng = random_queries(1, 40, dim=128, seed=4)[0], np.random.default_rng(7)
    orders = [rng.permutation(np.concatenate([np.arange(40), rng.integers(0, 40, number)])) for number in range(30)]
    index = small_index(tmp_path, [len(order) for order in orders], 2, vectors=vectors[np.concatenate(orders)])
    kernels, _ = both(index)
    query, every = kernels.open(random_queries(1, 9, dim=128)[0]), np.arange(30)
    for probed in (None, np.ones(len(index.compressed.codec.centroids), bool)):
        assert len(set(kernels.best(query, every, 30, probed).scores.tolist())) == 1


def test_every_engine_gives_the_ranking_of_the_reference(indexes, both, random_queries):
    queries = random_queries(3, 6)
    for kernels, reference in [both(indexes[1]), both(indexes[4])]:
        for engine in (
            ExactCodes,
            lambda kernels: ColBERTv2(kernels, nprobe=2, ncandidates=12),
            lambda kernels: Plaid(kernels, ncells=2, centroid_score_threshold=0.3, ndocs=12),
        ):
            for found, expected in zip(
                engine(kernels).search(queries, 3), engine(reference).search(queries, 3), strict=True
            ):
                close(found, expected)
