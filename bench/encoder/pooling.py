"""Pooling: near vectors of a passage become one (Clavié et al., arXiv 2409.14683).

The vectors of a passage are clustered by Ward's method. Of unit vectors, squared distances are twice one minus the cosine.
"""

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
    vectors. A passage of n vectors keeps ``n // factor`` vectors, and at least one.
    """
    parts, members, start = [vectors[:0]], [np.empty(0, np.int64)], 0
    for length in doclens.tolist():
        passage = vectors[start : start + length].astype(np.float32)
        labels = clusters(passage, max(1, length // factor))
        means = np.zeros((labels.max() + 1, passage.shape[1]), np.float32)
        np.add.at(means, labels, passage)
        norms = np.linalg.norm(means, axis=1, keepdims=True)
        first = np.unique(labels, return_index=True)[1]
        means = np.where(norms > 0, means / np.maximum(norms, np.finfo(np.float32).tiny), passage[first])
        closeness = np.einsum("vd,vd->v", passage, means[labels])
        order = np.lexsort((np.arange(length), -closeness, labels))
        members.append(start + order[np.searchsorted(labels[order], np.arange(len(means)))])
        parts.append(means.astype(np.float16))
        start += length
    found = np.array([len(part) for part in parts[1:]], np.int32)
    return Pooled(np.concatenate(parts), found, np.concatenate(members))


def clusters(vectors: np.ndarray, number: int) -> np.ndarray:
    """Return the cluster ``[vectors]`` of each vector, ``number`` in all, counted in the order of their first vectors."""
    count = len(vectors)
    if number >= count:
        return np.arange(count)
    owners = np.arange(2 * count - number)  # of a vector or a merge: the last merge that has it
    merges = linkage(vectors.astype(np.float64), "ward")[: count - number, :2].astype(np.int64)
    for merge, pair in enumerate(merges, count):
        owners[pair] = merge
    for place in reversed(range(len(owners))):
        owners[place] = owners[owners[place]]
    _, first, labels = np.unique(owners[:count], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[labels]
