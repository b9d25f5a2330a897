"""Which tokens have centroids of their own, which share some, and how many."""

from dataclasses import dataclass

import numpy as np

from bench.codec import kmeans, loops, nearest
from bench.codec.vectors import Vectors

OWN = 1.0  # centroids that a token must deserve to have some of its own
SHARED = 16.0  # centroids of a group of tokens, about
EXPONENT = 0.9  # the error falls with about the 18th root of the square of the number of centroids: 1 / (1 + 2 / 18)
ITERATIONS = 8  # of k-means over means of tokens


@dataclass(frozen=True)
class Groups:
    """Groups of tokens, and the centroids of each.

    of ``[vocabulary]`` int32: the group of a token, -1 for a token that no vector of the sample has; starts ``[groups + 1]``
    int64: group g has the centroids ``starts[g]`` to ``starts[g + 1]``.
    """

    of: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of_tokens(self, tokens: np.ndarray) -> np.ndarray:
        """Return the group ``[vectors]`` int32 of each token id, -1 for those of no group."""
        return np.where(tokens < len(self.of), self.of[np.minimum(tokens, len(self.of) - 1)], -1).astype(np.int32)


def find(sample: Vectors, tokens: np.ndarray, centroids: int, *, seed: int, threads: int) -> tuple[Groups, np.ndarray]:
    """Return the groups of the tokens of vectors ``[sample, dim]``, and the group ``[sample]`` int32 of each vector.

    A token or a group gets centroids by its ``share``: at least one, at most as many as it has vectors.
    """
    present, inverse = np.unique(tokens, return_inverse=True)
    counts = np.bincount(inverse)
    sums = loops.sums(sample, inverse, len(present))[0]
    shares = share(sums, counts, centroids)
    alone = shares >= OWN
    group = np.cumsum(alone) - 1
    if not alone.all():
        means = kmeans.unit(sums[~alone])
        number = max(1, round(float(shares[~alone].sum()) / SHARED))
        centres = kmeans.fit(means, number, seed=seed, iterations=ITERATIONS, threads=threads)
        group[~alone] = nearest.assign(means, centres, threads=threads).astype(np.int64) + int(alone.sum())
    group = np.unique(group, return_inverse=True)[1]  # without the empty ones
    total = np.zeros((int(group.max()) + 1, sums.shape[1]))
    np.add.at(total, group, sums)
    counts = np.bincount(group, counts).astype(np.int64)
    numbers = whole(share(total, counts, centroids), counts, centroids)
    of = np.full(int(present[-1]) + 1, -1, np.int32)
    of[present] = group
    return Groups(of, np.concatenate([[0], np.cumsum(numbers)])), of[tokens]


def share(sums: np.ndarray, counts: np.ndarray, centroids: int) -> np.ndarray:
    """Return shares ``[.]`` float64 of ``centroids`` in proportion to a power of the squared distances, added up, of unit
    vectors to the direction of their mean, from sums ``[., dim]`` and counts. All are 0 if all distances are 0.

    If the squared error of n centroids is ``energy * n ** (-2 / d)``, as at high rates in d dimensions, the total is least
    with numbers in proportion to the power ``1 / (1 + 2 / d)`` of the energies.
    """
    energies = np.maximum(2 * (counts - np.linalg.norm(sums.astype(np.float64), axis=1)), 0) ** EXPONENT
    return energies / max(energies.sum(), np.finfo(np.float32).tiny) * centroids


def whole(shares: np.ndarray, most: np.ndarray, centroids: int) -> np.ndarray:
    """Return whole numbers near shares: at least 1, at most ``most``, and ``centroids`` in all where that is possible."""
    numbers = np.clip(np.floor(shares).astype(np.int64), 1, most)
    while (left := centroids - int(numbers.sum())) > 0 and (free := np.flatnonzero(numbers < most)).size:
        numbers[free[np.argsort(numbers[free] - shares[free], kind="stable")[:left]]] += 1
    while (over := int(numbers.sum()) - centroids) > 0 and (free := np.flatnonzero(numbers > 1)).size:
        numbers[free[np.argsort(shares[free] - numbers[free], kind="stable")[:over]]] -= 1
    return numbers
