"""The compiled loops of the engine ``grouped``: passages from the lists of centroids, and scores in fixed point."""

import functools
from collections.abc import Callable

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from bench.index.inverted import next_gap
from bench.machine.compiled import compiled
from bench.machine.simd import (
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
    to_int16,
)
from bench.search.kernels.loops import AHEAD, first_lanes, prefetch_passage
from bench.search.kernels.scoring import BY_VECTOR, NO_FACTORS, rows_added

VALUES, ZERO = 256, 128  # of an int8
LOWEST, HIGHEST = np.int16(-32768), np.int16(32767)


@functools.cache
def table(width: int) -> Callable[..., None]:
    """``out``, flat ``[bytes, 256, width]`` int16: ``factor`` times the exact inner product of every sub-vector of a
    codebook ``[bytes, 256, part]`` int16 with its dimensions of every query vector, ``query`` flat ``[dim / part, part / 2,
    width, 2]``; part even.
    """
    pairs = 2 * width

    @compiled()
    def run(query: np.ndarray, codebook: np.ndarray, factor: float, out: np.ndarray) -> None:
        number, entries, part = codebook.shape
        flat, factors = codebook.reshape(-1), fill(np.float32(factor), width)
        for row in range(number * entries):
            place = row // entries * part * width
            sums = fill(np.int32(0), width)
            for pair in range(part // 2):
                products = multiply_pairs(fill_pairs(flat, row * part + 2 * pair, pairs), load(query, place, pairs))
                sums = add(sums, products)
                place += pairs
            store(out, row * width, to_int16(multiply(to_float(sums), factors)))

    return run


@compiled()
def _cut(counts: np.ndarray, wanted: int) -> int:
    """The largest value that at least ``wanted`` reach, else the least that any has, from ``counts [VALUES]``."""
    reached, found = 0, VALUES - 1
    for value in range(VALUES - 1, -1, -1):
        if counts[value]:
            reached, found = reached + counts[value], value
            if reached >= wanted:
                break
    return found


@compiled()
def _places(counts: np.ndarray, wanted: int, free: int) -> tuple[int, int]:
    """Turn ``counts [VALUES]`` of the values that are chosen into places from ``free`` on, the largest value first.

    Returns the value below the least that is chosen, as int8 has it, and the first place after all.
    """
    cut = _cut(counts, wanted)
    for value in range(VALUES - 1, cut - 1, -1):
        count = counts[value]
        counts[value] = free
        free += count
    return cut - ZERO - 1, free


@compiled()
def _visit(lists: np.ndarray, place: int, stop: int, amount: int, lane: int, shift: int, met: np.ndarray) -> None:
    """Add ``amount`` to the scores of the passages of a list that this lane has not met yet, without a branch: it would wait
    for the score, and would often be predicted wrongly."""
    passage, tag, mask = np.int64(-1), np.int64(lane + 1), (np.int64(1) << shift) - 1
    while place < stop:
        gap, place = next_gap(lists, place)
        passage += gap + 1
        state = np.int64(met[passage])
        met[passage] = tag << shift | ((state & mask) + amount * np.int64(state >> shift != tag))


@functools.cache
def gathered(width: int) -> Callable[..., None]:
    """Add to the scores of passages what the lists of the nearest of the ``wanted`` centroids give, lane by lane.

    A lane's nearest centroids are the ``nlists`` of largest ``fixed8``, and those equal to the last of these. A passage gets
    the largest value of those in whose lists it is, counted from just below the last one. ``met [passages]``, unsigned: the
    score in the lowest ``shift`` bits, and above them 1 more than the last lane that met the passage; both side by side,
    since most of the time goes into fetching them. Lanes are counted from ``first``.
    """

    @compiled()
    def run(
        fixed8: np.ndarray,
        lanes: int,
        first: int,
        wanted: np.ndarray,
        nlists: int,
        lists: np.ndarray,
        offsets: np.ndarray,
        shift: int,
        met: np.ndarray,
    ) -> None:
        counts = np.zeros((width, VALUES), np.int64)
        for centroid in wanted:
            for lane in range(lanes):
                counts[lane, fixed8[centroid * width + lane] + ZERO] += 1
        below, bounds = np.full(width, np.int8(127), np.int8), np.zeros(lanes + 1, np.int64)
        for lane in range(lanes):
            below[lane], bounds[lane + 1] = _places(counts[lane], nlists, bounds[lane])
        order = np.empty(bounds[lanes], np.int64)
        for centroid in wanted:
            near = exceeding(load(fixed8, centroid * width, width), load(below, 0, width))
            while near:
                lane = int(trailing_zeros(near))
                value = fixed8[centroid * width + lane] + ZERO
                order[counts[lane, value]] = centroid
                counts[lane, value] += 1
                near &= near - np.uint64(1)
        for lane in range(lanes):
            for number in range(bounds[lane], bounds[lane + 1]):
                if number + AHEAD < bounds[lanes]:
                    prefetch(lists, np.int64(offsets[order[number + AHEAD]]))
                centroid = order[number]
                amount = int(fixed8[centroid * width + lane]) - int(below[lane])
                start, stop = np.int64(offsets[centroid]), np.int64(offsets[centroid + 1])
                _visit(lists, start, stop, amount, first + lane, shift, met)

    return run


@compiled()
def strongest(scores: np.ndarray, wanted: int, most: int) -> tuple[np.ndarray, int]:
    """The ascending positions of the ``wanted`` largest scores ``[passages]``, of those equal to the last of them, and of no
    zero; and how many scores are not zero. ``most``: no score is larger.
    """
    counts = np.zeros(most + 1, np.int64)
    for score in scores:
        counts[score] += 1
    reached, cut = np.int64(0), most + 1
    while reached < wanted and cut > 1:
        cut -= 1
        reached += counts[cut]
    found, place = np.empty(reached, np.int64), 0
    for passage in range(len(scores)):
        if scores[passage] >= cut:
            found[place] = passage
            place += 1
    return found, len(scores) - counts[0]


@compiled()
def missing(codes: np.ndarray, offsets: np.ndarray, passages: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """The distinct centroids of passages, ascending, that are not ``filled [centroids]``: they are marked as filled."""
    wanted, count = np.zeros(len(filled), np.bool_), 0
    for passage in passages:
        for code in codes[offsets[passage] : offsets[passage + 1]]:
            count += not (filled[code] or wanted[code])
            wanted[code] = True
    found, place = np.empty(count, np.int64), 0
    for code in range(len(filled)):
        if wanted[code] and not filled[code]:
            found[place], filled[code] = code, True
            place += 1
    return found


@compiled()
def members(centroids: np.ndarray, starts: np.ndarray, chosen: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """The ``centroids`` of the ``chosen [groups]``, group by group, which are marked as filled."""
    found, place = np.empty(len(centroids), np.int64), 0
    for group in range(len(chosen)):
        if chosen[group]:
            for centroid in centroids[starts[group] : starts[group + 1]]:
                found[place], filled[centroid] = centroid, True
                place += 1
    return found[:place]


@functools.cache
def scored(width: int, kind: int) -> Callable[..., None]:
    """Add to ``out [passages]`` int64 the MaxSim of decoded vectors in fixed point, every maximum rounded.

    Only those vectors of a passage count whose centroid is at most ``margin`` below the passage's most similar one, for any
    of the lanes. gains: what residuals are multiplied by, looked up as ``kind`` says; ``factors[norms]``: inverse norms.
    """

    @compiled()
    def run(
        fixed: np.ndarray,
        lanes: int,
        table: np.ndarray,
        margin: int,
        codes: np.ndarray,
        residuals: np.ndarray,
        gains: np.ndarray,
        norms: np.ndarray,
        factors: np.ndarray,
        offsets: np.ndarray,
        passages: np.ndarray,
        out: np.ndarray,
    ) -> None:
        packed, size = residuals.reshape(-1), residuals.shape[1]
        read = size - 1 if kind == BY_VECTOR else size
        below, maxima = np.empty(width, np.int16), np.empty(width, np.float32)
        real = first_lanes(lanes)
        for number in range(len(passages)):
            prefetch_passage(codes, offsets, passages, number + 2, 1, 32)
            prefetch_passage(norms, offsets, passages, number + 2, 1, 64)
            prefetch_passage(packed, offsets, passages, number + 1, size, 64)
            start, stop = offsets[passages[number]], offsets[passages[number] + 1]
            centres = fill(LOWEST, width)
            for vector in range(start, stop):
                centres = maximum(centres, load(fixed, np.int64(codes[vector]) * width, width))
            store(below, 0, centres)
            for lane in range(width):
                below[lane] = np.int16(max(np.int64(below[lane]) - margin - 1, np.int64(LOWEST)))
            best, least = fill(np.float32(-np.inf), width), load(below, 0, width)
            for vector in range(start, stop):
                code = np.int64(codes[vector])
                centre = load(fixed, code * width, width)
                if exceeding(centre, least) & real:
                    if kind == NO_FACTORS:
                        found = to_float(rows_added(centre, table, packed, vector * size, read, width))
                    else:
                        rows = rows_added(fill(np.int16(0), width), table, packed, vector * size, read, width)
                        gain = gains[packed[vector * size + read]] if kind == BY_VECTOR else gains[code]
                        found = add(multiply(to_float(rows), fill(gain, width)), to_float(centre))
                    best = maximum(best, multiply(found, fill(factors[norms[vector]], width)))
            store(maxima, 0, best)
            for lane in range(lanes):
                out[number] += np.int64(np.rint(min(max(maxima[lane], np.float32(LOWEST)), np.float32(HIGHEST))))

    return run
