"""Order of examples, and their parts by process."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DataError
from bench.training.example_order import in_order, shard_of, shuffled


@settings(max_examples=200, deadline=None)
@given(batch=st.integers(0, 70), processes=st.integers(1, 8))
def test_parts_of_a_batch_are_disjoint_cover_it_and_differ_by_at_most_one(batch, processes):
    positions = np.random.default_rng(batch).permutation(1000)[:batch]
    parts = [shard_of(positions, rank, processes) for rank in range(processes)]
    assert np.concatenate(parts).tolist() == positions.tolist()
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 40), batch=st.integers(1, 40), seed=st.integers(0, 20))
def test_a_round_has_every_example_at_most_once_and_leaves_out_less_than_a_batch(count, batch, seed):
    if batch > count:
        with pytest.raises(DataError, match=f"a batch of {batch} queries is more than the {count}"):
            shuffled(count, batch, seed)
        return
    order, steps = shuffled(count, batch, seed), count // batch
    for number in range(3):
        seen = np.concatenate([order(step) for step in range(number * steps, (number + 1) * steps)])
        assert len(set(seen.tolist())) == len(seen) == steps * batch > count - batch
        assert set(seen.tolist()) <= set(range(count))


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 12), batch=st.integers(1, 12), group=st.integers(1, 5), seed=st.integers(0, 20))
def test_groups_are_shuffled_whole(count, batch, group, seed):
    count, batch = count * group, min(batch, count) * group
    order, steps = shuffled(count, batch, seed, group), count // batch
    seen = np.concatenate([order(step) for step in range(steps)])
    assert len(set(seen.tolist())) == len(seen) == steps * batch
    assert (seen.reshape(-1, group) == seen[::group, None] + np.arange(group)).all()
    assert (seen[::group] % group == 0).all()


@settings(max_examples=30, deadline=None)
@given(steps=st.permutations(range(12)))
def test_the_order_is_a_function_of_seed_and_step_alone(steps):
    order = shuffled(17, 5, 4)
    found = {step: order(step).tolist() for step in steps}
    assert found == {step: shuffled(17, 5, 4)(step).tolist() for step in range(12)}


def test_rounds_and_seeds_have_orders_of_their_own():
    order = shuffled(50, 50, 0)
    assert len({tuple(order(0)), tuple(order(1)), tuple(shuffled(50, 50, 1)(0))}) == 3


def test_triples_are_taken_as_they_stand():
    assert in_order(3)(2).tolist() == [6, 7, 8]
