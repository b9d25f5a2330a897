"""Engine ``flat``: inner product of single vectors by FAISS, for the single-vector baseline."""

import faiss
import numpy as np

from bench.errors import SettingsError
from bench.index.index import Index
from bench.search.ranking import Ranking, top
from bench.search.stage_times import Watch, unwatched


class Flat:
    """Exhaustive single-vector search by FAISS, whose number of threads is set for the whole process.

    Raise SettingsError for an index with more than one vector per passage.
    """

    def __init__(self, index: Index, threads: int = 1):
        if (index.doclens != 1).any():
            raise SettingsError("the engine flat needs one vector per passage (a model of kind mean); use exact here")
        faiss.omp_set_num_threads(threads)
        self.index = index
        self.flat = faiss.IndexFlatIP(index.dim)
        self.flat.add(index.vectors(slice(None)))

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]:
        """The k best passages of each query ``[queries, 1, dim]`` float32."""
        found = [self._search(query, k) for query in np.ascontiguousarray(queries)]
        watch("scoring", scored=len(queries) * len(self.index))
        return found

    def _search(self, query: np.ndarray, k: int) -> Ranking:
        """Search deeper until the last score differs from the k-th score, so that all ties at the cutoff are seen."""
        asked = k + 1
        while True:
            scores, passages = self.flat.search(query, min(asked, len(self.index)))
            if asked >= len(self.index) or scores[0, -1] < scores[0, k - 1]:
                return top(passages[0], scores[0], k, self.index.id_rank)
            asked *= 2
