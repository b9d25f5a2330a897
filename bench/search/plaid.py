"""Engine ``plaid``: centroid interaction with pruning (PLAID, arXiv 2205.09707, section 4)."""

from typing import Any

import numpy as np

from bench.search.kernels.base import Kernels
from bench.search.ranking import Ranking
from bench.search.stage_times import Watch, unwatched

FINAL_SHARE = 4
NO_PRUNING = -1.0


class Plaid:
    """Four stages: candidates; interaction with the centroids above a threshold; with all centroids; exact scores.

    The second stage keeps ndocs passages, and the third stage keeps ndocs / 4, which are decoded. Similarities of unit
    vectors are at least -1. With that threshold, the second stage would give the scores of the third, so it is skipped.
    """

    def __init__(self, kernels: Kernels, *, ncells: int, centroid_score_threshold: float, ndocs: int):
        self.kernels = kernels
        self.ncells = ncells
        last = (None, ndocs // FINAL_SHARE)
        self.stages = (last,) if centroid_score_threshold <= NO_PRUNING else ((centroid_score_threshold, ndocs), last)

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]:
        """The k best passages of each query ``[queries, query vectors, dim]`` float32, fewer where fewer are found."""

        def search(kernels: Kernels, vectors: Any) -> Any:
            query = kernels.open(vectors)
            probed = kernels.nearest(query, self.ncells)
            kernels.note(watch, "centroids")
            passages = candidates = kernels.candidates(probed)
            interactions = []
            for threshold, kept in self.stages:
                closest = kernels.closest(query, passages, kept, threshold)
                if closest is not passages:
                    interactions.append(passages)
                passages = closest
            kernels.note(watch, "candidates", candidates=[candidates], interactions=interactions)
            found = kernels.best(query, passages, k)
            kernels.note(watch, "scoring", scored=[passages])
            return found

        return self.kernels.each(search, queries)
