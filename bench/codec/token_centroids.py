"""Centroids within the tokens of the vocabulary, instead of k-means over all vectors (as in TACHIOM, arXiv 2604.28142).

The vectors of a token are near each other, so a vector is compared with the centroids of its own token alone: some tens of
products instead of thousands. Which tokens share centroids, and how many each has, is in ``bench.codec.token_groups``.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from bench.codec import kmeans, nearest, token_groups, token_loops
from bench.codec.int8_centroids import rounded
from bench.codec.kmeans import Clusters, points_per_centroid
from bench.codec.nearest import code_dtype
from bench.codec.token_groups import Groups
from bench.codec.vectors import Vectors, blocks
from bench.errors import DataError, SettingsError

CHUNK = 262_144
TASKS = 8  # of a thread


@dataclass(frozen=True)
class TokenClusters(Clusters):
    """Clusters that belong to groups of tokens."""

    groups: Groups

    def assign(self, vectors: Vectors, tokens: np.ndarray | None = None, *, threads: int = 1) -> np.ndarray:
        """Return the code ``[vectors]`` of each vector: the centroid of its token's group with the largest inner product.

        A vector whose token has no group gets the nearest of all centroids. The number of threads does not change the
        result. Raise DataError without a token of each vector.
        """
        if tokens is None or len(tokens) != len(vectors):
            raise DataError(f"{0 if tokens is None else len(tokens)} token ids are given for {len(vectors)} vectors")
        codes = np.empty(len(vectors), code_dtype(len(self.centroids)))
        owners = self.groups.of_tokens(tokens)
        search = _Search(self.centroids, self.groups, threads)
        for some in blocks(len(vectors), CHUNK):
            part, found = vectors[some], np.empty(some.stop - some.start, codes.dtype)
            search(part, np.maximum(owners[some], 0), found)
            strange = np.flatnonzero(owners[some] < 0)
            if len(strange):
                found[strange] = nearest.assign(part[strange], self.centroids, threads=threads)
            codes[some] = found
        return codes


def clusters(
    sample: Vectors, tokens: np.ndarray, centroids: int, *, seed: int, iterations: int, threads: int = 1
) -> TokenClusters:
    """Return at most ``centroids`` clusters of vectors ``[sample, dim]`` float16 with tokens ``[sample]``.

    Spherical k-means within each group of tokens, with as many points in each iteration as ``bench.codec.kmeans.clusters``.
    There are no more centroids than vectors, and at least as many as groups. The number of threads does not change the
    result. Raise SettingsError for a dim that is no multiple of 8.
    """
    if sample.shape[1] % 8:
        raise SettingsError(f"centroids by token are of vectors whose dim is a multiple of 8, and not {sample.shape[1]}")
    groups, owners = token_groups.find(sample, tokens, centroids, seed=seed, threads=threads)
    order = np.random.default_rng(seed).permutation(len(sample))
    found = _first(sample, owners, groups, order)
    spreads = np.ones(len(found), np.float16)
    for iteration in range(iterations):
        rows = np.sort(order[: len(found) * points_per_centroid(iteration)])
        found, spreads = _means(kmeans.only(sample, rows), owners[rows], found, groups, threads)
    return TokenClusters(rounded(found), spreads, groups)


class _Search:
    """The nearest centroid of the group of each vector, and sums over the vectors of each centroid."""

    def __init__(self, centroids: np.ndarray, groups: Groups, threads: int):
        self.groups, self.threads = groups, threads
        self.widths = -(-np.diff(groups.starts) // token_loops.LANES) * token_loops.LANES
        self.places = (np.cumsum(self.widths) - self.widths) * centroids.shape[1]
        self.table = np.empty(int(self.widths.sum()) * centroids.shape[1], np.float32)
        token_loops.tabled(centroids, groups.starts, self.places, self.table)

    def __call__(
        self,
        vectors: np.ndarray,
        owners: np.ndarray,
        codes: np.ndarray,
        sums: np.ndarray | None = None,
        counts: np.ndarray | None = None,
    ) -> np.ndarray:
        """Fill ``codes [vectors]``, add to ``sums [centroids, dim]`` and ``counts``; return the inner products."""
        closeness = np.empty(len(vectors), np.float32)
        bits = np.ascontiguousarray(vectors, np.float16).view(np.uint16).reshape(-1)
        order, bounds = token_loops.by_group(owners, len(self.groups))
        stored = self.groups.starts, self.places, self.table, codes, closeness

        def search(first: int, last: int) -> None:
            token_loops.nearest(bits, vectors.shape[1], order, bounds, first, last, *stored)

        def add(first: int, last: int) -> None:
            token_loops.add_up(bits, order, first, last, codes, sums, counts)

        with ThreadPoolExecutor(self.threads) as pool:
            _run(pool, search, self._shared(np.cumsum(self.widths[owners[order]])))
            if sums is not None:  # one thread adds up a group, in the order of its vectors
                _run(pool, add, bounds[np.searchsorted(bounds, self._shared(np.arange(1, len(order) + 1)))])
        return closeness

    def _shared(self, work: np.ndarray) -> np.ndarray:
        """Return where tasks of about the same work begin and end, from the work up to each vector."""
        count = self.threads * TASKS
        inner = np.searchsorted(work, int(work[-1] if len(work) else 0) * np.arange(1, count) // count)
        return np.concatenate([[0], inner, [len(work)]])


def _run(pool: ThreadPoolExecutor, task: Callable[[int, int], None], bounds: np.ndarray) -> None:
    for _ in pool.map(task, bounds[:-1].tolist(), bounds[1:].tolist()):
        pass


def _first(sample: Vectors, owners: np.ndarray, groups: Groups, order: np.ndarray) -> np.ndarray:
    """Return the first vectors of each group in a random order of all, as many as the group has centroids."""
    members, bounds = token_loops.by_group(owners[order], len(groups))
    numbers = np.diff(groups.starts)
    rows = order[members[np.arange(groups.starts[-1]) + np.repeat(bounds[:-1] - groups.starts[:-1], numbers)]]
    ascending = np.argsort(rows, kind="stable")
    found = np.empty((len(rows), sample.shape[1]), np.float32)
    found[ascending] = sample[rows[ascending]]
    return kmeans.unit(found)


def _means(
    points: Vectors, owners: np.ndarray, centroids: np.ndarray, groups: Groups, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised sum of the points of each centroid, and its spread.

    A centroid without points moves to the point of its group that is farthest from its own centroid, or stays where it is.
    """
    sums, counts = np.zeros_like(centroids), np.zeros(len(centroids), np.int64)
    codes, closeness = np.empty(len(points), code_dtype(len(centroids))), np.empty(len(points), np.float32)
    search = _Search(centroids, groups, threads)
    for some in blocks(len(points), CHUNK):
        closeness[some] = search(points[some], owners[some], codes[some], sums, counts)
    means = np.where(np.any(sums, axis=1, keepdims=True), kmeans.unit(sums), centroids)
    empty = np.flatnonzero(counts == 0)
    members, bounds = token_loops.by_group(owners, len(groups))
    needing = np.searchsorted(groups.starts, empty, side="right") - 1
    for group in np.unique(needing):
        own = members[bounds[group] : bounds[group + 1]]
        moved = empty[needing == group][: len(own)]
        farthest = own[np.argsort(closeness[own], kind="stable")[: len(moved)]]
        means[moved] = kmeans.unit(points[farthest].astype(np.float32))
    return means, kmeans.spreads(sums, counts)
