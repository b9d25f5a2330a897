"""MaxSim with every passage on the device: half precision on tensor cores, then float32 where it can matter.

The error of a score in half precision has a bound. A passage whose rounded score is below the k-th best by more than twice
the bound cannot be among the k best. The others are scored in float32, so that rankings are those of float32.
"""

from typing import TYPE_CHECKING

import torch

from bench.search.kernels.cuda_store import TILE, Piece

if TYPE_CHECKING:
    from bench.search.kernels.cuda import CUDA, Batch

ROUNDING = 2.0**-11  # of a value in half precision, relative
SLACK = 2.0**-13  # for sums in float32 on tensor cores, for decoding, and for values too small for half precision
MOST_SLOTS = 512  # beyond, tiles don't fit in shared memory
FUSED_ROWS = 128  # query vectors up to which a tile is decoded where it is multiplied
SCORES = 2 << 30  # bytes of rounded scores at a time
DECODED = 4 << 30  # bytes of decoded vectors at a time
MARGIN = 32  # passages scored in float32 beyond k, and a quarter of k


def search(kernels: "CUDA", query: "Batch", k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return keys ``[queries, k]`` int64, sorted, and passages: the k best of all passages of the index."""
    from bench.search.kernels.cuda import NONE, top

    device, queries = kernels.device, len(query)
    keys = torch.full((queries, 0), NONE, dtype=torch.int64, device=device)
    passages = torch.zeros((queries, 0), dtype=torch.int32, device=device)
    rounded, largest = torch.zeros((queries, 0), device=device), 0.0
    for piece in kernels.store.pieces(bounds(kernels, query)):
        if kernels.store.slots.count > MOST_SLOTS:
            some = torch.arange(piece.last - piece.first, dtype=torch.int32, device=device).expand(queries, -1).contiguous()
        else:
            largest = max(largest, piece.largest)
            some, rounded = _promising(kernels, piece, query, k, rounded, largest)
        found = kernels.scores(piece, query, some)
        keys, passages = top(torch.cat([keys, found], 1), torch.cat([passages, some + piece.first], 1), k)
    return keys, passages


def bounds(kernels: "CUDA", query: "Batch") -> list[int]:
    """Return the bounds of the pieces of an index, as positions of passages."""
    offsets, most = kernels.index.offsets, max(1, SCORES // (4 * len(query) * query.groups))
    vectors = max(1, min(DECODED, kernels.store.piece_bytes) // (2 * kernels.store.slots.count))
    found = [0]
    while found[-1] < len(kernels.index):
        first = found[-1]
        last = int(offsets.searchsorted(offsets[first] + vectors, side="right")) - 1
        found.append(min(max(last, first + 1), first + most, len(kernels.index)))
    return found


def _promising(
    kernels: "CUDA", piece: Piece, query: "Batch", k: int, before: torch.Tensor, largest: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the passages of a piece that can be among the k best, counted from its first one, -1 for none; and the best
    rounded scores so far, of this piece and the ones ``before``; largest: of the norms of all of them."""
    half, errors = _halves(query, largest, kernels.store.codec is not None)
    scores = _rounded(kernels, piece, query, half)
    number = min(scores.shape[1], k + k // 4 + MARGIN)
    while True:
        values, found = scores.topk(number, dim=1)
        best = torch.cat([before, values], 1)
        best = best.topk(min(k, best.shape[1]), dim=1).values
        least = best[:, -1:] - 2 * errors if best.shape[1] == k else torch.full_like(errors, float("-inf"))
        if number == scores.shape[1] or not bool((values[:, -1:] >= least).any()):
            return torch.where(values >= least, found, -1).to(torch.int32), best
        number = min(scores.shape[1], 2 * number)


def _halves(query: "Batch", largest: float, decoded: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the query vectors in half precision, divided by the largest norm of their query, and the bound of the error of
    a score ``[queries, 1]`` in the same unit, where stored vectors are divided by ``largest``."""
    norms = torch.linalg.vector_norm(query.rows, dim=2)
    unit = query.rows / norms.amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny)[:, None, None]
    half = unit.half()
    lengths = torch.linalg.vector_norm(unit, dim=2)
    lost = torch.linalg.vector_norm(unit - half.float(), dim=2)
    bound = lost * (1 + SLACK) + lengths * (SLACK + (ROUNDING if decoded else 0.0))
    return half, bound.sum(dim=1, keepdim=True) * (1.0 if decoded else largest)


def _rounded(kernels: "CUDA", piece: Piece, query: "Batch", half: torch.Tensor) -> torch.Tensor:
    """Return ``[queries, passages]`` float32: MaxSim in half precision."""
    sizes, slots = kernels.store.sizes, kernels.store.slots.count
    tiles, passages = piece.tiles, piece.last - piece.first
    rows = half.reshape(-1, slots)
    width = 64 if len(rows) <= 64 or slots > 256 else 128
    rows = torch.nn.functional.pad(rows, (0, 0, 0, -len(rows) % width))
    fused = len(rows) <= FUSED_ROWS
    factor = 1.0 / piece.largest if kernels.store.codec is not None else 1.0
    stored = half
    if not fused:
        at_once = max(1, 4096 // slots)
        stored = torch.empty((tiles.number * TILE, slots), dtype=torch.float16, device=kernels.device)
        kernels.vector_loops.decode[(tiles.number * TILE // at_once,)](
            *piece.stored, tiles.firsts, tiles.lasts, stored, factor, **sizes, ROWS=at_once, enable_fp_fusion=True
        )
    out = torch.empty((len(rows) // query.lanes, passages), device=kernels.device)
    kernels.vector_loops.coarse[(len(tiles.chunks) - 1, len(rows) // width)](
        rows,
        stored,
        *piece.stored,
        tiles.firsts,
        tiles.lasts,
        tiles.owners,
        tiles.chunks,
        out,
        passages,
        factor,
        **sizes,
        ROWS=width,
        LANES=query.lanes,
        FUSED=fused,
        num_warps=8 if fused else 4,
        num_stages=1 if fused or slots > 256 else 2,
        enable_fp_fusion=True,
    )
    out = out[: len(query) * query.groups]
    return out if query.groups == 1 else out.view(len(query), query.groups, passages).sum(1)
