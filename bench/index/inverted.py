"""The inverted list: for each centroid the ascending ids of the passages with at least one vector in its cluster.

A list is stored as gaps. A gap is the number of skipped passages since the previous id, in groups of seven bits, the lowest
first; the high bit is set on all bytes except the last. A passage needs one byte if its predecessor is at most 128 away.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from bench.files.storage import growing_array, release, write_array
from bench.machine.compiled import compiled

Parts = Sequence[tuple[np.ndarray, np.ndarray]]


def write(parts: Parts, centroids: int, lists: Path, offsets: Path) -> None:
    """Write ``lists`` (uint8) and ``offsets`` (``[centroids + 1]``, in bytes) from (codes, doclens) of each shard.

    The shards are read twice, first to measure the lists and then to fill them, so that one shard at a time is in memory.
    """
    sizes = np.zeros(centroids, np.int64)
    _each(parts, centroids, lambda *part: _measure(*part, sizes))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    write_array(offsets, narrow(ends))
    free = ends[:-1].copy()
    with growing_array(lists, (int(ends[-1]),), np.uint8) as out:
        filled = np.asarray(out)
        _each(parts, centroids, lambda *part: _fill(*part, free, filled))


def narrow(ends: np.ndarray) -> np.ndarray:
    """Return ascending offsets in the narrowest unsigned type that holds the last one."""
    return ends.astype(np.min_scalar_type(int(ends[-1])))


def _each(parts: Parts, centroids: int, visit: Callable[..., None]) -> None:
    """Call ``visit(codes, doclens, first, last)`` for each shard; last ``[centroids]``: the last passage of each list so
    far.
    """
    first, last = 0, np.full(centroids, -1, np.int64)
    for codes, doclens in parts:
        visit(np.asarray(codes), doclens, first, last)
        release(codes)
        first += len(doclens)


@compiled()
def _measure(codes: np.ndarray, doclens: np.ndarray, first: int, last: np.ndarray, sizes: np.ndarray) -> None:
    vector = 0
    for number in range(len(doclens)):
        passage = first + number
        for code in codes[vector : vector + doclens[number]]:
            gap = passage - last[code] - 1
            if gap >= 0:
                last[code] = passage
                sizes[code] += 1
                while gap >= 128:
                    gap >>= 7
                    sizes[code] += 1
        vector += doclens[number]


@compiled()
def _fill(codes: np.ndarray, doclens: np.ndarray, first: int, last: np.ndarray, free: np.ndarray, out: np.ndarray) -> None:
    vector = 0
    for number in range(len(doclens)):
        passage = first + number
        for code in codes[vector : vector + doclens[number]]:
            gap = passage - last[code] - 1
            if gap >= 0:
                last[code] = passage
                while gap >= 128:
                    out[free[code]] = gap & 127 | 128
                    free[code] += 1
                    gap >>= 7
                out[free[code]] = gap
                free[code] += 1
        vector += doclens[number]


@compiled()
def expanded(lists: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all lists as int32 passages, and the start ``[centroids + 1]`` int64 of each list; four bytes per entry."""
    starts = np.zeros(len(offsets), np.int64)
    for centroid in range(len(offsets) - 1):
        starts[centroid + 1] = starts[centroid]
        for place in range(offsets[centroid], offsets[centroid + 1]):
            starts[centroid + 1] += lists[place] < 128
    found = np.empty(starts[-1], np.int32)
    for centroid in range(len(offsets) - 1):
        passage, gap, shift = np.int64(-1), np.int64(0), np.int64(0)
        number = starts[centroid]
        for place in range(offsets[centroid], offsets[centroid + 1]):
            gap |= np.int64(lists[place] & 127) << shift
            shift += 7
            if lists[place] < 128:
                passage += gap + 1
                found[number] = passage
                number, gap, shift = number + 1, np.int64(0), np.int64(0)
    return found, starts


@compiled()
def first_wrong(lists: np.ndarray, offsets: np.ndarray, passages: int) -> int:
    """Return the first centroid whose list does not end where the next begins, or has a passage of ``passages`` or more.

    Return -1 if all are right: the other loops here follow lists without a check.
    """
    if offsets[0] != 0:
        return 0
    for centroid in range(len(offsets) - 1):
        if offsets[centroid + 1] < offsets[centroid] or offsets[centroid + 1] > len(lists):
            return centroid
        passage, gap, shift = np.int64(-1), np.int64(0), np.int64(0)
        for place in range(offsets[centroid], offsets[centroid + 1]):
            gap |= np.int64(lists[place] & 127) << shift
            shift += 7
            if lists[place] < 128:
                passage += gap + 1
                gap, shift = np.int64(0), np.int64(0)
            if passage >= passages or shift > 35:
                return centroid
        if shift:
            return centroid
    return -1


@compiled()
def next_gap(lists: np.ndarray, place: int) -> tuple[np.int64, int]:
    """Return the gap that begins at a place of lists, and the place behind it."""
    gap, shift = np.int64(0), np.int64(0)
    while lists[place] & 128:
        gap |= np.int64(lists[place] & 127) << shift
        shift += 7
        place += 1
    return gap | np.int64(lists[place]) << shift, place + 1


@compiled()
def union(lists: np.ndarray, offsets: np.ndarray, centroids: np.ndarray, passages: int) -> np.ndarray:
    """Return the ascending distinct int64 passages in the lists of the given centroids, out of ``passages`` in all."""
    seen = np.zeros((passages + 63) // 64, np.uint64)
    for centroid in centroids:
        passage, place, stop = np.int64(-1), np.int64(offsets[centroid]), np.int64(offsets[centroid + 1])
        while place < stop:
            gap, place = next_gap(lists, place)
            passage += gap + 1
            seen[passage >> 6] |= np.uint64(1) << np.uint64(passage & 63)
    return _positions(seen)


@compiled()
def _positions(words: np.ndarray) -> np.ndarray:
    """Return the positions of the set bits."""
    count = 0
    for word in words:
        left = word
        while left:
            left &= left - np.uint64(1)
            count += 1
    found = np.empty(count, np.int64)
    count = 0
    for number in range(len(words)):
        left = words[number]
        while left:
            found[count] = number * 64 + np.int64(trailing_zeros(left))
            left &= left - np.uint64(1)
            count += 1
    return found
