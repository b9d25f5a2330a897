"""The compiled loops of search on the CPU, for 16 or for 32 query vectors side by side in SIMD registers.

Counts, for 2 bits, dim 128 and 32 query vectors: a vector costs ``coarse`` 2 + 32 bytes of codes, 33 table rows of 64 bytes
and 32 additions of 32 lanes, where decoding and multiplying would cost 4,096 multiplications; ``fine`` does the latter.
``interaction`` costs one row of 64 bytes and one maximum of 32 lanes a vector.
"""

import functools
from collections.abc import Callable

import numpy as np
from numba import njit

from bench.search.kernels.lanes import (
    add,
    fill,
    fill_pairs,
    load,
    maximum,
    multiply,
    multiply_add,
    multiply_pairs,
    store,
    to_float,
    to_int16,
    total,
)

compiled = functools.partial(njit, nogil=True, cache=True, error_model="numpy")

TINY = np.float32(np.finfo(np.float32).tiny)


@functools.cache
def similarities(width: int) -> Callable[..., None]:
    """Similarity of every centroid to ``width`` query vectors: in float32, and in fixed point.

    centroids: flat ``[centroids, dim]`` int16, dim even; query: flat ``[dim / 2, width, 2]`` int16; factors ``[centroids]``
    float32: from a sum of products to a similarity. Sums are exact, so that nothing depends on their order.
    """
    pairs = 2 * width

    @compiled()
    def run(
        centroids: np.ndarray, query: np.ndarray, factors: np.ndarray, scale: float, out: np.ndarray, fixed: np.ndarray
    ) -> None:
        dim = len(query) // width
        scales = fill(np.float32(scale), width)
        for first in range(0, len(factors), 2):
            second = min(first + 1, len(factors) - 1)
            sums, sums_too = fill(np.int32(0), width), fill(np.int32(0), width)
            for pair in range(dim // 2):
                row = load(query, pair * pairs, pairs)
                sums = add(sums, multiply_pairs(fill_pairs(centroids, first * dim + 2 * pair, pairs), row))
                sums_too = add(sums_too, multiply_pairs(fill_pairs(centroids, second * dim + 2 * pair, pairs), row))
            found = multiply(to_float(sums), fill(factors[first], width))
            found_too = multiply(to_float(sums_too), fill(factors[second], width))
            store(out, first * width, found)
            store(fixed, first * width, to_int16(multiply(found, scales)))
            store(out, second * width, found_too)
            store(fixed, second * width, to_int16(multiply(found_too, scales)))

    return run


@functools.cache
def table(width: int) -> Callable[..., None]:
    """``out``: ``scale`` times the inner product of every sub-vector with its dimensions of every query vector."""

    @compiled()
    def run(query: np.ndarray, codebook: np.ndarray, scale: float, out: np.ndarray) -> None:
        factor = fill(np.float32(scale), width)
        number, entries, part = codebook.shape
        for byte in range(number):
            for entry in range(entries):
                total = fill(np.float32(0), width)
                for dimension in range(part):
                    value = fill(codebook[byte, entry, dimension], width)
                    total = multiply_add(value, load(query, (byte * part + dimension) * width, width), total)
                store(out, (byte * entries + entry) * width, to_int16(multiply(total, factor)))

    return run


@compiled()
def _insert(values: np.ndarray, owners: np.ndarray, value: float, owner: int) -> None:
    """Put a value that exceeds the last of the descending ``values`` in its place, after equal ones."""
    place = len(values) - 1
    while place > 0 and value > values[place - 1]:
        values[place], owners[place] = values[place - 1], owners[place - 1]
        place -= 1
    values[place], owners[place] = value, owner


@functools.cache
def nearest(width: int) -> Callable[..., None]:
    """Mark in ``out [centroids]`` the nprobe largest of ``scores [centroids, width]`` for each of the first lanes."""

    @compiled()
    def run(scores: np.ndarray, lanes: int, nprobe: int, out: np.ndarray) -> None:
        values = np.full((width, nprobe), -np.inf, np.float32)
        owners = np.full((width, nprobe), -1, np.int64)
        least = np.full(width, -np.inf, np.float32)
        least[lanes:] = np.inf
        for centroid in range(len(out)):
            row = centroid * width
            promising = False
            for lane in range(width):
                promising |= scores[row + lane] > least[lane]
            if promising:
                for lane in range(lanes):
                    if scores[row + lane] > least[lane]:
                        _insert(values[lane], owners[lane], scores[row + lane], centroid)
                        least[lane] = values[lane, nprobe - 1]
        for owner in owners[:lanes].ravel():
            if owner >= 0:
                out[owner] = True

    return run


@functools.cache
def above(width: int) -> Callable[..., None]:
    """Mark in ``out [centroids]`` those with a score of at least ``threshold`` in any of the first lanes."""

    @compiled()
    def run(scores: np.ndarray, lanes: int, threshold: float, out: np.ndarray) -> None:
        for centroid in range(len(out)):
            hit = out[centroid]
            for lane in range(lanes):
                hit |= scores[centroid * width + lane] >= threshold
            out[centroid] = hit

    return run


@functools.cache
def interaction(width: int) -> Callable[..., None]:
    """Add to ``out [passages]`` int64 the sum of maxima of ``fixed`` over the centroids of each passage that are kept."""

    @compiled()
    def run(
        fixed: np.ndarray,
        lanes: int,
        codes: np.ndarray,
        offsets: np.ndarray,
        passages: np.ndarray,
        kept: np.ndarray,
        every: bool,
        out: np.ndarray,
    ) -> None:
        maxima = np.empty(width, np.int16)
        for number in range(len(passages)):
            passage = passages[number]
            best = fill(np.int16(-32768), width)
            for vector in range(offsets[passage], offsets[passage + 1]):
                code = np.int64(codes[vector])
                if every or kept[code]:
                    best = maximum(best, load(fixed, code * width, width))
            store(maxima, 0, best)
            total = np.int64(0)
            for lane in range(lanes):
                total += maxima[lane]
            out[number] += total

    return run


@functools.cache
def coarse(width: int) -> Callable[..., None]:
    """Add to ``out [passages]`` float32 the MaxSim of decoded vectors, from tables rounded to int16.

    Sums wrap around on their way, which is harmless: the last one fits. ``factors[norms]``: from a sum to a similarity.
    """

    @compiled()
    def run(
        fixed: np.ndarray,
        table: np.ndarray,
        codes: np.ndarray,
        residuals: np.ndarray,
        norms: np.ndarray,
        factors: np.ndarray,
        offsets: np.ndarray,
        passages: np.ndarray,
        kept: np.ndarray,
        every: bool,
        out: np.ndarray,
    ) -> None:
        number_of_bytes, packed = residuals.shape[1], residuals.reshape(-1)
        for number in range(len(passages)):
            passage = passages[number]
            best = fill(np.float32(-np.inf), width)
            for vector in range(offsets[passage], offsets[passage + 1]):
                code = np.int64(codes[vector])
                if not every and not kept[code]:
                    continue
                first, last = vector * number_of_bytes, (vector + 1) * number_of_bytes
                even, odd = load(fixed, code * width, width), fill(np.int16(0), width)
                row = 0
                while first < last - 3:
                    a, b = np.int64(packed[first]), np.int64(packed[first + 1])
                    c, d = np.int64(packed[first + 2]), np.int64(packed[first + 3])
                    left, right = load(table, row + a * width, width), load(table, row + (256 + b) * width, width)
                    even = add(even, add(left, load(table, row + (512 + c) * width, width)))
                    odd = add(odd, add(right, load(table, row + (768 + d) * width, width)))
                    first, row = first + 4, row + 1024 * width
                while first < last:
                    even = add(even, load(table, row + np.int64(packed[first]) * width, width))
                    first, row = first + 1, row + 256 * width
                best = maximum(best, multiply(to_float(add(even, odd)), fill(factors[norms[vector]], width)))
            out[number] += total(best)

    return run


@compiled()
def _next_kept(vector: int, stop: int, codes: np.ndarray, kept: np.ndarray, every: bool) -> int:
    """The first vector from ``vector`` on, and before ``stop``, whose centroid is kept; else ``stop``."""
    while vector < stop and not every and not kept[codes[vector]]:
        vector += 1
    return min(vector, stop)


@functools.cache
def fine(width: int, part: int) -> Callable[..., None]:
    """Add to ``out [passages]`` float32 the MaxSim of decoded vectors, in float32; ``part`` dimensions are in a byte.

    Vectors are taken two at a time, so that a row of the query is loaded once for both; the last odd one is taken twice.
    """

    @compiled()
    def decode(centroids: np.ndarray, start: int, codebook: np.ndarray, residual: np.ndarray, out: np.ndarray) -> float:
        """Fill ``out [dim]`` with the centroid at ``start`` plus the residual; returns one over its norm."""
        squares = fill(np.float32(0), part)
        for byte in range(len(residual)):
            entry = load(codebook, (byte * 256 + np.int64(residual[byte])) * part, part)
            value = add(load(centroids, start + byte * part, part), entry)
            store(out, byte * part, value)
            squares = multiply_add(value, value, squares)
        return np.float32(1) / max(np.sqrt(total(squares)), TINY)

    @compiled()
    def run(
        query: np.ndarray,
        centroids: np.ndarray,
        codebook: np.ndarray,
        codes: np.ndarray,
        residuals: np.ndarray,
        offsets: np.ndarray,
        passages: np.ndarray,
        kept: np.ndarray,
        every: bool,
        out: np.ndarray,
    ) -> None:
        dim = residuals.shape[1] * part
        one, other = np.empty(dim, np.float32), np.empty(dim, np.float32)
        for number in range(len(passages)):
            best = fill(np.float32(-np.inf), width)
            stop = offsets[passages[number] + 1]
            first = _next_kept(offsets[passages[number]], stop, codes, kept, every)
            while first < stop:
                second = _next_kept(first + 1, stop, codes, kept, every)
                again = second if second < stop else first
                factor = decode(centroids, np.int64(codes[first]) * dim, codebook, residuals[first], one)
                factor_again = decode(centroids, np.int64(codes[again]) * dim, codebook, residuals[again], other)
                sums, sums_again = fill(np.float32(0), width), fill(np.float32(0), width)
                for place in range(dim):
                    row = load(query, place * width, width)
                    sums = multiply_add(fill(one[place], width), row, sums)
                    sums_again = multiply_add(fill(other[place], width), row, sums_again)
                best = maximum(best, multiply(sums, fill(factor, width)))
                best = maximum(best, multiply(sums_again, fill(factor_again, width)))
                first = _next_kept(second + 1, stop, codes, kept, every)
            out[number] += total(best)

    return run
