"""Kernels for CUDA: the arrays of an index live on the device, and a query goes there and a ranking comes back.

Centroid scores and interaction are those of the reference to the bit, since they are sums of integers. Scores of decoded
vectors are float32 throughout, never TF32: they differ from the reference's by rounding alone, in sums of ``dim`` products
and of as many maxima as there are query vectors. Equal passages get equal bits (but in Triton's interpreter, where numpy
multiplies, only if their vectors stand in one order). A method waits for the device to fetch its result, and ``best`` with
``probed`` once before, for a size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from bench.codec.device import moved, open_device
from bench.codec.int8_centroids import to_bytes
from bench.index.index import Compressed, Index
from bench.index.inverted import expanded
from bench.search.kernels.base import Result, fixed_point_scale, largest_norm, norms, rounded_query
from bench.search.ranking import Ranking, top

WIDTHS = (16, 32)
SLOTS_AT_ONCE = 32
INT32 = 2**32
BEYOND = 2**16  # what no similarity in fixed point reaches
UNFUSED = {"enable_fp_fusion": False}  # a product and a sum are rounded twice, as on the CPU, but for those of tl.dot


@dataclass(frozen=True)
class Query:
    """``number`` query vectors in groups: vectors ``[groups, slots, lanes]`` float32; their similarity to each centroid in
    fixed point ``[groups, centroids, lanes]``, int16 and int8."""

    number: int
    scale: float
    vectors: torch.Tensor
    fixed: torch.Tensor
    fixed8: torch.Tensor

    @cached_property
    def real(self) -> torch.Tensor:
        """``[query vectors, centroids]`` of ``fixed``, without padding."""
        groups, centroids, lanes = self.fixed.shape
        return self.fixed.transpose(1, 2).reshape(groups * lanes, centroids)[: self.number]

    @cached_property
    def highest(self) -> torch.Tensor:
        """``[centroids]`` int16: similarity to the most similar of the query vectors."""
        return self.real.amax(0)


class CUDA:
    """See ``bench.search.kernels.base``. device: cuda, or cpu where Triton interprets kernels (SettingsError elsewhere).

    A vector takes its code and residual bytes on the device, and an entry of the inverted list 4 bytes.
    """

    def __init__(self, index: Index, compressed: Compressed, *, device: str = "cuda"):
        self.device = open_device(device)
        from bench.search.kernels import triton_loops

        self.loops = triton_loops
        self.index, self.compressed = index, compressed
        self.slots = Slots(*compressed.codec.codebook.shape)
        self.codebook = self._move(self.slots.codebook(compressed.codec.codebook))
        self.gains = self._move(compressed.codec.gains)
        self.spreads = self._move(compressed.codec.spreads.astype(np.float32))
        values, scales = to_bytes(compressed.codec.centroids)
        self.centroids, self.scales = self._move(self.slots.spread(values)), self._move(scales.astype(np.float32))
        self.factors, self.largest_norm = scales.astype(np.float32), largest_norm(compressed)
        self.codes, self.residuals = self._move(compressed.codes), self._move(compressed.residuals)
        self.offsets = self._move(index.offsets)
        self.lists, self.list_offsets = map(self._move, expanded(compressed.lists, compressed.list_offsets))

    def open(self, query: np.ndarray) -> Query:
        query = self.compressed.codec.mapped_queries(query)
        lanes = next((width for width in WIDTHS if len(query) <= width), WIDTHS[-1])
        groups, centroids = -(-len(query) // lanes), len(self.centroids)
        integers, step = rounded_query(query)
        scale = fixed_point_scale(norms(query), self.largest_norm)
        fixed, fixed8 = (
            torch.empty((groups, centroids, lanes), dtype=kind, device=self.device) for kind in (torch.int16, torch.int8)
        )
        rows = 64
        self.loops.similarities[(-(-centroids // rows), groups)](
            self.centroids,
            self._move(self.factors * np.float32(step * scale)),
            self._move(self._grouped(integers, groups, lanes)),
            fixed,
            fixed8,
            centroids,
            SLOTS=self.slots.count,
            SIZE=self.slots.at_once,
            ROWS=rows,
            LANES=lanes,
            **UNFUSED,
        )
        vectors = self._move(self._grouped(query, groups, lanes)).transpose(1, 2).contiguous()
        return Query(len(query), scale, vectors, fixed, fixed8)

    def nearest(self, query: Query, nprobe: int) -> np.ndarray:
        centroids = len(self.centroids)
        if nprobe >= centroids:
            return np.ones(centroids, bool)
        lower_first = INT32 - 1 - torch.arange(centroids, device=self.device)
        best = (query.real.to(torch.int64) * INT32 + lower_first).topk(nprobe, dim=1, sorted=False).values
        found = torch.zeros(centroids, dtype=torch.bool, device=self.device)
        found[INT32 - 1 - best % INT32] = True
        return found.cpu().numpy()

    def candidates(self, probed: np.ndarray) -> np.ndarray:
        lists = np.flatnonzero(probed)
        seen = torch.zeros(len(self.index), dtype=torch.int8, device=self.device)
        split = 16
        if len(lists):
            self.loops.mark[(len(lists), split)](
                self.lists, self.list_offsets, self._move(lists), seen, SPLIT=split, ENTRIES=1024, **UNFUSED
            )
        return torch.nonzero(seen).squeeze(1).cpu().numpy()

    def interaction(self, query: Query, passages: np.ndarray, threshold: float | None = None) -> np.ndarray:
        groups, centroids, lanes = query.fixed.shape
        out = torch.zeros((groups, len(passages)), dtype=torch.int32, device=self.device)
        if len(passages):
            self.loops.interaction[(len(passages), groups)](
                query.fixed8,
                query.highest,
                -BEYOND if threshold is None else int(np.clip(np.ceil(threshold * query.scale), -BEYOND, BEYOND)),
                self.codes,
                *self._stretches(passages),
                out,
                centroids,
                len(passages),
                query.number,
                VECTORS=32,
                LANES=lanes,
                num_warps=2,
                **UNFUSED,
            )
        return out.sum(0, dtype=torch.int64).cpu().numpy()

    def best(self, query: Query, passages: np.ndarray, k: int, probed: np.ndarray | None = None) -> Ranking:
        groups, _, lanes = query.vectors.shape
        if not len(passages):
            return Ranking(passages, np.empty(0, np.float32))
        starts, stops = self._stretches(passages)
        picked = starts
        if probed is not None:
            picked, starts, stops = self._pick(starts, stops, probed)
        out = torch.empty((groups, len(passages)), dtype=torch.float32, device=self.device)
        self.loops.maxsim[(len(passages), groups)](
            query.vectors,
            self.centroids,
            self.scales,
            self.codebook,
            self.codes,
            self.residuals,
            self.gains,
            self.spreads,
            picked,
            starts,
            stops,
            out,
            len(passages),
            query.number,
            NUMBER=self.slots.bytes,
            GAINS=len(self.gains) > 0,
            SPREADS=len(self.spreads) > 0,
            NORMALISED=self.compressed.codec.normalised,
            BYTES=self.slots.bytes_at_once,
            PART=self.slots.padded_part,
            CHUNKS=self.slots.chunks,
            PICKED=probed is not None,
            VECTORS=16 if probed is not None else 32,
            LANES=lanes,
            num_warps=1 if probed is not None else 2,
            num_stages=1,
            **UNFUSED,
        )
        return self._top(passages, out.sum(0), k)

    def each(self, search: Callable[[Any, np.ndarray], Result], queries: Sequence[np.ndarray]) -> list[Result]:
        """One after the other: a query keeps the whole device busy."""
        return [search(self, query) for query in queries]

    def _move(self, array: np.ndarray) -> torch.Tensor:
        return moved(array, self.device)

    def _grouped(self, query: np.ndarray, groups: int, lanes: int) -> np.ndarray:
        """``[query vectors, dim]`` as ``[groups, lanes, slots]``."""
        padded = np.zeros((groups * lanes, self.slots.count), query.dtype)
        padded[: len(query)] = self.slots.spread(query)
        return padded.reshape(groups, lanes, self.slots.count)

    def _stretches(self, passages: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Where the vectors of each passage start and stop."""
        if len(passages) == len(self.index):
            return self.offsets[:-1], self.offsets[1:]
        where = self._move(passages)
        return self.offsets[where], self.offsets[where + 1]

    def _pick(
        self, starts: torch.Tensor, stops: torch.Tensor, probed: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Positions of the vectors in the lists of ``probed``; where those of each passage start and stop among them."""
        ends = (stops - starts).cumsum(0)
        firsts = ends - (stops - starts)
        picked = torch.empty(int(ends[-1]), dtype=torch.int64, device=self.device)
        mask, ends = self._move(probed.astype(np.uint8)), torch.empty_like(firsts)
        self.loops.pick[(len(starts),)](
            self.codes, mask, starts, stops, firsts, picked, ends, VECTORS=64, num_warps=2, **UNFUSED
        )
        return picked, firsts, ends

    def _top(self, passages: np.ndarray, scores: torch.Tensor, k: int) -> Ranking:
        """The k best of the passages that have a score, those that tie with the last of them brought along for ``top``."""
        kept = scores > float("-inf")
        if k < len(passages):
            kept &= scores >= scores.topk(k, sorted=False).values.min()
        where = torch.nonzero(kept).squeeze(1)
        return top(passages[where.cpu().numpy()], scores[where].cpu().numpy(), k, self.index.id_rank)


@dataclass(frozen=True)
class Slots:
    """Where dimensions stand on the device: each of ``bytes`` bytes has ``part`` of them, zeros up to a power of two after
    them and up to a whole number of chunks after the last byte."""

    bytes: int
    entries: int
    part: int

    @property
    def padded_part(self) -> int:
        return 1 << (self.part - 1).bit_length()

    @property
    def at_once(self) -> int:
        return max(SLOTS_AT_ONCE, self.padded_part)

    @property
    def bytes_at_once(self) -> int:
        return self.at_once // self.padded_part

    @property
    def chunks(self) -> int:
        return -(-self.bytes // self.bytes_at_once)

    @property
    def count(self) -> int:
        return self.chunks * self.at_once

    def spread(self, rows: np.ndarray) -> np.ndarray:
        """``[rows, dim]`` as ``[rows, slots]``."""
        out = np.zeros((len(rows), self.chunks * self.bytes_at_once, self.padded_part), rows.dtype)
        out[:, : self.bytes, : self.part] = rows.reshape(len(rows), self.bytes, self.part)
        return out.reshape(len(rows), self.count)

    def codebook(self, codebook: np.ndarray) -> np.ndarray:
        """``[bytes, 256, part]`` with as many bytes and as long parts as there is room for."""
        more = self.chunks * self.bytes_at_once - self.bytes
        return np.pad(codebook, ((0, more), (0, 0), (0, self.padded_part - self.part)))
