"""Engine ``exact``: MaxSim of every query with every passage, over uncompressed or compressed vectors."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.index.index import Index
from bench.search.kernels.base import Kernels
from bench.search.kernels.loops import maxima
from bench.search.ranking import Ranking, top
from bench.search.stage_times import Watch, unwatched

VECTORS_PER_BLOCK = 1024
QUERY_VECTORS_PER_BLOCK = 1024
SCORES_KEPT = 8_000_000


class ExactKernels:
    """Exhaustive search by kernels, over codes and residuals or, on a GPU, over uncompressed vectors as well."""

    def __init__(self, kernels: Kernels):
        self.kernels = kernels

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]:
        """The k best passages of each query ``[queries, query vectors, dim]`` float32."""

        def search(kernels: Kernels, vectors: Any) -> Any:
            query = kernels.open(vectors)
            kernels.note(watch, "centroids")
            found = kernels.best(query, None, k)
            searched = 1 if isinstance(found, Ranking) else len(found)
            kernels.note(watch, "scoring", scored=searched * len(kernels.index))
            return found

        return self.kernels.each(search, queries, exhaustive=True)


class Exact:
    """Exhaustive search by matrix products. Vectors are read once per call, in blocks, for any number of queries.

    A compressed index is decoded. This search is the reference of ``ExactKernels``.
    """

    def __init__(self, index: Index):
        self.index = index

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]:
        """The k best passages of each query ``[queries, query vectors, dim]`` float32."""
        rank = self.index.id_rank
        best = [Ranking(np.empty(0, np.int64), np.empty(0, np.float32))] * len(queries)
        for first, last in self._pieces(max(1, SCORES_KEPT // max(1, len(queries)))):
            scores = self.scores(queries, first, last)
            numbers = np.arange(first, last)
            for query, found in enumerate(best):
                passages = np.concatenate([found.passages, numbers])
                best[query] = top(passages, np.concatenate([found.scores, scores[query]]), k, rank)
        watch("scoring", scored=len(queries) * len(self.index))
        return best

    def scores(self, queries: np.ndarray, first: int, last: int) -> np.ndarray:
        """Scores ``[queries, last - first]`` float32 of the passages ``first`` to ``last`` (exclusive)."""
        from bench.search.kernels.reference import similarities  # by torch, which takes seconds to import

        count, width, _ = queries.shape
        result = np.empty((count, last - first), np.float32)
        step = max(1, QUERY_VECTORS_PER_BLOCK // width)
        batches = [(slice(query, query + step), *joined(queries[query : query + step])) for query in range(0, count, step)]
        for start, stop in self._blocks(first, last):
            here = slice(int(self.index.offsets[start]), int(self.index.offsets[stop]))
            vectors = self.index.vectors(here)
            starts = self.index.offsets[start:stop] - here.start
            for some, rows, firsts in batches:
                best = maxima(np.ascontiguousarray(similarities(vectors, rows)), starts)
                result[some, start - first : stop - first] = np.add.reduceat(best, firsts, axis=1).T
        return result

    def _pieces(self, passages: int) -> Iterator[tuple[int, int]]:
        for first in range(0, len(self.index), passages):
            yield first, min(first + passages, len(self.index))

    def _blocks(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of passages with about ``VECTORS_PER_BLOCK`` vectors, at least one passage each."""
        offsets = self.index.offsets
        while first < last:
            stop = int(np.searchsorted(offsets, offsets[first] + VECTORS_PER_BLOCK, side="right")) - 1
            stop = min(max(stop, first + 1), last)
            yield first, stop
            first = stop


def joined(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors ``[., dim]`` of all queries without padding, and the position of the first vector of each query."""
    real = queries.any(axis=2)
    counts = real.sum(axis=1)
    return queries[real], np.cumsum(counts) - counts
