"""The order of passage ids, by which equal scores are ordered."""

from collections.abc import Sequence

import numpy as np


def id_ranks(ids: Sequence[str]) -> np.ndarray:
    """Return the rank of each passage id among all ids, ``[passages]`` int64."""
    ranks = np.empty(len(ids), np.int64)
    ranks[np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)] = np.arange(len(ids))
    return ranks
