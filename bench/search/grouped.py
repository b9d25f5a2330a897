"""Engine ``grouped``: groups of centroids before centroids, passages from lists alone, scores in fixed point.

The plan is that of TACHIOM (arXiv 2604.28142): a hierarchy over many centroids, first scores from centroids alone, and
residuals for the last few hundred passages. Passages are gathered from inverted lists as in WARP (arXiv 2501.17788).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.search.kernels.grouped_cpu import GroupedCPU
from bench.search.kernels.groups import Groups
from bench.search.ranking import Ranking, top
from bench.search.stage_times import Watch, unwatched

if TYPE_CHECKING:  # it imports torch, which takes seconds
    from bench.search.kernels.reference import Reference


class Grouped:
    """Three stages: centroids of the nearest groups; passages from the lists of the nearest centroids; scores of the best.

    The second stage gives a passage, for each query vector, the similarity of the nearest centroid among those whose lists
    are read, and just less than the last of them if it is in none of their lists. The nscored best passages get MaxSim over
    their decoded vectors. Vectors whose centroid is more than ``margin`` less similar than the passage's best one, to every
    query vector of 32 that are scored together, are left out.
    """

    def __init__(
        self,
        kernels: "GroupedCPU | Reference",
        groups: Groups,
        *,
        ngroups: int,
        nlists: int,
        nscored: int,
        margin: float,
    ):
        self.kernels, self.groups = kernels, groups
        self.ngroups, self.nlists, self.nscored, self.margin = ngroups, nlists, nscored, margin

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]:
        """The k best passages of each query ``[queries, query vectors, dim]`` float32, fewer where fewer are found."""
        rank = self.kernels.index.id_rank

        def search(kernels: Any, vectors: np.ndarray) -> Ranking:
            query = kernels.opened(vectors)
            near = kernels.near(query, self.groups, self.ngroups)
            kernels.note(watch, "centroids")
            gathered = kernels.gathered(query, near, self.nlists)
            passages, candidates = kernels.strongest(gathered, self.nscored)
            kernels.note(watch, "candidates", candidates=candidates)
            scores, one = kernels.scored(query, passages, self.margin)
            found = top(passages, scores, k, rank)
            kernels.note(watch, "scoring", scored=[passages])
            return Ranking(found.passages, (found.scores / one).astype(np.float32))

        return self.kernels.each(search, queries)
