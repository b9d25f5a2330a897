"""The compiled loops of centroids within tokens: vectors by group, the nearest centroid of the group, and sums."""

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from bench.machine.compiled import compiled, inlined
from bench.machine.simd import fill, largest, load, load_halves, maximum, multiply_add, reaching, store

LANES = 16  # centroids side by side in a table


@compiled()
def by_group(groups: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of ``groups [vectors]`` in the order of the groups, and where each of ``count`` groups begins,
    ``[count + 1]``."""
    bounds = np.zeros(count + 1, np.int64)
    for group in groups:
        bounds[group + 1] += 1
    for group in range(count):
        bounds[group + 1] += bounds[group]
    free, order = bounds[:-1].copy(), np.empty(len(groups), np.int64)
    for vector in range(len(groups)):
        order[free[groups[vector]]] = vector
        free[groups[vector]] += 1
    return order, bounds


@compiled()
def tabled(centroids: np.ndarray, starts: np.ndarray, places: np.ndarray, table: np.ndarray) -> None:
    """Fill a flat ``table`` with the centroids of each group, ``LANES`` side by side: first element of all, then second.

    Group g begins at ``places[g]``; its first centroid stands again where there are too few for the last lanes.
    """
    dim = centroids.shape[1]
    for group in range(len(starts) - 1):
        place = places[group]
        for first in range(starts[group], starts[group + 1], LANES):
            for element in range(dim):
                for lane in range(LANES):
                    centroid = first + lane if first + lane < starts[group + 1] else starts[group]
                    table[place] = centroids[centroid, element]
                    place += 1


@inlined
def _first_of_largest(scores: np.ndarray, start: int, width: int) -> np.int64:
    """Position in ``width`` scores from ``start`` on of the largest, the first of equals."""
    best = load(scores, start, 16)
    for lane in range(16, width, 16):
        best = maximum(best, load(scores, start + lane, 16))
    most, lane = fill(largest(best), 16), 0
    reached = reaching(load(scores, start, 16), most)
    while not reached and lane + 16 < width:
        lane += 16
        reached = reaching(load(scores, start + lane, 16), most)
    return lane + np.int64(trailing_zeros(reached))


@compiled()
def _widest(starts: np.ndarray) -> int:
    """Return the number of centroids of the largest group."""
    return np.max(np.diff(starts))


@inlined
def _read(vectors: np.ndarray, dim: int, rows: np.ndarray, four: np.ndarray) -> None:
    """Fill ``four``, flat ``[4, dim]`` float32, with up to four vectors, the last one several times if there are fewer."""
    for lane in range(4):
        row = rows[min(lane, len(rows) - 1)] * dim
        for element in range(0, dim, 8):
            store(four, lane * dim + element, load_halves(vectors, row + element, 8))


@compiled()
def nearest(
    vectors: np.ndarray,
    dim: int,
    order: np.ndarray,
    bounds: np.ndarray,
    first: int,
    last: int,
    starts: np.ndarray,
    places: np.ndarray,
    table: np.ndarray,
    codes: np.ndarray,
    closeness: np.ndarray,
) -> None:
    """Fill codes and ``closeness [vectors]`` of the vectors at ``order[first:last]``: the centroid of their group of largest
    inner product, the first of equals, and that product; 0 where a group has one centroid.

    vectors: flat bits of float16 ``[vectors, dim]``; order, bounds: of ``by_group``; starts ``[groups + 1]``: centroids of
    each group; places, table: of ``tabled``. Four vectors at a time share what is loaded of the table.
    """
    four, scores = np.empty(4 * dim, np.float32), np.empty(4 * (_widest(starts) + LANES), np.float32)
    group = int(np.searchsorted(bounds, first, side="right")) - 1
    while group < len(starts) - 1 and bounds[group] < last:
        stop, number = min(bounds[group + 1], last), starts[group + 1] - starts[group]
        width = (number + LANES - 1) // LANES * LANES
        begin = max(bounds[group], first)
        if number == 1:
            for vector in order[begin:stop]:
                codes[vector], closeness[vector] = starts[group], 0
            begin = stop
        for start in range(begin, stop, 4):
            _read(vectors, dim, order[start : min(start + 4, stop)], four)
            place = places[group]
            for column in range(0, width, LANES):
                found, found1 = fill(np.float32(0), 16), fill(np.float32(0), 16)
                found2, found3 = fill(np.float32(0), 16), fill(np.float32(0), 16)
                for element in range(dim):
                    row_of_table = load(table, place, 16)
                    place += 16
                    found = multiply_add(fill(four[element], 16), row_of_table, found)
                    found1 = multiply_add(fill(four[dim + element], 16), row_of_table, found1)
                    found2 = multiply_add(fill(four[2 * dim + element], 16), row_of_table, found2)
                    found3 = multiply_add(fill(four[3 * dim + element], 16), row_of_table, found3)
                store(scores, column, found)
                store(scores, width + column, found1)
                store(scores, 2 * width + column, found2)
                store(scores, 3 * width + column, found3)
            for lane in range(min(4, stop - start)):
                best = _first_of_largest(scores, lane * width, width)
                vector = order[start + lane]
                codes[vector], closeness[vector] = starts[group] + best, scores[lane * width + best]
        group += 1


@compiled()
def add_up(
    vectors: np.ndarray,
    order: np.ndarray,
    first: int,
    last: int,
    codes: np.ndarray,
    sums: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Add the vectors at ``order[first:last]`` to ``sums [centroids, dim]`` float32 by their codes, and count them."""
    dim = sums.shape[1]
    flat = sums.reshape(-1)
    for vector in order[first:last]:
        code = codes[vector]
        counts[code] += 1
        for element in range(0, dim, 8):
            one = fill(np.float32(1), 8)
            place = code * dim + element
            store(flat, place, multiply_add(one, load_halves(vectors, vector * dim + element, 8), load(flat, place, 8)))
