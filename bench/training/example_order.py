"""Which examples a step trains on: pure functions of the step, so that a resumed run goes on where it was."""

import functools
from collections.abc import Callable

import numpy as np

from bench.errors import DataError

Order = Callable[[int], np.ndarray]


def in_order(batch: int) -> Order:
    """Step s, from 0, takes the examples ``s * batch`` to ``(s + 1) * batch`` as they stand."""
    return lambda step: np.arange(step * batch, (step + 1) * batch)


def shuffled(count: int, batch: int, seed: int, group: int = 1) -> Order:
    """Each round goes through ``count`` examples in a random order of its own; ``[batch]`` positions a step.

    Examples that stand together in groups, ``group`` in each, stay together; count and batch are multiples of it.
    A round ends where fewer than ``batch`` examples are left, so that no step has an example twice (in-batch negatives
    would take its positive for a negative); which ones a round leaves out is as random as its order. Raises DataError
    where a batch is larger than the set.
    """
    if batch > count:
        raise DataError(f"a batch of {batch} queries is more than the {count} of the training set; lower batch")
    steps = count // batch

    @functools.lru_cache(maxsize=2)
    def round_of(number: int) -> np.ndarray:
        groups = np.random.default_rng([seed, number]).permutation(count // group)
        return (groups[:, None] * group + np.arange(group)).ravel()

    def positions(step: int) -> np.ndarray:
        number, within = divmod(step, steps)
        return round_of(number)[within * batch : (within + 1) * batch]

    return positions


def shard_of(positions: np.ndarray, rank: int, processes: int) -> np.ndarray:
    """The part of a batch ``[batch]`` that one of ``processes`` processes takes.

    Parts are consecutive, disjoint, cover the batch and differ by at most one example; with more processes than examples
    some are empty.
    """
    return positions[rank * len(positions) // processes : (rank + 1) * len(positions) // processes]
