"""Groups of similar queries: what is relevant to one is a hard negative of the others, where a batch holds them together.

Topic-aware sampling (Hofstätter et al., arXiv 2104.06967) clusters the vectors of all queries and draws a batch from one
cluster. Here a group is a query and those nearest to it, and a batch is made of several groups. Queries for which the same
passages were mined are too similar: often what is relevant to one is right for the other (measured, docs/journal.md).
"""

import numpy as np

from bench.codec.rotated import unit

BLOCK = 16_384  # queries among which the nearest are looked for, so that the work grows with their number alone


def directions(vectors: np.ndarray) -> np.ndarray:
    """``[queries, dim]`` float32 of length 1: the mean of each query's vectors, ``[queries, query vectors, dim]``, zero
    where it has fewer."""
    return unit(vectors.sum(axis=1, dtype=np.float32))


def groups(vectors: np.ndarray, size: int, seed: int) -> np.ndarray:
    """``[groups, size]`` positions of queries: one at random, and of those left in its block the ones of highest cosine.

    vectors ``[queries, dim]`` of length 1. Blocks are stretches of one random order; of equal cosines the first in it
    counts. The last queries, fewer than ``size``, are in no group.
    """
    order = np.random.default_rng(seed).permutation(len(vectors))
    found: list[np.ndarray] = []
    for start in range(0, len(order), block := max(BLOCK // size, 1) * size):
        left = order[start : start + block]
        rest = vectors[left]
        while len(left) >= size:
            nearest = np.argsort(-(rest[1:] @ rest[0]), kind="stable")[: size - 1] + 1
            found.append(left[[0, *nearest]])
            kept = np.ones(len(left), bool)
            kept[[0, *nearest]] = False
            left, rest = left[kept], rest[kept]
    return np.array(found, np.int64).reshape(-1, size)
