"""The compiled loops over centroids and over similarities, for 16 or for 32 query vectors side by side in SIMD registers.

``interaction`` costs one row of 64 bytes and one maximum of 32 lanes a vector.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from bench.machine.compiled import compiled, inlined
from bench.machine.simd import (
    REGISTERS,
    add,
    exceeding,
    fill,
    fill_pairs,
    load,
    maximum,
    multiply,
    multiply_pairs,
    prefetch,
    store,
    to_float,
    to_int8,
    to_int16,
)

LEAST, MOST = np.int16(-32768), np.int16(32767)
AHEAD, DISTANT = 4, 8


@functools.cache
def similarities(width: int) -> Callable[..., None]:
    """Similarity of some centroids to ``width`` query vectors, in fixed point: flat ``[centroids, width]``, int16 and int8.

    centroids: flat ``[centroids, dim]`` int16, dim even; wanted: the centroids whose similarities are filled in; query: flat
    ``[dim / 2, width, 2]`` int16; scales ``[centroids]`` float32 times ``factor``: from a sum of products to fixed point.
    Sums are exact, so that nothing depends on their order. Two centroids at a time share what is loaded of the query; four
    where there are registers for their sums, since the instruction that multiplies and adds at once gives its result five
    cycles later, and two a cycle can begin.
    """
    pairs, four = 2 * width, REGISTERS >= 32
    step = 4 if four else 2

    @compiled()
    def run(
        centroids: np.ndarray,
        wanted: np.ndarray,
        query: np.ndarray,
        scales: np.ndarray,
        factor: float,
        fixed: np.ndarray,
        fixed8: np.ndarray,
    ) -> None:
        dim, last, each = len(query) // width, len(wanted) - 1, np.float32(factor)
        for place in range(0, len(wanted), step):
            for number in range(place + DISTANT, min(place + DISTANT + step, last + 1)):
                for element in range(0, dim, 32):
                    prefetch(centroids, wanted[number] * dim + element)
            first, second = wanted[place], wanted[min(place + 1, last)]
            third, fourth = wanted[min(place + 2, last)], wanted[min(place + 3, last)]
            sums1, sums2 = fill(np.int32(0), width), fill(np.int32(0), width)
            sums3, sums4 = fill(np.int32(0), width), fill(np.int32(0), width)
            for pair in range(dim // 2):
                row = load(query, pair * pairs, pairs)
                sums1 = add(sums1, multiply_pairs(fill_pairs(centroids, first * dim + 2 * pair, pairs), row))
                sums2 = add(sums2, multiply_pairs(fill_pairs(centroids, second * dim + 2 * pair, pairs), row))
                if four:
                    sums3 = add(sums3, multiply_pairs(fill_pairs(centroids, third * dim + 2 * pair, pairs), row))
                    sums4 = add(sums4, multiply_pairs(fill_pairs(centroids, fourth * dim + 2 * pair, pairs), row))
            _in_fixed_point(sums1, scales[first] * each, fixed, fixed8, first * width, width)
            _in_fixed_point(sums2, scales[second] * each, fixed, fixed8, second * width, width)
            if four:
                _in_fixed_point(sums3, scales[third] * each, fixed, fixed8, third * width, width)
                _in_fixed_point(sums4, scales[fourth] * each, fixed, fixed8, fourth * width, width)

    return run


@inlined
def _in_fixed_point(sums: Any, factor: np.float32, fixed: np.ndarray, fixed8: np.ndarray, place: int, width: int) -> None:
    """Store ``factor`` times the lanes of ``sums``, rounded, and their high bytes."""
    found = to_int16(multiply(to_float(sums), fill(factor, width)))
    store(fixed, place, found)
    store(fixed8, place, to_int8(found))


@compiled()
def _insert(values: np.ndarray, owners: np.ndarray, value: int, owner: int) -> None:
    """Put a value that exceeds the last of the descending ``values`` in its place, after equal ones."""
    place = len(values) - 1
    while place > 0 and value > values[place - 1]:
        values[place], owners[place] = values[place - 1], owners[place - 1]
        place -= 1
    values[place], owners[place] = value, owner


@functools.cache
def nearest(width: int) -> Callable[..., None]:
    """Mark in ``out [centroids]`` the nprobe largest of ``fixed [centroids, width]`` for each of the first lanes."""

    @compiled()
    def run(fixed: np.ndarray, lanes: int, nprobe: int, out: np.ndarray) -> None:
        values = np.full((width, nprobe), LEAST, np.int16)
        owners = np.full((width, nprobe), -1, np.int64)
        least = np.full(width, LEAST, np.int16)
        least[lanes:] = MOST
        for centroid in range(len(out)):
            row = centroid * width
            promising = exceeding(load(fixed, row, width), load(least, 0, width))
            while promising:
                lane = np.int64(trailing_zeros(promising))
                _insert(values[lane], owners[lane], fixed[row + lane], centroid)
                least[lane] = values[lane, nprobe - 1]
                promising &= promising - np.uint64(1)
        for owner in owners[:lanes].ravel():
            if owner >= 0:
                out[owner] = True

    return run


@compiled()
def first_lanes(lanes: int) -> np.uint64:
    """A bit for each of the first lanes, at most 63."""
    return (np.uint64(1) << np.uint64(lanes)) - np.uint64(1)


@functools.cache
def above(width: int) -> Callable[..., None]:
    """Mark in ``out [centroids]`` those with a ``fixed`` of at least ``threshold`` in any of the first lanes."""

    @compiled()
    def run(fixed: np.ndarray, lanes: int, threshold: int, out: np.ndarray) -> None:
        below, real = fill(np.int16(threshold - 1), width), first_lanes(lanes)
        for centroid in range(len(out)):
            out[centroid] |= (exceeding(load(fixed, centroid * width, width), below) & real) != 0

    return run


@functools.cache
def interaction(width: int) -> Callable[..., None]:
    """Add to ``out [passages]`` int64 the sum of maxima of ``fixed8`` over the centroids of each passage that are kept."""

    @compiled()
    def run(
        fixed8: np.ndarray,
        lanes: int,
        codes: np.ndarray,
        offsets: np.ndarray,
        passages: np.ndarray,
        kept: np.ndarray,
        every: bool,
        out: np.ndarray,
    ) -> None:
        maxima = np.empty(width, np.int8)
        for number in range(len(passages)):
            prefetch_passage(codes, offsets, passages, number + AHEAD, 1, 32)
            passage = passages[number]
            best = fill(np.int8(-128), width)
            for vector in range(offsets[passage], offsets[passage + 1]):
                code = np.int64(codes[vector])
                if every or kept[code]:
                    best = maximum(best, load(fixed8, code * width, width))
            store(maxima, 0, best)
            total = np.int64(0)
            for lane in range(lanes):
                total += maxima[lane]
            out[number] += total

    return run


@compiled()
def maxima(similarities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """``bench.search.kernels.reference.maxima`` of contiguous rows."""
    columns = similarities.shape[1]
    found = np.empty((len(starts), columns), similarities.dtype)
    for passage in range(len(starts)):
        stop = starts[passage + 1] if passage + 1 < len(starts) else len(similarities)
        found[passage] = similarities[starts[passage]]
        for vector in range(starts[passage] + 1, stop):
            for column in range(columns):
                value, best = similarities[vector, column], found[passage, column]
                found[passage, column] = value if value > best else best
    return found


@inlined
def prefetch_passage(
    array: np.ndarray, offsets: np.ndarray, passages: np.ndarray, number: int, size: int, step: int
) -> None:
    """Ask for what a passage has in a flat array, if there is a passage of that number: ``size`` elements a vector, ``step``
    a cache line."""
    if number < len(passages):
        passage = passages[number]
        for place in range(offsets[passage] * size, offsets[passage + 1] * size, step):
            prefetch(array, place)
