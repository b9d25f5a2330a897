"""MaxSim in plain numpy (arXiv 2112.01488, equation 1)."""

import numpy as np


def maxsim(similarities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum over query vectors of the maximum over a passage's vectors.

    similarities ``[vectors, queries, query vectors]`` or ``[vectors, query vectors]``, the vectors of a passage in one
    stretch; starts ``[passages]`` their first positions, strictly increasing. Returns ``[passages, ...]``.
    """
    if len(starts) == 0:
        return np.empty((0, *similarities.shape[1:-1]), similarities.dtype)
    return np.maximum.reduceat(similarities, starts, axis=0).sum(axis=-1)


def grouped(passages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct passages and the start of each one's stretch, from the ascending passage number of every vector."""
    return np.unique(passages, return_index=True)
