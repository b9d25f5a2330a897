"""Kernels for CUDA. A batch of queries goes through each stage together, and only rankings come back.

Centroid scores and interaction are those of the reference to the bit, since they are sums of integers. Final scores are
float32 throughout, never TF32: they differ from the reference's by rounding alone, in sums of ``dim`` products and of as
many maxima as there are query vectors. Equal passages get equal bits (but in Triton's interpreter, where numpy multiplies,
only if their vectors stand in one order). Passages of a batch are int32 ``[queries, entries]`` on the device, -1 where there
is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from bench.codec.device import moved, open_device
from bench.errors import SettingsError
from bench.index.index import Index
from bench.index.inverted import expanded
from bench.search.kernels import cuda_exhaustive
from bench.search.kernels.base import LARGEST_QUERY, fixed_point_scale, largest_norm, norms, without_padding
from bench.search.kernels.cuda_store import Piece, Store, power_of_two
from bench.search.kernels.device_limits import MEMORY, MOST_QUERIES
from bench.search.ranking import Ranking
from bench.search.stage_times import Watch, unwatched

WIDTHS = (16, 32)
SLOTS_AT_ONCE, LANES_AT_ONCE = 32, 8
BEYOND = 2**16  # what no similarity in fixed point reaches
BLOCK_ROWS = 64  # centroids of a block, as in ``triton_centroids``
UNFUSED = {"enable_fp_fusion": False}  # a product and a sum are rounded twice, as on the CPU, but for those of tl.dot
NONE = -(2**63)


@dataclass(frozen=True)
class Batch:
    """Queries in ``groups`` groups of ``lanes`` vectors each, zeros beyond ``counts [queries]``.

    vectors ``[queries, groups * lanes, dim]`` float32, mapped as the codec does, on the host.
    """

    kernels: "CUDA"
    vectors: np.ndarray
    counts: np.ndarray
    lanes: int

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def groups(self) -> int:
        return self.vectors.shape[1] // self.lanes

    @cached_property
    def rows(self) -> torch.Tensor:
        """``[queries, groups * lanes, slots]`` float32."""
        dim = self.vectors.shape[2]
        spread = self.kernels.store.slots.spread(self.vectors.reshape(-1, dim))
        return moved(spread.reshape(*self.vectors.shape[:2], -1), self.kernels.device)

    @cached_property
    def turned(self) -> torch.Tensor:
        """``[queries * groups, slots, lanes]`` float32."""
        slots = self.rows.shape[2]
        return self.rows.reshape(-1, self.lanes, slots).transpose(1, 2).contiguous()

    @cached_property
    def number(self) -> torch.Tensor:
        """``counts`` on the device, int32."""
        return moved(self.counts.astype(np.int32), self.kernels.device)

    @cached_property
    def scales(self) -> np.ndarray:
        """Factors ``[queries]`` float64 from similarities to fixed point (``fixed_point_scale``)."""
        dim = self.vectors.shape[2]
        lengths = norms(self.vectors.reshape(-1, dim)).reshape(len(self), -1)
        return np.array([fixed_point_scale(row, self.kernels.largest_norm) for row in lengths])

    @cached_property
    def near(self) -> "Similarities":
        return self.kernels.similarities(self)


@dataclass(frozen=True)
class Similarities:
    """Of a batch to every centroid, in fixed point: fixed and fixed8 ``[queries * groups, centroids, lanes]``; highest
    ``[queries, centroids]`` int16: to the most similar of the query vectors; blocks: see ``triton_centroids``."""

    fixed: torch.Tensor
    fixed8: torch.Tensor
    highest: torch.Tensor
    blocks: torch.Tensor


class CUDA:
    """See ``bench.search.kernels.base``. device: cuda, or cpu where Triton interprets kernels (SettingsError elsewhere).

    A vector takes its code and residual bytes on the device, and an entry of the inverted list 4 bytes. memory: bytes that
    the vectors of an index may take there; larger ones are streamed through the device by ``best`` of all passages, and
    refused by the other methods.
    """

    def __init__(self, index: Index, *, device: str = "cuda", memory: int | None = None):
        self.device = open_device(device)
        from bench.search.kernels import triton_centroids, triton_vectors

        self.centroid_loops, self.vector_loops = triton_centroids, triton_vectors
        self.index = index
        self.store = Store(index, self.device, memory)
        self.ranks = moved(index.id_rank.astype(np.int32), self.device)

    @cached_property
    def largest_norm(self) -> float:
        assert self.index.compressed is not None
        return largest_norm(self.index.compressed)

    @cached_property
    def lists(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The inverted lists as passages, and their bounds."""
        assert self.index.compressed is not None
        lists, offsets = expanded(self.index.compressed.lists, self.index.compressed.list_offsets)
        return moved(lists, self.device), moved(offsets, self.device)

    def open(self, queries: Sequence[np.ndarray]) -> Batch:
        """Put queries ``[query vectors, dim]`` float32 without padding side by side."""
        most = max(map(len, queries))
        lanes = next((width for width in WIDTHS if most <= width), WIDTHS[-1])
        rows = np.zeros((len(queries), -(-most // lanes) * lanes, queries[0].shape[1]), np.float32)
        for row, query in zip(rows, queries, strict=True):
            row[: len(query)] = query
        if self.store.codec is not None and len(self.store.codec.map):
            rows = self.store.codec.mapped_queries(rows.reshape(-1, rows.shape[2])).reshape(rows.shape)
        return Batch(self, rows, np.array([len(query) for query in queries]), lanes)

    def similarities(self, batch: Batch) -> Similarities:
        """Compute the similarities of a batch to all centroids."""
        centroids, scales = self.store.tables[:2]
        groups, count = len(batch) * batch.groups, len(centroids)
        rows = batch.rows.double()
        least = float(np.finfo(np.float32).tiny)
        steps = rows.abs().amax(dim=(1, 2)).clamp(min=least) / LARGEST_QUERY
        integers = torch.round(rows / steps[:, None, None]).to(torch.int16)
        factors = (steps * moved(batch.scales, self.device)).float().repeat_interleave(batch.groups)
        blocks = -(-count // BLOCK_ROWS)
        shape = (groups, count, batch.lanes)
        fixed = torch.empty(shape, dtype=torch.int16, device=self.device)
        fixed8 = torch.empty(shape, dtype=torch.int8, device=self.device)
        highest = torch.empty((groups, count), dtype=torch.int16, device=self.device)
        most = torch.empty((groups, blocks, batch.lanes), dtype=torch.int16, device=self.device)
        self.centroid_loops.similarities[(blocks, groups)](
            centroids,
            scales,
            factors,
            integers,
            batch.number,
            fixed,
            fixed8,
            highest,
            most,
            count,
            batch.groups,
            SLOTS=self.store.slots.count,
            SIZE=SLOTS_AT_ONCE,
            LANES=batch.lanes,
            **UNFUSED,
        )
        return Similarities(fixed, fixed8, highest.view(len(batch), batch.groups, count).amax(1), most)

    def nearest(self, query: Batch, nprobe: int) -> torch.Tensor:
        """Return ``[queries, query vectors * nprobe]`` int32: probed centroids, -1 for padding."""
        near = query.near
        groups, count, lanes = near.fixed.shape
        probed = torch.empty((groups, lanes, min(nprobe, count)), dtype=torch.int32, device=self.device)
        blocks = near.blocks.shape[1]
        self.centroid_loops.nearest[(groups, lanes // LANES_AT_ONCE)](
            near.fixed,
            near.blocks,
            query.number,
            probed,
            count,
            blocks,
            query.groups,
            NPROBE=probed.shape[2],
            BLOCKS=max(2, power_of_two(blocks)),
            LANES=lanes,
            WIDE=LANES_AT_ONCE,
            num_warps=4,
            **UNFUSED,
        )
        return probed.view(len(query), -1)

    def candidates(self, probed: torch.Tensor) -> torch.Tensor:
        queries, number = probed.shape
        seen = torch.full((queries, len(self.index)), -1, dtype=torch.int32, device=self.device)
        split = 4
        self.centroid_loops.mark[(number * split, queries)](
            *self.lists, probed, seen, number, len(self.index), SPLIT=split, ENTRIES=128, num_warps=1, **UNFUSED
        )
        return seen

    def closest(self, query: Batch, passages: torch.Tensor, kept: int, threshold: float | None = None) -> torch.Tensor:
        return self._kept(passages, self.interactions(query, passages, threshold), kept)

    def interactions(self, query: Batch, passages: torch.Tensor, threshold: float | None = None) -> torch.Tensor:
        """Return keys ``[queries, entries]`` int64 of the passages by the interaction (``triton_vectors.key``)."""
        near, entries = query.near, passages.shape[1]
        least = np.full(len(query), -BEYOND)
        if threshold is not None:
            least = np.clip(np.ceil(threshold * query.scales), -BEYOND, BEYOND)
        keys = torch.empty(passages.shape, dtype=torch.int64, device=self.device)
        block = _entries_a_program(entries)
        self.centroid_loops.interaction[(-(-entries // block), len(query))](
            near.fixed8,
            near.highest,
            moved(least.astype(np.int32), self.device),
            query.number,
            self.store.whole.stored[1],
            self.store.offsets,
            self.ranks,
            passages,
            keys,
            near.fixed8.shape[1],
            entries,
            query.groups,
            BLOCK=block,
            VECTORS=32,
            LANES=query.lanes,
            num_warps=2,
            **UNFUSED,
        )
        return keys

    def chosen(self, query: Batch, passages: torch.Tensor, kept: int, probed: torch.Tensor) -> torch.Tensor:
        assert self.store.codec is not None
        count = len(self.store.codec.centroids)
        mask = torch.zeros((len(query), count + 1), dtype=torch.uint8, device=self.device)
        mask.scatter_(1, torch.where(probed < 0, count, probed).long(), 1)
        keys = self.scores(self.store.whole, query, passages, mask[:, :count].contiguous())
        return self._kept(torch.where(keys == NONE, -1, passages), keys, kept)

    def best(self, query: Batch, passages: torch.Tensor | None, k: int) -> list[Ranking]:
        """Return the ranking of each query; of all passages if None are given."""
        if passages is None:
            return self._rankings(*cuda_exhaustive.search(self, query, k))
        return self._rankings(*top(self.scores(self.store.whole, query, passages), passages, k))

    def scores(self, piece: Piece, query: Batch, passages: torch.Tensor, probed: torch.Tensor | None = None) -> torch.Tensor:
        """Return keys ``[queries, entries]`` int64 of passages of a piece, counted from its first one, by their vectors."""
        entries, sizes = passages.shape[1], self.store.sizes
        keys = torch.empty(passages.shape, dtype=torch.int64, device=self.device)
        block = 1 if probed is None else _entries_a_program(entries)
        self.vector_loops.maxsim[(-(-entries // block), len(query))](
            query.turned,
            *piece.stored,
            piece.offsets,
            self.ranks[piece.first : piece.last],
            passages,
            query.number if probed is None else probed,
            keys,
            entries,
            0 if probed is None else probed.shape[1],
            query.groups,
            **sizes,
            SIZE=max(SLOTS_AT_ONCE, sizes["PART"]),
            PROBED=probed is not None,
            BLOCK=block,
            VECTORS=16 if probed is not None else 32,
            LANES=query.lanes,
            num_warps=1 if probed is not None else 2,
            num_stages=1,
            **UNFUSED,
        )
        return keys

    def each(
        self,
        search: Callable[[Any, Sequence[np.ndarray]], list[Ranking]],
        queries: np.ndarray,
        exhaustive: bool = False,
    ) -> list[Ranking]:
        """Search in batches of queries with as many groups of vectors; queries may have padding."""
        real = [without_padding(query) for query in queries]
        groups: dict[int, list[int]] = {}
        for number, query in enumerate(real):
            groups.setdefault(-(-len(query) // WIDTHS[-1]), []).append(number)
        found: dict[int, Ranking] = {}
        for count, members in groups.items():
            size = MOST_QUERIES if exhaustive else self._queries_at_once(count)
            for start in range(0, len(members), size):
                some = members[start : start + size]
                found |= zip(some, search(self, [real[number] for number in some]), strict=True)
        return [found[number] for number in range(len(queries))]

    def note(self, watch: Watch, stage: str, **work: int | Sequence[torch.Tensor]) -> None:
        """Wait for the device and call ``watch``, unless nothing is watched."""
        if watch is unwatched:
            return
        counts = {
            name: some if isinstance(some, int) else sum(int((each >= 0).sum()) for each in some)
            for name, some in work.items()
        }
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        watch(stage, **counts)

    def _queries_at_once(self, groups: int) -> int:
        """Return the number of queries whose stages fit in ``MEMORY``. Raise SettingsError if none does."""
        codec = self.store.codec
        centroids = 0 if codec is None else len(codec.centroids)
        each = groups * WIDTHS[-1] * centroids * 3 + 20 * len(self.index)
        if each > MEMORY:
            raise SettingsError(f"a query with {groups * WIDTHS[-1]} vectors takes {each / 1e9:.1f} GB on the device")
        return min(MOST_QUERIES, MEMORY // each)

    def _kept(self, passages: torch.Tensor, keys: torch.Tensor, kept: int) -> torch.Tensor:
        if passages.shape[1] <= kept:
            return passages
        return passages.gather(1, keys.topk(kept, dim=1, sorted=False).indices)

    def _rankings(self, keys: torch.Tensor, passages: torch.Tensor) -> list[Ranking]:
        """Fetch the rankings of sorted keys ``[queries, k]`` and their passages."""
        found = torch.stack([keys, passages.long()]).cpu().numpy()
        bits = (found[0] >> 32).astype(np.int32)
        scores = np.where(bits < 0, bits ^ 0x7FFFFFFF, bits).astype(np.int32).view(np.float32)
        there = found[0] != NONE
        return [Ranking(found[1, row][kept], scores[row][kept]) for row, kept in enumerate(there)]


def top(keys: torch.Tensor, passages: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k largest keys ``[queries, entries]`` in descending order, and their passages."""
    found = keys.topk(min(k, keys.shape[1]), dim=1)
    return found.values, passages.gather(1, found.indices)


def _entries_a_program(entries: int) -> int:
    """Return how many entries one program takes: one of a few passages, more of many of which few may be there."""
    return 1 if entries <= 8192 else 32
