"""The compiled loops of k-means and of the codec."""

import numpy as np

from bench.codec.vectors import Vectors, blocks
from bench.compiled import compiled

TINY = np.float32(np.finfo(np.float32).tiny)


@compiled()
def _add_up(points: np.ndarray, codes: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> None:
    for point in range(len(points)):
        code = codes[point]
        counts[code] += 1
        for dimension in range(points.shape[1]):
            sums[code, dimension] += points[point, dimension]


def sums(points: Vectors, codes: np.ndarray, centroids: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum ``[centroids, dim]`` float32 and number ``[centroids]`` of the points ``[points, dim]`` of each code."""
    total = np.zeros((centroids, points.shape[1]), np.float32)
    counts = np.zeros(centroids, np.int64)
    for some in blocks(len(points)):
        _add_up(points[some].astype(np.float32), codes[some], total, counts)
    return total, counts


def similarities(points: Vectors, codes: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Inner product ``[points]`` float32 of each point with the centroid of its code."""
    parts = [np.einsum("pd,pd->p", points[some].astype(np.float32), centroids[codes[some]]) for some in blocks(len(points))]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


@compiled()
def quantize(vectors: np.ndarray, centroids: np.ndarray, codes: np.ndarray, cutoffs: np.ndarray, out: np.ndarray) -> None:
    """Fill ``out [vectors, bytes]`` with the packed buckets of vectors ``[vectors, dim]`` float32 minus their centroids.

    cutoffs ``[buckets - 1, dim]``; a value on a cutoff goes to the lower bucket.
    """
    nbits = 1
    while (1 << nbits) <= len(cutoffs):
        nbits += 1
    per_byte = 8 // nbits
    buckets = np.empty(vectors.shape[1], np.uint8)
    for vector in range(len(vectors)):
        code = codes[vector]
        buckets[:] = 0
        for level in range(len(cutoffs)):
            for dimension in range(len(buckets)):
                buckets[dimension] += vectors[vector, dimension] - centroids[code, dimension] > cutoffs[level, dimension]
        for byte in range(out.shape[1]):
            packed = 0
            for place in range(per_byte):
                packed = packed << nbits | buckets[byte * per_byte + place]
            out[vector, byte] = packed


@compiled()
def decode(
    centroids: np.ndarray, codebook: np.ndarray, gains: np.ndarray, codes: np.ndarray, residuals: np.ndarray, out: np.ndarray
) -> None:
    """Fill ``out [vectors, dim]`` float32 with centroid plus residual, not normalised; gains are in the last byte."""
    number_of_bytes, _, part = codebook.shape
    for vector in range(len(codes)):
        code = codes[vector]
        gain = gains[residuals[vector, number_of_bytes]] if len(gains) else np.float32(1)
        for byte in range(number_of_bytes):
            entry = residuals[vector, byte]
            for dimension in range(part):
                place = byte * part + dimension
                out[vector, place] = centroids[code, place] + gain * codebook[byte, entry, dimension]
