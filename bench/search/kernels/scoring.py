"""The compiled loops that score passages by their decoded vectors, for 16 or for 32 query vectors side by side.

Counts, for 2 bits, dim 128 and 32 query vectors: a vector costs ``coarse`` 2 + 32 bytes of codes, 33 table rows of 64 bytes
and 32 additions of 32 lanes, where decoding and multiplying would cost 4,096 multiplications; ``fine`` does the latter.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from bench.machine.compiled import compiled, inlined
from bench.machine.simd import (
    add,
    fill,
    load,
    maximum,
    multiply,
    multiply_add,
    prefetch,
    reaching,
    store,
    to_float,
    to_int16,
    total,
    word,
)
from bench.search.kernels.loops import first_lanes, prefetch_passage

# What says by how much a residual is multiplied: nothing, the last of its bytes, or its code.
NO_FACTORS, BY_VECTOR, BY_CENTROID = 0, 1, 2
TINY = np.float32(np.finfo(np.float32).tiny)
WORD, BYTE = np.uint64(8), np.uint64(255)


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


@functools.cache
def coarse(width: int, kind: int) -> Callable[..., None]:
    """Add to ``out [passages]`` float32 the MaxSim of decoded vectors, from tables rounded to int16.

    Sums wrap around on their way, which is harmless: the last one fits. gains: what residuals are multiplied by, looked up
    as ``kind`` says; ``factors[norms]``: from a sum to a similarity.
    """

    @compiled()
    def run(
        fixed: np.ndarray,
        table: np.ndarray,
        codes: np.ndarray,
        residuals: np.ndarray,
        gains: np.ndarray,
        norms: np.ndarray,
        factors: np.ndarray,
        offsets: np.ndarray,
        passages: np.ndarray,
        kept: np.ndarray,
        every: bool,
        out: np.ndarray,
    ) -> None:
        packed = residuals.reshape(-1)
        for number in range(len(passages)):
            prefetch_passage(codes, offsets, passages, number + 2, 1, 32)
            prefetch_passage(norms, offsets, passages, number + 2, 1, 64)
            prefetch_passage(packed, offsets, passages, number + 1, residuals.shape[1], 64)
            passage = passages[number]
            best = fill(np.float32(-np.inf), width)
            for vector in range(offsets[passage], offsets[passage + 1]):
                code = np.int64(codes[vector])
                if every or kept[code]:
                    sums = _look_up(fixed, code, table, packed, vector, residuals.shape[1], gains, width, kind)
                    best = maximum(best, multiply(sums, fill(factors[norms[vector]], width)))
            out[number] += total(best)

    return run


@inlined
def _look_up(
    fixed: np.ndarray,
    code: int,
    table: np.ndarray,
    packed: np.ndarray,
    vector: int,
    size: int,
    gains: np.ndarray,
    width: int,
    kind: int,
) -> Any:
    """Lanes of float32: a centroid's similarities plus the rows of the table that the ``size`` bytes of a vector ask for, in
    fixed point.
    """
    centre, first = load(fixed, code * width, width), vector * size
    if kind == NO_FACTORS:
        found = to_float(rows_added(centre, table, packed, first, size, width))
    else:
        last = 1 if kind == BY_VECTOR else 0
        rows = rows_added(fill(np.int16(0), width), table, packed, first, size - last, width)
        gain = gains[packed[first + size - 1]] if kind == BY_VECTOR else gains[code]
        found = multiply_add(to_float(rows), fill(gain, width), to_float(centre))
    return found


@inlined
def rows_added(start: Any, table: np.ndarray, packed: np.ndarray, first: int, number: int, width: int) -> Any:
    """Lanes of int16: ``start`` plus a row of the table for each of ``number`` bytes, in two running sums."""
    place, last = np.uint64(first), np.uint64(first + number)
    even, odd, row = start, fill(np.int16(0), width), 0
    while place + WORD <= last:
        eight = word(packed, place)
        for _ in range(4):
            left, right = np.int64(eight & BYTE), np.int64(eight >> np.uint64(8) & BYTE)
            even = add(even, load(table, row + left * width, width))
            odd = add(odd, load(table, row + (256 + right) * width, width))
            eight, row = eight >> np.uint64(16), row + 512 * width
        place += WORD
    while place < last:
        even = add(even, load(table, row + np.int64(packed[place]) * width, width))
        place, row = place + np.uint64(1), row + 256 * width
    return add(even, odd)


@compiled()
def _dot(left: np.ndarray, right: np.ndarray, start: int) -> float:
    """Inner product of ``left`` with as many elements of ``right`` from ``start`` on."""
    even, odd, place = fill(np.float32(0), 16), fill(np.float32(0), 16), 0
    while place + 32 <= len(left):
        even = multiply_add(load(left, place, 16), load(right, start + place, 16), even)
        odd = multiply_add(load(left, place + 16, 16), load(right, start + place + 16, 16), odd)
        place += 32
    found = total(add(even, odd))
    while place < len(left):
        found += left[place] * right[start + place]
        place += 1
    return found


@inlined
def _decode(
    centroids: np.ndarray,
    start: int,
    scale: float,
    codebook: np.ndarray,
    residual: np.ndarray,
    gain: float,
    part: int,
    out: np.ndarray,
) -> float:
    """Fill ``out [dim]`` with ``scale`` times the centroid at ``start`` plus ``gain`` times the residual, bytes beyond its
    dimensions left out; returns one over its norm."""
    squares, factor, gains = fill(np.float32(0), part), fill(scale, part), fill(gain, part)
    for byte in range(len(out) // part):
        entry = multiply(load(codebook, (byte * 256 + np.int64(residual[byte])) * part, part), gains)
        value = multiply_add(to_float(load(centroids, start + byte * part, part)), factor, entry)
        store(out, byte * part, value)
        squares = multiply_add(value, value, squares)
    return np.float32(1) / max(np.sqrt(total(squares)), TINY)


@compiled()
def _next_kept(vector: int, stop: int, codes: np.ndarray, kept: np.ndarray, every: bool) -> int:
    """The first vector from ``vector`` on, and before ``stop``, whose centroid is kept; else ``stop``."""
    while vector < stop and not every and not kept[codes[vector]]:
        vector += 1
    return vector


@compiled()
def _longest(offsets: np.ndarray, passages: np.ndarray) -> int:
    longest = 0
    for passage in passages:
        longest = max(longest, offsets[passage + 1] - offsets[passage])
    return longest


@compiled()
def _raise(maxima: np.ndarray, wanted: np.uint64, vector: np.ndarray, factor: float, query: np.ndarray) -> None:
    """Raise the maxima of the lanes whose bits are set to ``factor`` times the vector's product with their query vectors."""
    while wanted:
        lane = np.int64(trailing_zeros(wanted))
        maxima[lane] = max(maxima[lane], factor * _dot(vector, query, lane * len(vector)))
        wanted &= wanted - np.uint64(1)


