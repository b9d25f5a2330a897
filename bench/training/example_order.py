"""Selection of the examples of a step, as pure functions of the step, so that a resumed run continues correctly."""

import functools
from collections.abc import Callable

import numpy as np

from bench.errors import DataError

Order = Callable[[int], np.ndarray]


def in_order(batch: int) -> Order:
    """Return an order in which step s, from 0, takes the examples ``s * batch`` to ``(s + 1) * batch`` unshuffled."""
    return lambda step: np.arange(step * batch, (step + 1) * batch)


def shuffled(count: int, batch: int, seed: int, group: int = 1) -> Order:
    """Return an order of shuffled epochs over ``count`` examples, with ``[batch]`` positions per step.

    Each epoch has its own random order. Consecutive examples form groups of size ``group``, which stay together; count and
    batch are multiples of ``group``. An epoch ends when fewer than ``batch`` examples are left, so that no step has an
    example twice (the in-batch loss would use the positive of the copy as a negative). The examples left out of an epoch
    are random as well. Raise DataError if ``batch`` is larger than ``count``.
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
    """Return the part of a batch ``[batch]`` that process ``rank`` of ``processes`` processes takes.

    Parts are consecutive and disjoint, cover the batch and differ in size by at most one example. Some parts are empty if
    there are more processes than examples.
    """
    return positions[rank * len(positions) // processes : (rank + 1) * len(positions) // processes]
