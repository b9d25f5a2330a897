"""Two teachers in one: an ensemble errs less than its members (as in Hofstätter et al., arXiv 2010.02666).

Rankers that err apart, such as an embedding and word matching, gain most. Their scores have no scale in common, so each is
first standardised over the passages of a query; the fused score is the weighted mean of the two, in standard deviations.
"""

import numpy as np


def standardised(scores: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """``[pairs]`` float32 of mean 0 and standard deviation 1 over each query's own; 0 where all of these are equal.

    scores ``[pairs]``; those of query q are ``offsets[q]`` to ``offsets[q + 1]``, offsets ``[queries + 1]``.
    """
    found = np.zeros(len(scores), np.float32)
    for first, last in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        own = scores[first:last].astype(np.float64)
        if first < last and own.max() > own.min():
            found[first:last] = (own - own.mean()) / own.std()
    return found


def fused(scores: np.ndarray, others: np.ndarray, offsets: np.ndarray, weight: float) -> np.ndarray:
    """``[pairs]`` float32: the mean of both, standardised, where ``others`` weigh ``weight`` and ``scores`` 1."""
    return (standardised(scores, offsets) + np.float32(weight) * standardised(others, offsets)) / np.float32(1 + weight)
