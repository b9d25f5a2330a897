"""Groups of similar queries: a passage relevant to one query is a hard negative of the other queries in its batch.

Topic-aware sampling (Hofstätter et al., arXiv 2104.06967) clusters the vectors of all queries and samples each batch from
one cluster. Here a group is a query and its nearest queries, and a batch consists of several groups. Queries with the same
mined passages are too similar: a passage relevant to one is often relevant to the other (measured, docs/journal.md).
"""

import numpy as np

from bench.codec.rotated import unit

BLOCK = 16_384  # queries per nearest-neighbour search, so that the cost grows linearly with the number of queries


def directions(vectors: np.ndarray) -> np.ndarray:
    """Return ``[queries, dim]`` float32 unit vectors: the direction of each query's mean vector. ``vectors`` is
    ``[queries, query vectors, dim]``, padded with zero vectors.
    """
    return unit(vectors.sum(axis=1, dtype=np.float32))


def groups(vectors: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Return ``[groups, size]`` query positions: a random query and the most similar queries left in its block (cosine).

    vectors: ``[queries, dim]`` of length 1. Blocks are consecutive parts of one random order, which also decides between
    equal cosines. The last queries, fewer than ``size``, are in no group.
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
