"""Fusion of two teachers: an ensemble has a lower error than its members (as in Hofstätter et al., arXiv 2010.02666).

Rankers with different errors, such as an embedding model and BM25, gain most. Their scores have no common scale. Scores are
therefore standardised over the passages of a query; the fused score is their weighted mean in standard deviations.
"""

import numpy as np


def standardised(scores: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return ``[pairs]`` float32 with mean 0 and standard deviation 1 per query; 0 if all scores of a query are equal.

    scores: ``[pairs]``; offsets: ``[queries + 1]``. The scores of query q are ``offsets[q]`` to ``offsets[q + 1]``.
    """
    found = np.zeros(len(scores), np.float32)
    for first, last in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        own = scores[first:last].astype(np.float64)
        if first < last and own.max() > own.min():
            found[first:last] = (own - own.mean()) / own.std()
    return found


def fused(scores: np.ndarray, others: np.ndarray, offsets: np.ndarray, weight: float) -> np.ndarray:
    """Return the mean ``[pairs]`` float32 of both standardised scores; ``others`` has weight ``weight``, ``scores`` 1."""
    return (standardised(scores, offsets) + np.float32(weight) * standardised(others, offsets)) / np.float32(1 + weight)
