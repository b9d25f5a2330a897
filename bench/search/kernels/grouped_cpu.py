"""Kernels of the engine ``grouped`` for the CPU. Rankings and scores equal those of the reference to the bit."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bench.index.index import Compressed, Index
from bench.search.kernels import grouped_loops, loops
from bench.search.kernels.base import even, fixed_margin, rounded_codebook
from bench.search.kernels.cpu import CPU, WORTH_SHARING, Group, Query
from bench.search.kernels.groups import Groups
from bench.search.ranking import select

NONE = np.empty(0, np.int64)
LANES_IN_16_BITS = 0xFFFF // grouped_loops.VALUES


@dataclass
class Opened:
    """A query, and the centroids ``[centroids]`` whose similarities to it are filled in."""

    query: Query
    filled: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.filled = np.zeros(len(self.query.kernels.compressed.codec.centroids), bool)

    def fill(self, wanted: np.ndarray) -> None:
        for group in self.query.groups:
            group.fill(wanted)


class GroupedCPU(CPU):
    """See ``bench.search.kernels.base``. Similarities to centroids are computed as they are needed."""

    def __init__(self, index: Index, compressed: Compressed, *, threads: int = 1):
        super().__init__(index, compressed, threads=threads)
        codebook, self.entry_step = rounded_codebook(compressed.codec.codebook)
        self.entries = even(codebook.reshape(-1, codebook.shape[2])).reshape(*codebook.shape[:2], -1)

    def opened(self, query: np.ndarray) -> Opened:
        """Open a query ``[query vectors, dim]`` without a similarity to any centroid."""
        return Opened(Query(self, query, NONE))

    def near(self, opened: Opened, groups: Groups, ngroups: int) -> np.ndarray:
        """Return the centroids of the ``ngroups`` groups of each query vector that have the most similar means."""
        chosen = np.zeros(len(groups.means), bool)
        means, every = groups.means.ravel(), np.arange(len(groups.means))
        for group in opened.query.groups:
            size = len(chosen) * group.width
            fixed = np.empty(size, np.int16), np.empty(size, np.int8)
            loops.similarities(group.width)(means, every, group.pairs, groups.scales, group.step * group.scale, *fixed)
            loops.nearest(group.width)(fixed[0], group.lanes, min(ngroups, len(chosen)), chosen)
        found = grouped_loops.members(groups.members, groups.starts, chosen, opened.filled)
        opened.fill(found)
        return found

    def gathered(self, opened: Opened, centroids: np.ndarray, nlists: int) -> np.ndarray:
        """Return scores ``[passages]``, 0 outside of the lists of the ``nlists`` nearest centroids of each query vector."""
        lanes = sum(group.lanes for group in opened.query.groups)
        dtype, shift = (np.uint32, 16) if lanes <= LANES_IN_16_BITS else (np.uint64, 32)
        met, first = np.zeros(len(self.index), dtype), 0
        lists = self.compressed.lists, self.compressed.list_offsets
        for group in opened.query.groups:
            loops_of = grouped_loops.gathered(group.width)
            loops_of(group.fixed8, group.lanes, first, centroids, nlists, *lists, shift, met)
            first += group.lanes
        return np.bitwise_and(met, dtype((1 << shift) - 1))

    def strongest(self, gathered: np.ndarray, wanted: int) -> tuple[np.ndarray, int]:
        """Return the ``wanted`` passages with the largest scores ``[passages]`` above 0, and how many are above 0."""
        most = int(gathered.max(initial=0))
        passages, candidates = grouped_loops.strongest(gathered, wanted, most)
        return passages[select(passages, gathered[passages], wanted, self.index.id_rank)], candidates

    def scored(self, opened: Opened, passages: np.ndarray, margin: float) -> tuple[np.ndarray, float]:
        """Return scores ``[passages]`` int64 in fixed point by vectors near the best centroids, and what counts as 1."""
        stored, query = self.compressed, opened.query
        opened.fill(grouped_loops.missing(stored.codes, self.index.offsets, passages, opened.filled))
        scores = np.zeros(len(passages), np.int64)
        read = (stored.codes, stored.residuals, self.gains, stored.norms, self.inverse_norms, self.index.offsets)
        work = [(group, self._rows(group), fixed_margin(margin, query.scale)) for group in query.groups]

        def add(some: slice) -> None:
            for group, rows, least in work:
                loop = grouped_loops.scored(group.width, self.kind)
                loop(group.fixed, group.lanes, rows, least, *read, passages[some], scores[some])

        self._share(add, len(passages), WORTH_SHARING["scoring"])
        return scores, query.scale

    def _rows(self, group: Group) -> np.ndarray:
        """Return what each byte adds to a similarity, in fixed point, flat ``[bytes, 256, width]`` int16."""
        number, _, part = self.entries.shape
        query = group.pairs
        if self.odd:
            integers = np.zeros((number, part, group.width), np.int16)
            dim = self.compressed.codec.dim
            flat = query.reshape(-1, group.width, 2).transpose(0, 2, 1).reshape(-1, group.width)[:dim]
            integers[:, : dim // number] = flat.reshape(number, dim // number, group.width)
            query = np.ascontiguousarray(integers.reshape(number, part // 2, 2, group.width).transpose(0, 1, 3, 2)).ravel()
        rows = np.empty(number * 256 * group.width, np.int16)
        grouped_loops.table(group.width)(query, self.entries, group.step * self.entry_step * group.scale, rows)
        return rows

    @cached_property
    def odd(self) -> bool:
        """Whether a byte has an odd number of dimensions."""
        return self.compressed.codec.codebook.shape[2] % 2 == 1
