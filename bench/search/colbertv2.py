"""Engine ``colbertv2``: the paper's search (arXiv 2112.01488, section 3.5)."""

import numpy as np

from bench.index.index import Compressed, Index
from bench.search.exact import score_passages
from bench.search.kernels.reference import grouped, maxsim, similarities
from bench.search.ranking import Ranking, top


class ColBERTv2:
    """Candidates from the nprobe nearest centroids of each query vector, the best ncandidates scored exactly."""

    def __init__(self, index: Index, compressed: Compressed, *, nprobe: int, ncandidates: int):
        self.index, self.compressed = index, compressed
        self.nprobe, self.ncandidates = nprobe, ncandidates

    def search(self, queries: np.ndarray, k: int) -> list[Ranking]:
        """The k best passages of each query ``[queries, query vectors, dim]`` float32, fewer where fewer are found."""
        return [self._search(query[query.any(axis=1)], k) for query in queries]

    def _search(self, query: np.ndarray, k: int) -> Ranking:
        rank = self.index.id_rank
        passages, bounds = self.lower_bounds(query)
        candidates = np.sort(top(passages, bounds, self.ncandidates, rank).passages)
        return top(candidates, score_passages(self.index, query, candidates), k, rank)

    def lower_bounds(self, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidate passages and a lower bound of each one's score.

        Only the vectors in the probed lists are decoded; each is compared with every query vector, and the maxima
        are taken over the vectors of a passage that were met.
        """
        probed = nearest_centroids(similarities(self.compressed.codec.centroids, query), self.nprobe)
        passages = self.compressed.passages_of(probed)
        positions = self.index.positions(passages)
        is_probed = np.zeros(len(self.compressed.codec.centroids), bool)
        is_probed[probed] = True
        met = is_probed[self.compressed.codes[positions]]
        owners = np.repeat(passages, self.index.doclens[passages])[met]
        found, starts = grouped(owners)
        return found, maxsim(similarities(self.compressed.decode(positions[met]), query), starts)


def nearest_centroids(centroid_scores: np.ndarray, nprobe: int) -> np.ndarray:
    """Sorted distinct ids of the ``nprobe`` most similar centroids of each query vector.

    centroid_scores: ``[centroids, query vectors]``; of equal ones the lower id counts.
    """
    if nprobe >= len(centroid_scores):
        return np.arange(len(centroid_scores))
    left = np.ascontiguousarray(centroid_scores.T)
    rows = np.arange(len(left))
    found = []
    for _ in range(nprobe):
        found.append(left.argmax(axis=1))
        left[rows, found[-1]] = -np.inf
    return np.unique(np.concatenate(found))
