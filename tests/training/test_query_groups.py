"""Groups of queries whose vectors are near."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.training import query_groups
from bench.training.query_groups import directions, groups


def unit(count, dim=8, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_direction_of_a_query_is_that_of_its_mean_and_padding_counts_nothing():
    vectors = np.array([[[3, 0], [0, 4], [0, 0]], [[0, 0], [0, 2], [0, 0]], [[1, 0], [-1, 0], [0, 0]]], np.float16)
    found = directions(vectors)
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 1], [0, 0]], rtol=1e-6)
    assert found.dtype == np.float32


def test_clusters_that_are_apart_become_the_groups():
    centres = np.eye(5, 8, dtype=np.float32)
    which = np.arange(20) % 5
    vectors = centres[which] + 0.1 * unit(20)
    for seed in range(10):
        found = groups(vectors, 4, seed)
        assert sorted(which[group].tolist() for group in found) == [[number] * 4 for number in range(5)]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_the_nearest_are_those_of_an_exhaustive_search(size):
    vectors = unit(31)
    lot, taken = np.random.default_rng(1).permutation(31).tolist(), set()
    for group in groups(vectors, size, 1).tolist():
        first = next(query for query in lot if query not in taken)
        left = [query for query in lot if query not in taken | {first}]
        left.sort(key=lambda query: -float(vectors[query] @ vectors[first]))
        assert group == [first, *left[: size - 1]]
        taken |= set(group)


def test_of_equal_cosines_the_lot_decides():
    lot = np.random.default_rng(4).permutation(9)
    assert groups(np.ones((9, 1), np.float32), 3, 4).tolist() == lot.reshape(3, 3).tolist()


@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 40), size=st.integers(2, 6), seed=st.integers(0, 5), block=st.integers(1, 20))
def test_every_query_is_in_one_group_but_fewer_than_a_group(count, size, seed, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_groups, "BLOCK", block)
        found = groups(unit(count), size, seed)
    assert found.shape == (count // size, size)
    assert len(set(found.ravel().tolist())) == found.size
    assert set(found.ravel().tolist()) <= set(range(count))


def test_the_nearest_are_looked_for_within_a_block(monkeypatch):
    monkeypatch.setattr(query_groups, "BLOCK", 9)
    lot = np.random.default_rng(0).permutation(20)
    found = groups(unit(20), 4, 0)
    assert [set(block.ravel().tolist()) for block in np.split(found[:4], 2)] == [set(lot[:8]), set(lot[8:16])]
