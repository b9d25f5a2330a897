"""The interface between engines and kernels, for any processor."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from bench.index.index import Compressed, Index
from bench.search.ranking import Ranking, select
from bench.search.stage_times import Watch

LARGEST = 32_000
LARGEST_QUERY = 16_383
SMALLEST = 1e-30
TOGETHER = 32  # query vectors side by side


class Kernels(Protocol):
    """The inner loops of search over one compressed index, for one query or, on a GPU, for a batch of queries at a time.

    Similarities to centroids are integers, so that neither the order of sums nor the number of threads nor the processor
    changes what is selected. They are exact sums of products (``rounded_query``). Centroids are chosen in fixed point of 16
    bits (``fixed_point_scale``); the interaction uses the rounded high bytes, which are fixed point of 8 bits.

    ``each`` gives what ``open`` takes: a query ``[query vectors, dim]`` float32 without padding, or several. The other
    methods take the result of ``open``, and what ``nearest``, ``candidates``, ``closest`` and ``chosen`` return: these are
    arrays of the kernels' own.
    """

    index: Index

    def open(self, query: Any) -> Any: ...

    def nearest(self, query: Any, nprobe: int) -> Any:
        """Return the ``nprobe`` most similar centroids of each query vector, the lower of equals."""
        ...

    def candidates(self, probed: Any) -> Any:
        """Return the passages with a vector in a probed list."""
        ...

    def closest(self, query: Any, passages: Any, kept: int, threshold: float | None = None) -> Any:
        """Return the ``kept`` best passages by interaction, the passages themselves if there are no more.

        The interaction of a passage is MaxSim with every vector replaced by its centroid, in the coarser fixed point. Only
        those centroids count that are at least ``threshold`` similar to some query vector.
        """
        ...

    def chosen(self, query: Any, passages: Any, kept: int, probed: Any) -> Any:
        """Return the ``kept`` best passages by MaxSim over those of their decoded vectors that are in a probed list."""
        ...

    def best(self, query: Any, passages: Any | None, k: int) -> Any:
        """Return the k best passages by MaxSim over their decoded vectors, out of all passages if None are given."""
        ...

    def each(self, search: Callable[[Any, Any], Any], queries: np.ndarray, exhaustive: bool = False) -> list[Ranking]:
        """Return the ranking of each query ``[queries, query vectors, dim]`` float32 by ``search(kernels, query)``.

        exhaustive: the search has no stage but ``best`` of all passages, whose memory does not grow with the queries.
        """
        ...

    def note(self, watch: Watch, stage: str, **work: int | Sequence[Any]) -> None:
        """Call a watch at the end of a stage, with numbers of passages, or with passages that are counted."""
        ...


class Host:
    """The methods that kernels on the host share: passages are ascending positions in the index, probed lists a mask."""

    index: Index
    interaction: Callable[..., np.ndarray]
    best: Callable[..., Ranking]

    def closest(self, query: Any, passages: np.ndarray, kept: int, threshold: float | None = None) -> np.ndarray:
        if len(passages) <= kept:
            return passages
        scores = self.interaction(query, passages, threshold)
        return passages[select(passages, scores, kept, self.index.id_rank)]

    def chosen(self, query: Any, passages: np.ndarray, kept: int, probed: np.ndarray) -> np.ndarray:
        return np.sort(self.best(query, passages, kept, probed).passages)

    def each(
        self,
        search: Callable[[Any, np.ndarray], Ranking],
        queries: np.ndarray,
        exhaustive: bool = False,  # noqa: ARG002
    ) -> list[Ranking]:
        return self._mapped(lambda kernels, query: search(kernels, without_padding(query)), queries)

    def _mapped(self, search: Callable[[Any, np.ndarray], Ranking], queries: np.ndarray) -> list[Ranking]:
        """Return the results of all queries, one after the other."""
        return [search(self, query) for query in queries]

    def note(self, watch: Watch, stage: str, **work: int | Sequence[np.ndarray]) -> None:
        watch(stage, **{name: some if isinstance(some, int) else sum(map(len, some)) for name, some in work.items()})


def largest_norm(compressed: Compressed) -> float:
    """Return the largest norm of all centroids, of all sums of a centroid and a residual, and of all residuals before they
    are multiplied by a factor. Rounding may make a centroid longer than 1. If norms are not stored, a bound is returned.
    """
    codec = compressed.codec
    longest = [float(np.linalg.norm(codec.centroids, axis=1).max()), float(compressed.norm_levels[-1]), 1.0]
    if codec.factors or not codec.normalised:
        residual = float(np.sqrt(np.square(codec.codebook, dtype=np.float64).sum(axis=2).max(axis=1).sum()))
        longest.append(residual if codec.normalised else longest[0] + residual * codec.largest_factor)
    return max(longest)


def fixed_point_scale(norms: np.ndarray, largest_norm: float) -> float:
    """Return the factor by which similarities of query vectors of these norms are multiplied before they are rounded to
    int16. No product exceeds ``LARGEST``.
    """
    return LARGEST / max(float(norms.max()) * largest_norm, SMALLEST)


def norms(vectors: np.ndarray) -> np.ndarray:
    """Return the float64 norms of ``[vectors, dim]``, each to the bit the same whatever the number of vectors."""
    return np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1))


def rounded_query(query: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a query ``[query vectors, dim]`` as int16 and its step, for exact sums of products with int8 centroids.

    Up to dim 1024 no sum of products exceeds int32.
    """
    step = max(float(np.abs(query).max()), float(np.finfo(np.float32).tiny)) / LARGEST_QUERY
    return np.rint(query.astype(np.float64) / step).astype(np.int16), step


def rounded_codebook(codebook: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a codebook ``[bytes, 256, part]`` as integers and its step, for exact sums of products with ``rounded_query``.

    No sum of the products of a sub-vector exceeds int32, by the inequality of Cauchy and Schwarz.
    """
    part = codebook.shape[2]
    most = min(LARGEST, (2**31 - 1) / ((LARGEST_QUERY + 1) * np.sqrt(part)) - np.sqrt(part))
    longest = float(np.sqrt(np.square(codebook, dtype=np.float64).sum(axis=2).max(initial=0)))
    step = max(longest, float(np.finfo(np.float32).tiny)) / most
    return np.rint(codebook.astype(np.float64) / step).astype(np.int16), step


def even(rows: np.ndarray) -> np.ndarray:
    """Return rows as int16, a zero behind each that has an odd number of elements."""
    padded = np.pad(rows, ((0, 0), (0, 1))) if rows.shape[1] % 2 else rows
    return np.ascontiguousarray(padded, np.int16)


def fixed_margin(margin: float, scale: float) -> int:
    """Return a difference of similarities in fixed point, at most that of any two."""
    return int(min(np.ceil(margin * scale), 2 * LARGEST))


def without_padding(query: np.ndarray) -> np.ndarray:
    """Return the query vectors that are not all zeros, float32."""
    return np.ascontiguousarray(query[query.any(axis=1)], np.float32)
