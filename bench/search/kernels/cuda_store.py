"""What the kernels for CUDA read of an index: on the device as a whole, or piece by piece where memory is short."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from bench.codec import packing
from bench.codec.codec import Codec
from bench.codec.device import moved
from bench.codec.int8_centroids import to_bytes
from bench.errors import SettingsError
from bench.index.index import Index
from bench.search.kernels.base import largest_norm
from bench.search.kernels.device_limits import SHARE

LEAST_SLOTS = 32
TILE, GROUP = 128, 16
CHUNK_GROUPS = 128


@dataclass(frozen=True)
class Slots:
    """Where dimensions stand on the device: each of ``bytes`` bytes has ``part`` of them, zeros up to a power of two after
    them, and zeros up to a power of two after the last byte."""

    bytes: int
    part: int

    @property
    def padded_part(self) -> int:
        return power_of_two(self.part)

    @property
    def count(self) -> int:
        return max(LEAST_SLOTS, power_of_two(self.bytes * self.padded_part))

    def spread(self, rows: np.ndarray) -> np.ndarray:
        """``[rows, dim]`` as ``[rows, slots]``."""
        out = np.zeros((len(rows), self.count // self.padded_part, self.padded_part), rows.dtype)
        out[:, : self.bytes, : self.part] = rows.reshape(len(rows), self.bytes, self.part)
        return out.reshape(len(rows), self.count)

    def codebook(self, codebook: np.ndarray) -> np.ndarray:
        """``[bytes, 256, part]`` with as many bytes and as long parts as there is room for."""
        more = self.count // self.padded_part - self.bytes
        return np.pad(codebook, ((0, more), (0, 0), (0, self.padded_part - self.part)))


def power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


@dataclass(frozen=True)
class Piece:
    """The passages ``first`` to ``last`` (exclusive) on the device.

    offsets ``[passages + 1]`` of their vectors, counted from the first one; stored: the arguments of every kernel that
    decodes; largest: no norm of a decoded or uncompressed vector is larger.
    """

    first: int
    last: int
    offsets: torch.Tensor
    stored: tuple[torch.Tensor, ...]
    largest: float

    @cached_property
    def tiles(self) -> "Tiles":
        return tiles(self.offsets)


@dataclass(frozen=True)
class Tiles:
    """See ``bench.search.kernels.triton_vectors.coarse``; number: of tiles."""

    number: int
    firsts: torch.Tensor
    lasts: torch.Tensor
    owners: torch.Tensor
    chunks: torch.Tensor


def tiles(offsets: torch.Tensor) -> Tiles:
    """Return the tiles of passages with the given ``offsets [passages + 1]``: eight groups of up to sixteen vectors of one
    passage each. A chunk has whole passages and about ``CHUNK_GROUPS`` groups, and starts a new tile."""
    starts, lengths = offsets[:-1], offsets.diff()
    device, passages = offsets.device, len(lengths)
    groups = (lengths + GROUP - 1) // GROUP
    ends = torch.nn.functional.pad(groups.cumsum(0), (1, 0))
    count = int(ends[-1])
    step = max(1, CHUNK_GROUPS * passages // max(count, 1))
    bounds = torch.arange(0, passages + step, step, device=device).clamp(max=passages)
    inside = ends[bounds].diff()
    chunks = torch.nn.functional.pad(((inside + 7) // 8).cumsum(0), (1, 0))
    number = int(chunks[-1])
    owner = torch.repeat_interleave(torch.arange(passages, device=device), groups, output_size=count)
    member = torch.arange(count, device=device) - ends[owner]
    chunk = owner // step
    place = chunks[chunk] * 8 + torch.arange(count, device=device) - ends[bounds[chunk]]
    first = starts[owner] + member * GROUP
    firsts, lasts = (torch.zeros(number * 8, dtype=torch.int32, device=device) for _ in range(2))
    owners = torch.full((number * 8 + 2,), -1, dtype=torch.int32, device=device)
    firsts[place] = first.int()
    lasts[place] = torch.minimum(first + GROUP, offsets[owner + 1]).int() - 1
    owners[place + 1] = owner.int()
    return Tiles(number, firsts, lasts, owners, chunks.int())


class Store:
    """The vectors of an index for the device. memory: bytes they may take, a share of what is free if not given."""

    def __init__(self, index: Index, device: torch.device, memory: int | None = None):
        self.index, self.device = index, device
        compressed = index.compressed
        if compressed is None:
            assert index.raw is not None
            self.arrays: dict[str, np.ndarray] = {"vectors": index.raw}
            self.slots = Slots(index.dim, 1)
        else:
            self.arrays = {"codes": compressed.codes, "residuals": compressed.residuals}
            self.slots = Slots(len(compressed.codec.codebook), compressed.codec.codebook.shape[2])
        self.codec = None if compressed is None else compressed.codec
        self.bits = 0 if self.codec is None else scalar_bits(self.codec)
        self.memory = int(SHARE * torch.cuda.mem_get_info()[0]) if memory is None and device.type == "cuda" else memory
        self.bytes = sum(array.nbytes for array in self.arrays.values())
        self.offsets = moved(index.offsets, device)
        self.tables = self._tables()

    @property
    def piece_bytes(self) -> int:
        """Return how many bytes of decoded vectors a piece may have, so that two streamed pieces fit on the device."""
        if self.fits or self.memory is None:
            return 1 << 62
        each = self.bytes / max(len(next(iter(self.arrays.values()))), 1)
        return max(1, int(self.memory / 2 / each) * 2 * self.slots.count)

    @property
    def fits(self) -> bool:
        return self.memory is None or self.bytes <= self.memory

    @cached_property
    def sizes(self) -> dict[str, Any]:
        """The sizes that kernels are compiled for."""
        codec, slots = self.codec, {"PART": self.slots.padded_part, "SLOTS": self.slots.count}
        if codec is None:
            return {"DIM": self.index.dim, "NUMBER": 0, "NBITS": 0, "GAINS": 0, "SPREADS": 0, "NORMALISED": False, **slots}
        return {
            "DIM": 0,
            "NUMBER": len(codec.codebook),
            "NBITS": self.bits,
            "GAINS": int(len(codec.gains) > 0),
            "SPREADS": int(len(codec.spreads) > 0),
            "NORMALISED": codec.normalised,
            **slots,
        }

    @cached_property
    def whole(self) -> Piece:
        """All passages. Raise SettingsError if the device has too little memory for them."""
        if not self.fits:
            raise SettingsError(
                f"this engine needs the whole index on the device, {self.bytes / 1e9:.1f} GB, of which {self.memory or 0:,} "
                "bytes may be taken; use fewer bits, the engine exact, or a device with more memory"
            )
        return self._piece(0, len(self.index), self._moved(slice(None)))

    def pieces(self, bounds: Sequence[int]) -> Iterator[Piece]:
        """Yield the passages between the given bounds; each piece is copied while the one before is searched."""
        stretches = list(itertools.pairwise(bounds))
        if self.fits:
            if len(stretches) == 1:
                yield self.whole
                return
            every = self.whole.stored
            for first, last in stretches:
                some = slice(int(self.index.offsets[first]), int(self.index.offsets[last]))
                yield self._piece(first, last, self._arguments(*(self._cut(array, some) for array in every[:3])))
            return
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(self._copied, *stretches[0])
            for number, (first, last) in enumerate(stretches):
                stored, ready = ahead.result()
                if number + 1 < len(stretches):
                    ahead = pool.submit(self._copied, *stretches[number + 1])
                if ready is not None:
                    torch.cuda.current_stream().wait_event(ready)
                    for tensor in stored[:3]:
                        tensor.record_stream(torch.cuda.current_stream())
                yield self._piece(first, last, stored)

    def _copied(self, first: int, last: int) -> tuple[tuple[torch.Tensor, ...], Any]:
        """Copy the arrays of some passages on a stream of their own; return them and the event at its end."""
        some = slice(int(self.index.offsets[first]), int(self.index.offsets[last]))
        if self.device.type != "cuda":
            return self._moved(some), None
        with torch.cuda.device(self.device), torch.cuda.stream(self._stream):
            stored = self._moved(some, pinned=True)
            event = torch.cuda.Event()
            event.record()
        return stored, event

    @cached_property
    def _stream(self) -> Any:
        return torch.cuda.Stream(self.device)

    def _moved(self, some: slice, pinned: bool = False) -> tuple[torch.Tensor, ...]:
        def move(name: str) -> torch.Tensor:
            if name not in self.arrays:
                return torch.empty(0, dtype=torch.uint8, device=self.device)
            if not pinned:
                return moved(self.arrays[name][some], self.device)
            return torch.from_numpy(np.array(self.arrays[name][some])).pin_memory().to(self.device, non_blocking=True)

        return self._arguments(move("vectors"), move("codes"), move("residuals"))

    def _cut(self, array: torch.Tensor, some: slice) -> torch.Tensor:
        return array[some] if len(array) else array

    def _arguments(self, vectors: torch.Tensor, codes: torch.Tensor, residuals: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what ``Piece.stored`` holds, with the arrays that change from piece to piece first."""
        return vectors, codes, residuals, *self.tables

    def _tables(self) -> tuple[torch.Tensor, ...]:
        """Return centroids, their scales, codebook, gains and spreads."""
        if self.codec is None:
            return (torch.empty(0, dtype=torch.uint8, device=self.device),) * 5
        values, scales = to_bytes(self.codec.centroids)
        if self.bits:
            weights = np.broadcast_to(self.codec.weights, (self.codec.dim, 2**self.bits))
            codebook = np.pad(weights, ((0, self.slots.count - self.codec.dim), (0, 0)))
        else:
            codebook = self.slots.codebook(self.codec.codebook)
        parts = (
            self.slots.spread(values),
            scales.astype(np.float32),
            codebook.astype(np.float32),
            self.codec.gains,
            self.codec.spreads.astype(np.float32),
        )
        return tuple(moved(part, self.device) for part in parts)

    def _piece(self, first: int, last: int, stored: tuple[torch.Tensor, ...]) -> Piece:
        offsets = self.offsets[first : last + 1]
        if self.codec is None:
            largest = float(torch.linalg.vector_norm(stored[0], dim=1, dtype=torch.float32).max())
        else:
            assert self.index.compressed is not None
            largest = 1.0 if self.codec.normalised else largest_norm(self.index.compressed)
        return Piece(first, last, offsets - offsets[0], stored, largest)


def scalar_bits(codec: Codec) -> int:
    """Return the bits of a dimension where bytes hold buckets of dimensions, 0 where they choose learned sub-vectors."""
    if not len(codec.weights) or codec.weights.shape[-1] not in (2, 4, 16, 256):
        return 0
    made = packing.codebook(codec.weights, codec.dim)
    return codec.weights.shape[-1].bit_length() - 1 if np.array_equal(made, codec.codebook) else 0
