"""Groups of alike queries: what is relevant to one is a hard negative of the others, where a batch holds them together.

Topic-aware sampling (Hofstätter et al., arXiv 2104.06967) finds them by clustering vectors of the queries. Here those are
alike for which the student finds the same passages, as mining has told already; counting these is exact, so that every
machine comes to the same groups.
"""

from collections.abc import Sequence

import numpy as np


def groups(mined: Sequence[np.ndarray], size: int, seed: int) -> np.ndarray:
    """``[groups, size]`` positions of queries: one by lot, and of those left the ones that share most passages with it.

    mined: the positions of each query's passages, none twice. Of queries that share as many, the first in the lot is taken,
    and the first that are left where too few share any. The last queries, fewer than ``size``, are in no group.
    """
    lot = np.random.default_rng(seed).permutation(len(mined))
    place = np.argsort(lot)
    starts, owners = _inverted(mined)
    free = np.ones(len(mined), bool)
    found: list[np.ndarray] = []
    for turn, first in enumerate(lot.tolist()):
        if len(found) == len(mined) // size:
            break
        if not free[first]:
            continue
        free[first] = False
        near = np.concatenate([owners[:0], *(owners[starts[p] : starts[p + 1]] for p in mined[first].tolist())])
        others, shared = np.unique(near[free[near]], return_counts=True)
        nearest = others[np.lexsort((place[others], -shared))][: size - 1]
        free[nearest] = False
        if missing := size - 1 - len(nearest):
            waiting = lot[turn:]
            nearest = np.concatenate([nearest, waiting[free[waiting]][:missing]])
            free[nearest] = False
        found.append(np.concatenate([[first], nearest]))
    return np.array(found, np.int64).reshape(-1, size)


def _inverted(mined: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Which queries found each passage: ``owners[starts[p] : starts[p + 1]]``, in their order."""
    passages = np.concatenate([np.empty(0, np.int64), *mined])
    queries = np.repeat(np.arange(len(mined)), [len(own) for own in mined])
    starts = np.concatenate([[0], np.cumsum(np.bincount(passages))])
    return starts, queries[np.argsort(passages, kind="stable")]
