"""The inverted list: for each centroid the passages with at least one vector there, in ascending order, each once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.storage import growing_array

Parts = Sequence[tuple[np.ndarray, np.ndarray]]


def write(parts: Parts, centroids: int, lists: Path, offsets: Path) -> None:
    """Write ``lists`` (passage ids, int32) and ``offsets`` (``[centroids + 1]`` int64) from (codes, doclens) of each shard.

    Two passes over the shards, the first to count and the second to fill, so that memory holds one shard at a time.
    """
    counts = np.zeros(centroids, np.int64)
    for codes, _ in _entries(parts):
        counts += np.bincount(codes, minlength=centroids)
    ends = np.concatenate([[0], np.cumsum(counts)])
    with growing_array(offsets, ends.shape, np.int64) as out:
        out[:] = ends
    free = ends[:-1].copy()
    with growing_array(lists, (int(ends[-1]),), np.int32) as out:
        for codes, passages in _entries(parts):
            here = np.bincount(codes, minlength=centroids)
            within = np.arange(len(codes)) - np.repeat(np.cumsum(here) - here, here)
            out[free[codes] + within] = passages
            free += here


def _entries(parts: Parts) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Per shard the distinct pairs (code, passage), by code and then by passage; passages count through all shards."""
    first = 0
    for codes, doclens in parts:
        passages = np.repeat(np.arange(first, first + len(doclens), dtype=np.int64), doclens)
        pairs = np.unique(codes.astype(np.int64) << 32 | passages)
        yield pairs >> 32, pairs & 0xFFFFFFFF
        first += len(doclens)
