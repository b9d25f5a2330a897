"""What an engine asks of a set of kernels, whichever processor they run on."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from bench.index.index import Compressed, Index
from bench.search.ranking import Ranking

LARGEST = 32_000
LARGEST_QUERY = 16_383
SMALLEST = 1e-30

Result = TypeVar("Result")


class Kernels(Protocol):
    """The inner loops of search over one compressed index.

    Similarities to centroids are integers everywhere, so that neither order nor number of threads nor processor changes a
    bit of what is selected: exact sums of products (``rounded_query``), in fixed point of 16 bits (``fixed_point_scale``)
    to choose centroids by, and of 8 bits, the high bytes rounded, for the interaction.

    ``open`` takes a query ``[query vectors, dim]`` float32 without padding, maps it as the codec does, and computes its
    similarity to every centroid; the others take what it returns. Passages are positions in the index, ascending.
    """

    index: Index

    def open(self, query: np.ndarray) -> Any: ...

    def nearest(self, query: Any, nprobe: int) -> np.ndarray:
        """Mask ``[centroids]`` of the ``nprobe`` most similar centroids of each query vector, the lower of equals."""
        ...

    def candidates(self, probed: np.ndarray) -> np.ndarray:
        """Passages with a vector in a list of the mask."""
        ...

    def interaction(self, query: Any, passages: np.ndarray, threshold: float | None = None) -> np.ndarray:
        """``[passages]`` int64: MaxSim with every vector replaced by its centroid, in the coarser fixed point. Only those
        centroids count that are at least ``threshold`` similar to some query vector.
        """
        ...

    def best(self, query: Any, passages: np.ndarray, k: int, probed: np.ndarray | None = None) -> Ranking:
        """The k best passages by MaxSim over their decoded vectors, only those in the lists of ``probed`` if given."""
        ...

    def each(self, search: Callable[[Any, np.ndarray], Result], queries: Sequence[np.ndarray]) -> list[Result]:
        """``search(kernels, query)`` of every query."""
        ...


def largest_norm(compressed: Compressed) -> float:
    """Of all centroids, which rounding may have made longer than 1, of all sums of a centroid and a residual, and of all
    residuals before they are multiplied. Of sums whose norms are not stored it is a bound.
    """
    codec = compressed.codec
    longest = [float(np.linalg.norm(codec.centroids, axis=1).max()), float(compressed.norm_levels[-1]), 1.0]
    if codec.factors or not codec.normalised:
        residual = float(np.sqrt(np.square(codec.codebook, dtype=np.float64).sum(axis=2).max(axis=1).sum()))
        longest.append(residual if codec.normalised else longest[0] + residual * codec.largest_factor)
    return max(longest)


def fixed_point_scale(norms: np.ndarray, largest_norm: float) -> float:
    """What similarities of query vectors of these norms are multiplied by to be rounded to int16: none can exceed
    ``LARGEST``."""
    return LARGEST / max(float(norms.max()) * largest_norm, SMALLEST)


def norms(vectors: np.ndarray) -> np.ndarray:
    """Norms, float64, of ``[vectors, dim]``."""
    wide = vectors.astype(np.float64)
    return np.sqrt(np.einsum("vd,vd->v", wide, wide))


def rounded_query(query: np.ndarray) -> tuple[np.ndarray, float]:
    """A query ``[query vectors, dim]`` as int16 and the step that they count, for exact sums with centroids in bytes.

    Up to dim 1024 no sum of products with a centroid exceeds int32.
    """
    step = max(float(np.abs(query).max()), float(np.finfo(np.float32).tiny)) / LARGEST_QUERY
    return np.rint(query.astype(np.float64) / step).astype(np.int16), step


def without_padding(query: np.ndarray) -> np.ndarray:
    """The vectors of a query that are not all zeros, float32."""
    return np.ascontiguousarray(query[query.any(axis=1)], np.float32)