@functools.cache
def fine(width: int, part: int, kind: int, normalised: bool) -> Callable[..., None]:
    """Add to ``out [passages]`` float32 the MaxSim of decoded vectors, in float32; ``part`` dimensions are in a byte.

    Similarities from the tables say which vectors can be the most similar one to a query vector, being within ``margin``
    of the best: these alone are decoded and multiplied. query: flat ``[lanes, dim]`` float32; centroids: flat ``[centroids,
    dim]`` int16, dim rounded up to be even, and what ``scales [centroids]`` float32 they count.
    """

    @compiled()
    def run(
        query: np.ndarray,
        lanes: int,
        margin: float,
        centroids: np.ndarray,
        scales: np.ndarray,
        codebook: np.ndarray,
        fixed: np.ndarray,
        table: np.ndarray,
        codes: np.ndarray,
        residuals: np.ndarray,
        gains: np.ndarray,
        norms: np.ndarray,
        factors: np.ndarray,
        offsets: np.ndarray,
        passages: np.ndarray,
        kept: np.ndarray,
        every: bool,
        out: np.ndarray,
    ) -> None:
        packed, number_of_bytes = residuals.reshape(-1), residuals.shape[1]
        dim = (number_of_bytes - (1 if kind == BY_VECTOR else 0)) * part
        row, longest = len(centroids) // len(scales), _longest(offsets, passages)
        decoded, maxima = np.empty(dim, np.float32), np.empty(lanes, np.float32)
        rough, needed = np.empty(longest * width, np.float32), np.empty(longest, np.int64)
        lanes_of = np.empty(longest, np.uint64)
        real = first_lanes(lanes)
        for number in range(len(passages)):
            prefetch_passage(packed, offsets, passages, number + 1, number_of_bytes, 64)
            start, stop = offsets[passages[number]], offsets[passages[number] + 1]
            best = fill(np.float32(-np.inf), width)
            vector = _next_kept(start, stop, codes, kept, every)
            while vector < stop:
                code = np.int64(codes[vector])
                sums = _look_up(fixed, code, table, packed, vector, number_of_bytes, gains, width, kind)
                found = multiply(sums, fill(factors[norms[vector]], width))
                store(rough, (vector - start) * width, found)
                best = maximum(best, found)
                vector = _next_kept(vector + 1, stop, codes, kept, every)
            least, count = add(best, fill(np.float32(-margin), width)), 0
            vector = _next_kept(start, stop, codes, kept, every)
            while vector < stop:
                wanted = reaching(load(rough, (vector - start) * width, width), least) & real
                if wanted:
                    needed[count], lanes_of[count] = vector, wanted
                    count += 1
                    for place in range(0, row, 32):
                        prefetch(centroids, np.int64(codes[vector]) * row + place)
                vector = _next_kept(vector + 1, stop, codes, kept, every)
            maxima[:] = -np.inf
            for place in range(count):
                vector = needed[place]
                code = np.int64(codes[vector])
                gain = np.float32(1)
                if kind == BY_VECTOR:
                    gain = gains[residuals[vector, number_of_bytes - 1]]
                elif kind == BY_CENTROID:
                    gain = gains[code]
                factor = _decode(centroids, code * row, scales[code], codebook, residuals[vector], gain, part, decoded)
                factor = factor if normalised else np.float32(1)
                _raise(maxima, lanes_of[place], decoded, factor, query)
            out[number] += maxima.sum()

    return run
