"""The order of passage ids, the second key of every ranking."""

from collections.abc import Sequence

import numpy as np


def id_ranks(ids: Sequence[str]) -> np.ndarray:
    """``[passages]`` int64: rank of each passage id among all of them, the second key of every ranking."""
    ranks = np.empty(len(ids), np.int64)
    ranks[np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)] = np.arange(len(ids))
    return ranks
