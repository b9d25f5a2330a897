"""Pooling: near vectors of a passage become one (Clavié et al., arXiv 2409.14683).

The vectors of a passage are clustered by Ward's method. Of unit vectors, squared distances are twice one minus the cosine.
Clavié et al. leave each passage its share of vectors. Here all passages of a shard are cut at one cost, which leaves as many
vectors at the least squared error: a passage that repeats itself is left fewer than one that does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage


@dataclass(frozen=True)
class Pooled:
    """vectors ``[vectors, dim]`` float16 of norm 1; doclens ``[passages]`` int32; members ``[vectors]``: for each vector the
    position of the vector before pooling that is nearest to it, the first of equals, among those that it stands for.
    """

    vectors: np.ndarray
    doclens: np.ndarray
    members: np.ndarray


def pooled(vectors: np.ndarray, doclens: np.ndarray, factor: int) -> Pooled:
    """Return the normalised means of clusters of the vectors ``[vectors, dim]`` of each passage, in the order of their first
    vectors. Of n vectors in all, ``n // factor`` are left, and at least one of each passage.
    """
    starts = np.cumsum(doclens) - doclens
    passages = [vectors[start : start + length].astype(np.float32) for start, length in zip(starts, doclens, strict=True)]
    parts, members = [vectors[:0]], [np.empty(0, np.int64)]
    for passage, start, labels in zip(passages, starts, clusters(passages, factor), strict=True):
        means = np.zeros((labels.max() + 1, passage.shape[1]), np.float32)
        np.add.at(means, labels, passage)
        norms = np.linalg.norm(means, axis=1, keepdims=True)
        first = np.unique(labels, return_index=True)[1]
        means = np.where(norms > 0, means / np.maximum(norms, np.finfo(np.float32).tiny), passage[first])
        closeness = np.einsum("vd,vd->v", passage, means[labels])
        order = np.lexsort((np.arange(len(passage)), -closeness, labels))
        members.append(start + order[np.searchsorted(labels[order], np.arange(len(means)))])
        parts.append(means.astype(np.float16))
    found = np.array([len(part) for part in parts[1:]], np.int32)
    return Pooled(np.concatenate(parts), found, np.concatenate(members))


def clusters(passages: Iterable[np.ndarray], factor: int) -> list[np.ndarray]:
    """Return the cluster ``[vectors]`` of each vector of each passage, counted in the order of their first vectors.

    Merges come in the order of what they add to the squared error, those of all passages together, until one of ``factor``
    vectors is left, or one of each passage. Of equal merges, those of the first passage come first.
    """
    trees = [linkage(passage.astype(np.float64), "ward") if len(passage) > 1 else np.empty((0, 4)) for passage in passages]
    owners = np.repeat(np.arange(len(trees)), [len(tree) for tree in trees])
    vectors = len(owners) + len(trees)
    costs = np.concatenate([np.empty(0), *(tree[:, 2] for tree in trees)])
    chosen = np.argsort(costs, kind="stable")[: vectors - max(vectors // factor, len(trees))]
    merged = np.bincount(owners[chosen], minlength=len(trees))
    return [_labels(len(tree) + 1, tree[:count, :2].astype(np.int64)) for tree, count in zip(trees, merged, strict=True)]


def _labels(count: int, merges: np.ndarray) -> np.ndarray:
    owners = np.arange(count + len(merges))  # of a vector or a merge: the last merge that has it
    for merge, pair in enumerate(merges, count):
        owners[pair] = merge
    for place in reversed(range(len(owners))):
        owners[place] = owners[owners[place]]
    _, first, labels = np.unique(owners[:count], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[labels]
