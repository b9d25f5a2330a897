"""Engine ``colbertv2``: the paper's search (arXiv 2112.01488, section 3.5)."""

from typing import Any

import numpy as np

from bench.search.kernels.base import Kernels
from bench.search.ranking import Ranking
from bench.search.stage_times import Watch, unwatched


class ColBERTv2:
    """Candidates from the nprobe nearest centroids of each query vector, the best ncandidates scored exactly."""

    def __init__(self, kernels: Kernels, *, nprobe: int, ncandidates: int):
        self.kernels = kernels
        self.nprobe, self.ncandidates = nprobe, ncandidates

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]:
        """The k best passages of each query ``[queries, query vectors, dim]`` float32, fewer where fewer are found.

        The first selection is by a lower bound of the score: the maxima are taken over those vectors of a passage that
        lie in a probed list.
        """

        def search(kernels: Kernels, vectors: Any) -> Any:
            query = kernels.open(vectors)
            probed = kernels.nearest(query, self.nprobe)
            kernels.note(watch, "centroids")
            candidates = kernels.candidates(probed)
            passages = kernels.chosen(query, candidates, self.ncandidates, probed)
            kernels.note(watch, "candidates", candidates=[candidates])
            found = kernels.best(query, passages, k)
            kernels.note(watch, "scoring", scored=[passages])
            return found

        return self.kernels.each(search, queries)
