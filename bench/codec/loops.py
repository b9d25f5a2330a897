"""The compiled loops of k-means and of the codec."""

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from bench.codec.vectors import Vectors, blocks
from bench.machine.compiled import compiled, inlined
from bench.machine.simd import fill, largest, load, maximum, multiply_add, reaching, store

STRETCH = 512


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
def add_products(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """Add to ``out [rows, columns]`` the matrix product of ``left [rows, dim]`` and ``right [dim, columns]``."""
    for row in range(len(left)):
        for place in range(len(right)):
            value = left[row, place]
            for column in range(right.shape[1]):
                out[row, column] += value * right[place, column]


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


@inlined
def _first_of_largest(scores: np.ndarray) -> np.int64:
    """Position of the largest of 256 float32, the first of equals."""
    best = load(scores, 0, 32)
    for entry in range(32, 256, 32):
        best = maximum(best, load(scores, entry, 32))
    most, entry = fill(largest(best), 32), 0
    reached = reaching(load(scores, 0, 32), most)
    while not reached and entry < 224:
        entry += 32
        reached = reaching(load(scores, entry, 32), most)
    return entry + np.int64(trailing_zeros(reached))


@compiled()
def nearest_parts(
    vectors: np.ndarray,
    centroids: np.ndarray,
    codes: np.ndarray,
    shares: np.ndarray,
    table: np.ndarray,
    shift: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill ``out [vectors, bytes]`` with the sub-vectors nearest to those of vectors ``[vectors, dim]`` float32 minus their
    centroids, times the share of each where there are ``shares [centroids]``, the first of equals.

    table ``[bytes, dim / bytes, 256]`` float32: the sub-vectors, an element of all after the other; shift ``[bytes, 256]``:
    minus half of their squared norms, to which inner products are added. A stretch of vectors is compared with the part of
    the table that a byte takes, and then with the next, so that both stay in the caches: dim * 256 multiplications a vector.
    """
    part = table.shape[1]
    flat, starts = table.reshape(-1), shift.reshape(-1)
    left, right = np.empty(part, np.float32), np.empty(part, np.float32)
    scores, scores_too = np.empty(256, np.float32), np.empty(256, np.float32)
    for start in range(0, len(vectors), STRETCH):
        stop = min(start + STRETCH, len(vectors))
        for byte in range(len(table)):
            first = byte * part
            for vector in range(start, stop, 2):  # two at a time share what is loaded of the table
                other = min(vector + 1, stop - 1)
                code, code_too = codes[vector], codes[other]
                share = shares[code] if len(shares) else np.float32(1)
                share_too = shares[code_too] if len(shares) else np.float32(1)
                for place in range(part):
                    left[place] = (vectors[vector, first + place] - centroids[code, first + place]) * share
                    right[place] = (vectors[other, first + place] - centroids[code_too, first + place]) * share_too
                for entry in range(0, 256, 32):
                    found = load(starts, byte * 256 + entry, 32)
                    found_too = found
                    for place in range(part):
                        row = load(flat, (first + place) * 256 + entry, 32)
                        found = multiply_add(fill(left[place], 32), row, found)
                        found_too = multiply_add(fill(right[place], 32), row, found_too)
                    store(scores, entry, found)
                    store(scores_too, entry, found_too)
                out[vector, byte] = _first_of_largest(scores)
                out[other, byte] = _first_of_largest(scores_too)


@compiled()
def add_up_parts(points: np.ndarray, codes: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> None:
    """Add points ``[points, dim]`` to ``sums [bytes, 256, dim / bytes]`` by ``codes [points, bytes]``, and count them."""
    number, _, part = sums.shape
    for point in range(len(points)):
        for byte in range(number):
            entry = codes[point, byte]
            counts[byte, entry] += 1
            for place in range(part):
                sums[byte, entry, place] += points[point, byte * part + place]


@compiled()
def decode(
    centroids: np.ndarray,
    codebook: np.ndarray,
    gains: np.ndarray,
    spreads: np.ndarray,
    codes: np.ndarray,
    residuals: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill ``out [vectors, dim]`` float32 with centroid plus residual, not normalised, the latter times its gain, which the
    last byte picks where there are gains, and times the spread of its centroid, where there are spreads."""
    number_of_bytes, _, part = codebook.shape
    for vector in range(len(codes)):
        code = codes[vector]
        factor = gains[residuals[vector, number_of_bytes]] if len(gains) else np.float32(1)
        factor = factor * spreads[code] if len(spreads) else factor
        for byte in range(number_of_bytes):
            entry = residuals[vector, byte]
            for dimension in range(part):
                place = byte * part + dimension
                out[vector, place] = centroids[code, place] + factor * codebook[byte, entry, dimension]
