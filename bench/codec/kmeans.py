"""Centroids: their number, the sample of passages, and spherical k-means (arXiv 2112.01488, section 3.4)."""

import math
from dataclasses import dataclass

import numpy as np

from bench.codec import loops
from bench.codec.int8_centroids import rounded
from bench.codec.nearest import assign
from bench.codec.vectors import Vectors
from bench.errors import SettingsError

CENTROIDS_PER_ROOT = 16
HELDOUT_SHARE = 0.05
HELDOUT_MOST = 50_000
FIRST_POINTS, POINTS = 8, 96


@dataclass(frozen=True)
class Clusters:
    """Centroids ``[centroids, dim]`` float32, and spreads ``[centroids]`` float16.

    The spread of a centroid is the root of the mean squared distance of its vectors, divided by the same root over all
    vectors. All spreads are 1 if all distances are 0.
    """

    centroids: np.ndarray
    spreads: np.ndarray

    def assign(self, vectors: Vectors, tokens: np.ndarray | None = None, *, threads: int = 1) -> np.ndarray:  # noqa: ARG002
        """Return the code ``[vectors]`` of each vector: its nearest centroid. Tokens make no difference here."""
        return assign(vectors, self.centroids, threads=threads)


def number_of_centroids(vectors: int, times: int = 1) -> int:
    """Return ``times * 2**floor(log2(16 * sqrt(vectors)))``; the paper uses ``times = 1`` (section 3.4)."""
    if vectors < 1:
        raise SettingsError("an index needs at least one vector")
    if times < 1:
        raise SettingsError(f"{times} times the paper's number of centroids; at least 1 is right")
    return times * 2 ** math.floor(math.log2(CENTROIDS_PER_ROOT * math.sqrt(vectors)))


def sample_size(passages: int) -> int:
    """Return the number of passages in the k-means sample: ``16 * sqrt(120 * passages)``, but at most all of them."""
    return min(passages, 1 + int(16 * math.sqrt(120 * passages)))


def sample_passages(passages: int, rng: np.random.Generator) -> np.ndarray:
    """Return the sorted positions of a random sample of passages, without repetition."""
    return np.sort(rng.choice(passages, sample_size(passages), replace=False))


def hold_out(sample: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the ascending positions in a sample of the vectors for k-means, and of those on which codecs are fitted.

    Five per cent of the vectors are held out, at most 50,000. A sample of fewer than twenty vectors is not split: both parts
    are the whole sample.
    """
    held = min(HELDOUT_MOST, int(HELDOUT_SHARE * sample))
    if held == 0:
        return np.arange(sample), np.arange(sample)
    order = rng.permutation(sample)
    return np.sort(order[held:]), np.sort(order[:held])


def points_per_centroid(iteration: int) -> int:
    """Return how many vectors of a sample an iteration, from 0, uses for each centroid: twice as many as the one before."""
    return min(FIRST_POINTS * 2**iteration, POINTS)


def points_of_iterations(sample: int, centroids: int, iterations: int) -> int:
    """Return how many vectors of a sample all iterations of ``clusters`` compare with the centroids."""
    return sum(min(sample, points_per_centroid(number) * centroids) for number in range(iterations))


def fit(sample: Vectors, centroids: int, *, seed: int, iterations: int, threads: int = 1) -> np.ndarray:
    """Return only the centroids that ``clusters`` finds."""
    return clusters(sample, centroids, seed=seed, iterations=iterations, threads=threads).centroids


def clusters(sample: Vectors, centroids: int, *, seed: int, iterations: int, threads: int = 1) -> Clusters:
    """Run spherical k-means over ``[sample, dim]`` and return at most ``centroids`` centroids ``[., dim]`` float32.

    The centroids have norm 1 up to the rounding of their stored bytes (``bench.codec.int8_centroids``). The first iteration
    uses a random sample of ``FIRST_POINTS`` vectors per centroid. Each later iteration uses twice as many, up to ``POINTS``.
    The result is as good as with all vectors in every iteration, for half of the work. If the sample has no more distinct
    vectors than centroids, these vectors are the centroids.
    """
    # Sorting the whole sample is slow; unless a short stretch of it is short of distinct vectors, there are enough.
    if len(np.unique(sample[: 2 * centroids], axis=0)) <= centroids:
        distinct = np.unique(sample[:], axis=0)
        if len(distinct) <= centroids:
            return Clusters(rounded(unit(distinct.astype(np.float32))), np.ones(len(distinct), np.float16))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(sample))[: POINTS * centroids]
    found, spreads = unit(sample[np.sort(order[:centroids])].astype(np.float32)), np.ones(centroids, np.float16)
    for iteration in range(iterations):
        points = only(sample, np.sort(order[: centroids * points_per_centroid(iteration)]))
        codes = assign(points, found, threads=threads, doubtful=0)
        found, spreads = _means(points, codes, found)
    return Clusters(rounded(found), spreads)


def only(vectors: Vectors, rows: np.ndarray) -> Vectors:
    """Return some of the vectors; vectors that are read on access stay unread."""
    return vectors[rows] if isinstance(vectors, np.ndarray) else vectors.only(rows)


def _means(points: Vectors, codes: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised sum of the points of each centroid, and its spread.

    A centroid without points moves to the point that is farthest from its own centroid.
    """
    sums, counts = loops.sums(points, codes, len(centroids))
    means = unit(sums)
    empty = np.flatnonzero((counts == 0) | ~sums.any(axis=1))
    if len(empty):
        closeness = loops.similarities(points, codes, centroids)
        means[empty] = unit(points[np.argsort(closeness, kind="stable")[: len(empty)]].astype(np.float32))
    return means, spreads(sums, counts)


def spreads(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the spreads ``[centroids]`` float16 of ``Clusters`` from sums ``[centroids, dim]`` of unit vectors and counts.

    The squared distances of n unit vectors to the direction of their sum s add up to 2 n - 2 |s|. One more vector at the
    mean distance of all vectors is added to each centroid, which keeps the estimate stable for centroids with few vectors or
    none.
    """
    squares = np.maximum(2 * (counts - np.linalg.norm(sums.astype(np.float64), axis=1)), 0)
    mean = squares.sum() / counts.sum()
    if mean <= 0:
        return np.ones(len(counts), np.float16)
    return np.sqrt((squares + mean) / (counts + 1) / mean).astype(np.float16)


def unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32)
