"""VectorSample of shards: as an array of them, and never all in memory."""

import numpy as np
import pytest

from bench.codec import kmeans
from bench.index.vector_sample import VectorSample, sample
from tests.fixtures_index import random_shards


@pytest.fixture
def shards(tmp_path):
    return random_shards(tmp_path, (30, 5, 20))


@pytest.fixture
def everything(shards):
    return np.concatenate([shard.vectors for shard in shards])


def test_rows_are_those_of_all_shards_one_after_the_other(shards, everything):
    positions = np.array([3, 0, len(everything) - 1, len(shards[0].vectors), 3])
    rows = VectorSample(shards, positions)
    assert rows.shape == (5, 16)
    np.testing.assert_array_equal(rows[:], everything[positions])
    np.testing.assert_array_equal(rows[1:4], everything[positions[1:4]])
    np.testing.assert_array_equal(rows[np.array([4, 2])], everything[positions[[4, 2]]])
    np.testing.assert_array_equal(rows.only(np.array([2, 0]))[:], everything[positions[[2, 0]]])
    assert rows[5:].shape == (0, 16)


def test_a_sample_has_the_vectors_of_its_passages(shards, everything):
    doclens = np.concatenate([shard.doclens for shard in shards])
    owners = np.repeat(np.arange(len(doclens)), doclens)
    passages = np.array([0, 29, 30, 34, 35, 54])
    np.testing.assert_array_equal(sample(shards, passages)[:], everything[np.isin(owners, passages)])


@pytest.mark.parametrize("threads", [1, 2])
def test_kmeans_over_rows_is_kmeans_over_the_array(shards, everything, threads):
    rows = sample(shards, np.arange(55))
    kept = kmeans.hold_out(len(everything), np.random.default_rng(1))[0]
    fitted = [kmeans.fit(train, 16, seed=2, iterations=4, threads=threads) for train in (rows.only(kept), everything[kept])]
    np.testing.assert_array_equal(*fitted)
