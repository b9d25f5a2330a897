"""Groups of queries for which the same passages were mined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.training.alike import groups


def rows(*passages):
    return [np.array(own, np.int64) for own in passages]


def test_those_that_share_most_passages_stand_together():
    mined = rows([0, 1, 2], [10, 11, 12], [0, 1, 5], [11, 12, 13], [0, 7, 8], [12, 20, 21])
    for seed in range(10):
        found = groups(mined, 3, seed)
        assert sorted(sorted(group) for group in found.tolist()) == [[0, 2, 4], [1, 3, 5]]


def test_a_group_of_two_is_a_query_by_lot_and_its_nearest():
    mined = rows([0, 1, 2, 3], [3, 4], [1, 2, 3])
    partners = {first: other for seed in range(20) for first, other in groups(mined, 2, seed).tolist()}
    assert partners[0] == 2
    assert partners[2] == 0


def test_groups_without_a_shared_passage_are_filled_by_lot():
    found = groups(rows([0], [1], [], [3], [4]), 2, 0)
    lot = np.random.default_rng(0).permutation(5)
    assert found.tolist() == lot[:4].reshape(2, 2).tolist()


@settings(max_examples=60, deadline=None)
@given(
    mined=st.lists(st.lists(st.integers(0, 15), unique=True, max_size=6), max_size=25),
    size=st.integers(2, 6),
    seed=st.integers(0, 5),
)
def test_every_query_is_in_one_group_but_fewer_than_a_group(mined, size, seed):
    found = groups(rows(*mined), size, seed)
    assert found.shape == (len(mined) // size, size)
    assert len(set(found.ravel().tolist())) == found.size
    assert set(found.ravel().tolist()) <= set(range(len(mined)))
    assert found.tolist() == groups(rows(*mined), size, seed).tolist()


@pytest.mark.parametrize("size", [2, 4])
def test_the_nearest_are_those_of_an_exhaustive_count(size):
    rng = np.random.default_rng(3)
    mined = [rng.choice(40, 8, replace=False) for _ in range(30)]
    lot, taken = np.random.default_rng(1).permutation(30).tolist(), set()
    for group in groups(mined, size, 1).tolist():
        first = next(query for query in lot if query not in taken)
        left = [query for query in lot if query not in taken | {first}]
        left.sort(key=lambda query: -len(set(mined[query].tolist()) & set(mined[first].tolist())))
        assert group == [first, *left[: size - 1]]
        taken |= set(group)
