"""Groups of similar centroids, by which a search finds centroids near a query vector without looking at all of them."""

from dataclasses import dataclass

import numpy as np

from bench.codec import kmeans, nearest
from bench.codec.codec import Codec
from bench.codec.int8_centroids import to_bytes
from bench.errors import SettingsError
from bench.search.kernels.base import even

SEED, ITERATIONS = 0, 4


@dataclass(frozen=True)
class Groups:
    """means ``[groups, dim]`` int16 and scales ``[groups]`` float32: their product is the mean of the centroids of a group.

    dim is rounded up to be even. members ``[centroids]`` int64: the centroids of group g are
    ``members[starts[g]:starts[g + 1]]``.
    """

    means: np.ndarray
    scales: np.ndarray
    members: np.ndarray
    starts: np.ndarray


def find(codec: Codec, number: int, threads: int = 1) -> Groups:
    """Return at most ``number`` groups of the centroids of a codec, by k-means over their directions. No group is empty.

    The number of threads does not change the result. Raise SettingsError for more groups than centroids.
    """
    centroids = codec.centroids
    if number > len(centroids):
        raise SettingsError(
            f"groups is {number}, but the index has {len(centroids)} centroids; use no more groups than that"
        )
    directions = kmeans.unit(centroids)
    found = kmeans.fit(directions, number, seed=SEED, iterations=ITERATIONS, threads=threads)
    owners = np.unique(nearest.assign(directions, found, threads=threads), return_inverse=True)[1]
    members = np.argsort(owners, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(owners))])
    sums = np.add.reduceat(centroids[members].astype(np.float64), starts[:-1])
    means, scales = to_bytes((sums / np.diff(starts)[:, None]).astype(np.float32))
    return Groups(even(means), scales.astype(np.float32), members, starts)
