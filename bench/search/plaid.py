"""Engine ``plaid``: centroid interaction with pruning (PLAID, arXiv 2205.09707, section 4)."""

import numpy as np

from bench.index.index import Compressed, Index
from bench.search.colbertv2 import nearest_centroids
from bench.search.exact import score_passages
from bench.search.kernels.reference import maxsim, similarities
from bench.search.ranking import Ranking, top

FINAL_SHARE = 4


class Plaid:
    """Four stages: candidates; interaction with the centroids above a threshold; with all of them; exact scores.

    The second stage keeps ndocs passages, the third ndocs / 4, and these are decoded.
    """

    def __init__(self, index: Index, compressed: Compressed, *, ncells: int, centroid_score_threshold: float, ndocs: int):
        self.index, self.compressed = index, compressed
        self.ncells, self.threshold, self.ndocs = ncells, centroid_score_threshold, ndocs

    def search(self, queries: np.ndarray, k: int) -> list[Ranking]:
        """The k best passages of each query ``[queries, query vectors, dim]`` float32, fewer where fewer are found."""
        return [self._search(query[query.any(axis=1)], k) for query in queries]

    def _search(self, query: np.ndarray, k: int) -> Ranking:
        rank = self.index.id_rank
        scores = similarities(self.compressed.codec.centroids, query)
        passages = self.compressed.passages_of(nearest_centroids(scores, self.ncells))
        pruned = np.where(scores.max(axis=1, keepdims=True) >= self.threshold, scores, -np.inf)
        for table, kept in ((pruned, self.ndocs), (scores, self.ndocs // FINAL_SHARE)):
            passages = np.sort(top(passages, self._interaction(table, passages), kept, rank).passages)
        return top(passages, score_passages(self.index, query, passages), k, rank)

    def _interaction(self, centroid_scores: np.ndarray, passages: np.ndarray) -> np.ndarray:
        """Scores ``[passages]`` with every vector replaced by its centroid, from ``[centroids, query vectors]``.

        A passage without any centroid above the threshold gets minus infinity: it comes last, in the order of ids.
        """
        lengths = self.index.doclens[passages].astype(np.int64)
        codes = self.compressed.codes[self.index.positions(passages)]
        return maxsim(centroid_scores[codes], np.cumsum(lengths) - lengths)
