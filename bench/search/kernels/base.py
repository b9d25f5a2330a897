"""The interface between engines and kernels, for any processor."""

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

    Similarities to centroids are integers, so that neither the order of sums nor the number of threads nor the processor
    changes what is selected. They are exact sums of products (``rounded_query``). Centroids are chosen in fixed point of 16
    bits (``fixed_point_scale``); the interaction uses the rounded high bytes, which are fixed point of 8 bits.

    ``open`` takes a query ``[query vectors, dim]`` float32 without padding, maps it as the codec does, and computes its
    similarity to every centroid. The other methods take the result of ``open``. Passages are ascending positions in the
    index.
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
    """Return the float64 norms of ``[vectors, dim]``."""
    wide = vectors.astype(np.float64)
    return np.sqrt(np.einsum("vd,vd->v", wide, wide))


def rounded_query(query: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a query ``[query vectors, dim]`` as int16 and its step, for exact sums of products with int8 centroids.

    Up to dim 1024 no sum of products exceeds int32.
    """
    step = max(float(np.abs(query).max()), float(np.finfo(np.float32).tiny)) / LARGEST_QUERY
    return np.rint(query.astype(np.float64) / step).astype(np.int16), step


def without_padding(query: np.ndarray) -> np.ndarray:
    """Return the query vectors that are not all zeros, float32."""
    return np.ascontiguousarray(query[query.any(axis=1)], np.float32)
