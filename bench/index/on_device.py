"""Inverted lists and norms on a device, by torch alone: what ``bench.index.inverted`` and ``Codec.norms`` give on a CPU."""

import itertools
from collections.abc import Iterator

import numpy as np
import torch

from bench.codec.codec import Codec, check_codes
from bench.codec.device import moved
from bench.files.storage import release
from bench.index.inverted import Parts

ENTRIES_AT_ONCE = 1 << 27  # vectors whose lists are made together, at about 60 bytes each
VECTORS_AT_ONCE = 1 << 19  # vectors that are decoded together


def lists(parts: Parts, centroids: int, device: str, at_once: int = ENTRIES_AT_ONCE) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of all lists, and where each begins ``[centroids + 1]`` int64, from (codes, doclens) of each shard.

    The lists of a range of centroids are made at a time, from about ``at_once`` vectors.
    """
    total = sum(len(codes) for codes, _ in parts)
    bounds = np.linspace(0, centroids, max(1, -(-total // at_once)) + 1).astype(np.int64)
    made = [_lists_of(parts, int(first), int(last), torch.device(device)) for first, last in itertools.pairwise(bounds)]
    ends = np.concatenate([[0], np.cumsum(np.concatenate([sizes for _, sizes in made]))])
    return np.concatenate([found for found, _ in made]), ends


def _lists_of(parts: Parts, first: int, last: int, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of the lists of centroids from ``first`` to ``last`` (exclusive), and the size of each in bytes."""
    passages = sum(len(doclens) for _, doclens in parts)
    keys, start = [], 0
    for codes, doclens in parts:
        here = moved(np.asarray(codes).astype(np.int32), device)
        owners = torch.arange(start, start + len(doclens), device=device)
        owners = owners.repeat_interleave(moved(doclens.astype(np.int64), device), output_size=len(here))
        inside = (here >= first) & (here < last)
        keys.append((here[inside].long() - first) * passages + owners[inside])
        start += len(doclens)
        release(codes)
    entries = torch.unique(torch.cat(keys))  # ascending
    centroid, passage = entries // max(passages, 1), entries % max(passages, 1)
    before = passage.roll(1)
    before[torch.cat([centroid[:1] >= 0, centroid[1:] != centroid[:-1]])] = -1
    gaps = passage - before - 1
    sizes = 1 + sum((gaps >> 7 * group > 0).long() for group in range(1, 5))
    places = sizes.cumsum(0) - sizes
    out = torch.zeros(int(sizes.sum()), dtype=torch.uint8, device=device)
    for group in range(5):
        there = sizes > group
        high = (sizes[there] > group + 1).long() << 7
        out[places[there] + group] = (gaps[there] >> 7 * group & 127 | high).to(torch.uint8)
    lengths = torch.zeros(last - first, dtype=torch.int64, device=device).index_add_(0, centroid, sizes)
    return out.cpu().numpy(), lengths.cpu().numpy()


def norms(codec: Codec, codes: np.ndarray, residuals: np.ndarray, device: str) -> Iterator[np.ndarray]:
    """Yield the norms of ``Codec.norms``, up to rounding, of one stretch of vectors after another."""
    check_codes(codes, len(codec.centroids), "what is decoded")
    where = torch.device(device)
    centroids, codebook = moved(codec.centroids, where), moved(codec.codebook, where)
    gains, spreads = moved(codec.gains, where), moved(codec.spreads.astype(np.float32), where)
    bytes_of = torch.arange(len(codebook), device=where)
    for start in range(0, len(codes), VECTORS_AT_ONCE):
        some = slice(start, start + VECTORS_AT_ONCE)
        if not codec.normalised:
            yield np.ones(len(codes[some]), np.float32)
            continue
        code = moved(codes[some].astype(np.int32), where).long()
        packed = moved(residuals[some], where).long()
        parts = codebook[bytes_of, packed[:, : len(codebook)]].flatten(1)
        if len(gains):
            parts = parts * gains[packed[:, -1]][:, None]
        if len(spreads):
            parts = parts * spreads[code][:, None]
        yield torch.linalg.vector_norm(centroids[code] + parts, dim=1).cpu().numpy()
