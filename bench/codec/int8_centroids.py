"""Centroids with one byte per dimension.

The residual is computed from the rounded centroid, so the residual contains what rounding loses.
"""

import numpy as np

LARGEST = 127


def to_bytes(centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``[centroids, dim]`` int8 and scales ``[centroids]`` float16 whose product is nearest to the centroids.

    A scale is rounded up to float16, so that the product is exact in float32 and rounding twice equals rounding once.
    """
    exact = np.abs(centroids).max(axis=1, initial=0) / LARGEST
    scales = exact.astype(np.float16)
    scales = np.where(scales < exact, np.nextafter(scales, np.float16(np.inf)), scales)
    steps = np.maximum(scales.astype(np.float32), np.finfo(np.float16).smallest_subnormal)
    return np.rint(centroids / steps[:, None]).astype(np.int8), scales


def from_bytes(values: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return centroids ``[centroids, dim]`` float32."""
    return values.astype(np.float32) * scales.astype(np.float32)[:, None]


def rounded(centroids: np.ndarray) -> np.ndarray:
    """Return the centroids as they will be read from disk."""
    return from_bytes(*to_bytes(centroids))
