"""Kernels for the CPU. Rankings equal those of the reference; scores differ from it only in the last bits.

Unless most passages are asked for, ``best`` first scores all passages with tables rounded to int16. The error of such a
score has a known bound, so passages that cannot be among the k best are dropped. The others are scored in float32.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bench.codec.codec import Codec
from bench.codec.int8_centroids import to_bytes
from bench.index.index import Compressed, Index
from bench.index.inverted import union
from bench.search.kernels import loops, scoring
from bench.search.kernels.base import (
    LARGEST,
    SMALLEST,
    TOGETHER,
    Host,
    even,
    fixed_point_scale,
    largest_norm,
    norms,
    rounded_query,
)
from bench.search.ranking import Ranking, top

WIDTHS = (16, TOGETHER)
WORTH_SHARING = {"interaction": 8192, "scoring": 1024}
WORTH_A_BOUND = 1.5
FLOAT_SLACK = 1e-5
CACHE_LINE = 64


class CPU(Host):
    """See ``bench.search.kernels.base``. ``threads`` share the passages of a single query, or several queries."""

    def __init__(self, index: Index, compressed: Compressed, *, threads: int = 1):
        self.index, self.compressed, self.threads = index, compressed, threads
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._alone = type(self)(index, compressed) if threads > 1 else self
        values, scales = to_bytes(compressed.codec.centroids)
        self.scales = scales.astype(np.float32)
        self.largest_norm = largest_norm(compressed)
        self.reach = float(np.abs(compressed.codec.centroids).sum(axis=1).max(initial=0))
        self.kind, self.gains = _multiplied(compressed.codec)
        self.centroids = even(values)
        self.every = np.arange(len(values))

    def open(self, query: np.ndarray) -> "Query":
        return Query(self, query, self.every)

    def nearest(self, query: "Query", nprobe: int) -> np.ndarray:
        found = np.zeros(len(self.compressed.codec.centroids), bool)
        if nprobe >= len(found):
            found[:] = True
            return found
        for group in query.groups:
            loops.nearest(group.width)(group.fixed, group.lanes, nprobe, found)
        return found

    def candidates(self, probed: np.ndarray) -> np.ndarray:
        lists, offsets = self.compressed.lists, self.compressed.list_offsets
        return union(lists, offsets, np.flatnonzero(probed), len(self.index))

    def interaction(self, query: "Query", passages: np.ndarray, threshold: float | None = None) -> np.ndarray:
        kept = np.zeros(len(self.compressed.codec.centroids), bool)
        if threshold is not None:
            for group in query.groups:
                least = math.ceil(min(max(threshold * query.scale, -LARGEST), LARGEST + 1))
                loops.above(group.width)(group.fixed, group.lanes, least, kept)
        every = threshold is None or bool(kept.all())
        scores = np.zeros(len(passages), np.int64)
        stored = (self.compressed.codes, self.index.offsets)

        def add(some: slice) -> None:
            for group in query.groups:
                loops.interaction(group.width)(group.fixed8, group.lanes, *stored, passages[some], kept, every, scores[some])

        self._share(add, len(passages), WORTH_SHARING["interaction"])
        return scores

    def best(self, query: "Query", passages: np.ndarray | None, k: int, probed: np.ndarray | None = None) -> Ranking:
        passages = np.arange(len(self.index)) if passages is None else passages
        met = (np.ones(0, bool), True) if probed is None else (probed, False)
        if len(passages) > WORTH_A_BOUND * k and self.bounded:
            coarse = self._coarse(query, passages, met)
            least = np.partition(coarse, len(passages) - k)[len(passages) - k]
            passages = passages[coarse >= least - 2 * query.error]
        return top(passages, self._fine(query, passages, met), k, self.index.id_rank)

    def _mapped(self, search: Callable[[Any, np.ndarray], Ranking], queries: np.ndarray) -> list[Ranking]:
        if self.pool is None or len(queries) == 1:
            return super()._mapped(search, queries)
        return list(self.pool.map(lambda query: search(self._alone, query), queries))

    @cached_property
    def inverse_norms(self) -> np.ndarray:
        """Inverse norms ``[256]`` float32 of the stored levels."""
        return (1 / np.maximum(self.compressed.norm_levels, SMALLEST)).astype(np.float32)

    @cached_property
    def norm_error(self) -> float:
        """Largest relative error of a similarity because its norm is stored as the nearest level."""
        levels = self.compressed.norm_levels.astype(np.float64)
        return float((levels[-1] - levels[0]) / 255 / 2 / max(levels[0], np.finfo(np.float32).tiny)) * 1.01

    @property
    def bounded(self) -> bool:
        """Whether norms are far enough from zero for useful bounds of rounded scores."""
        levels = self.compressed.norm_levels
        return bool(levels[0] > levels[-1] / 1000)

    def _coarse(self, query: "Query", passages: np.ndarray, met: tuple[np.ndarray, bool]) -> np.ndarray:
        scores = np.zeros(len(passages), np.float32)
        stored = self._stored(query)

        def add(some: slice) -> None:
            for group in query.groups:
                scoring.coarse(group.width, self.kind)(group.fixed, group.table, *stored, passages[some], *met, scores[some])

        self._share(add, len(passages), WORTH_SHARING["scoring"])
        return scores

    def _fine(self, query: "Query", passages: np.ndarray, met: tuple[np.ndarray, bool]) -> np.ndarray:
        scores = np.zeros(len(passages), np.float32)
        stored, codec = self._stored(query), self.compressed.codec
        tables = (self.centroids.ravel(), self.scales, codec.codebook.ravel())
        part, margin = codec.codebook.shape[2], 2 * query.similarity_error

        def add(some: slice) -> None:
            for group in query.groups:
                vectors = (group.vectors.ravel(), group.lanes, margin, *tables, group.fixed, group.table)
                scoring.fine(group.width, part, self.kind, codec.normalised)(
                    *vectors, *stored, passages[some], *met, scores[some]
                )

        self._share(add, len(passages), WORTH_SHARING["scoring"])
        return scores

    def _stored(self, query: "Query") -> tuple[np.ndarray, ...]:
        """Return what the loops read of the index, the factors of residuals, and inverse norms in fixed point."""
        stored = self.compressed
        factors = self.inverse_norms / np.float32(query.scale)
        return stored.codes, stored.residuals, self.gains, stored.norms, factors, self.index.offsets

    def _share(self, work: Callable[[slice], None], count: int, least: int) -> None:
        """Call ``work`` on ranges that cover ``count`` passages, on several threads if there are at least ``least``."""
        if self.pool is None or count < least:
            return work(slice(0, count))
        step = -(-count // self.threads)
        for _ in self.pool.map(work, [slice(start, start + step) for start in range(0, count, step)]):
            pass
        return None


@dataclass
class Group:
    """Up to ``width`` query vectors side by side, zeros beyond ``lanes``.

    vectors ``[lanes, dim]`` float32; pairs, flat ``[dim / 2, width, 2]``: the same as integers, multiples of ``step``;
    fixed, flat ``[centroids, width]`` int16, and fixed8, the same in int8: similarities to centroids, as far as they are
    filled in.
    """

    kernels: CPU
    width: int
    lanes: int
    scale: float
    step: float
    vectors: np.ndarray
    pairs: np.ndarray
    fixed: np.ndarray
    fixed8: np.ndarray

    def fill(self, wanted: np.ndarray) -> None:
        """Fill in the similarities to the centroids of these numbers."""
        kernels = self.kernels
        scales = kernels.scales, self.step * self.scale
        loops.similarities(self.width)(kernels.centroids.ravel(), wanted, self.pairs, *scales, self.fixed, self.fixed8)

    @cached_property
    def table(self) -> np.ndarray:
        """Table, flat ``[bytes, 256, width]`` int16: what each byte adds to a similarity, in fixed point."""
        codebook = self.kernels.compressed.codec.codebook
        side_by_side = np.zeros((self.vectors.shape[1], self.width), np.float32)
        side_by_side[:, : self.lanes] = self.vectors.T
        out = _aligned(len(codebook) * 256 * self.width, np.int16)
        scoring.table(self.width)(side_by_side.ravel(), codebook, self.scale, out)
        return out


class Query:
    """A query ``[query vectors, dim]`` in groups, with its fixed-point scale and the error bounds of a rounded similarity
    and of a rounded score. wanted: the centroids to which similarities are filled in.
    """

    def __init__(self, kernels: CPU, query: np.ndarray, wanted: np.ndarray):
        self.kernels = kernels
        codec = kernels.compressed.codec
        query = np.ascontiguousarray(codec.mapped_queries(query), np.float32)
        lengths = norms(query)
        self.scale = fixed_point_scale(lengths, kernels.largest_norm)
        integers, step = rounded_query(query)
        self.groups = [self._group(query[some], integers[some], step) for some in _stretches(len(query), WIDTHS[-1])]
        for group in self.groups:
            group.fill(wanted)
        summed = len(codec.codebook) * codec.largest_factor
        rounding = float(kernels.inverse_norms[0]) * ((summed + 2) / 2 / self.scale + step / 2 * kernels.reach)
        errors = rounding + (kernels.norm_error + FLOAT_SLACK) * lengths
        self.similarity_error, self.error = float(errors.max()), float(errors.sum())

    def _group(self, vectors: np.ndarray, integers: np.ndarray, step: float) -> Group:
        kernels = self.kernels
        width = next(width for width in WIDTHS if len(vectors) <= width)
        centroids, dim = kernels.centroids.shape
        pairs = np.zeros((dim // 2, width, 2), np.int16)
        pairs[:, : len(vectors)] = even(integers).reshape(len(vectors), dim // 2, 2).transpose(1, 0, 2)
        fixed, fixed8 = _aligned(centroids * width, np.int16), _aligned(centroids * width, np.int8)
        return Group(kernels, width, len(vectors), self.scale, step, vectors, pairs.ravel(), fixed, fixed8)


def _multiplied(codec: Codec) -> tuple[int, np.ndarray]:
    """Return the kind of factor of residuals (``scoring``) and the float32 factors."""
    if len(codec.spreads):
        return scoring.BY_CENTROID, codec.spreads.astype(np.float32)
    return (scoring.BY_VECTOR if len(codec.gains) else scoring.NO_FACTORS), codec.gains


def _aligned(count: int, kind: type[np.generic]) -> np.ndarray:
    """Return an empty array; consecutive rows of up to 64 bytes lie in one cache line each."""
    size = count * np.dtype(kind).itemsize
    memory = np.empty(size + CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % CACHE_LINE
    return memory[first : first + size].view(kind)


def _stretches(count: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, count, size)]
