"""Encoding of texts as vectors: sorted by length, batched by token count, in float32 or under bfloat16 autocast."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch

from bench.encoder.model import Encoder, LateInteraction

TOKENS_PER_BATCH = 2048
Progress = Callable[[int], object]


def autocast(precision: str, device: str) -> AbstractContextManager:
    """Return a context in which matrix products run in ``precision``, which is "float32" or "bfloat16"."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def length_batches(lengths: Sequence[int], tokens: int) -> Iterator[np.ndarray]:
    """Yield positions sorted by length, in batches of at most ``tokens`` tokens with padding (or of a single text)."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        if stop == len(order) or lengths[order[stop]] * (stop + 1 - start) > tokens:
            yield order[start:stop]
            start = stop


def padded(rows: Sequence[Sequence[int]], pad: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad ragged token ids on the right. Return ids and attention mask, each ``[rows, longest]``."""
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), pad, np.int64)
    attention = np.zeros_like(ids)
    for position, row in enumerate(rows):
        ids[position, : len(row)] = row
        attention[position, : len(row)] = 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(attention).to(device)


def encode_passages(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    maxlen: int,
    precision: str = "float32",
    device: str = "cpu",
    progress: Progress = lambda done: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors ``[vectors, dim]`` float16 in the order of the texts, and ``doclens [texts]`` int32.

    Every passage has vectors: an empty passage has the vectors of its special tokens.
    """
    ids = encoder.inputs.passages(texts, maxlen)
    return encode_tokens(encoder, ids, precision=precision, device=device, progress=progress)


def measured_passages(encoder: Encoder, texts: Sequence[str], maxlen: int) -> tuple[list[list[int]], np.ndarray]:
    """Return truncated ids of each passage; and ``[passages, 2]`` int32: token and vector counts without truncation."""
    ids, uncut = encoder.inputs.measured_passages(texts, maxlen)
    if not _per_token(encoder):
        uncut[:, 1] = 1
    return ids, uncut


def encode_tokens(
    encoder: Encoder,
    ids: Sequence[Sequence[int]],
    *,
    precision: str = "float32",
    device: str = "cpu",
    progress: Progress = lambda done: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same arrays as ``encode_passages`` for passages that are already token ids."""
    parts: list[np.ndarray] = [np.empty((0, encoder.dim), np.float16)] * len(ids)
    with torch.inference_mode(), autocast(precision, device):
        for batch in length_batches([len(row) for row in ids], TOKENS_PER_BATCH):
            rows = [ids[position] for position in batch]
            vectors = encoder(*padded(rows, encoder.inputs.pad, device)).to(torch.float16).cpu().numpy()
            for position, row, found in zip(batch, rows, vectors, strict=True):
                parts[position] = found[: len(row)][encoder.inputs.kept(np.array(row))] if _per_token(encoder) else found
            progress(len(batch))
    doclens = np.array([len(part) for part in parts], np.int32)
    return np.concatenate(parts), doclens


def encode_queries(
    encoder: Encoder, texts: Sequence[str], *, maxlen: int, precision: str = "float32", device: str = "cpu"
) -> np.ndarray:
    """Return vectors ``[queries, query vectors, dim]`` float32, in the order of the texts.

    If queries are not padded with [MASK], the shorter queries end in zero vectors, which the search engines ignore.
    """
    ids, attention = encoder.inputs.queries(texts, maxlen)
    batch = max(1, TOKENS_PER_BATCH // ids.shape[1])
    parts = []
    with torch.inference_mode(), autocast(precision, device):
        for start in range(0, len(ids), batch):
            some = slice(start, start + batch)
            parts.append(encoder(torch.from_numpy(ids[some]).to(device), torch.from_numpy(attention[some]).to(device)))
    vectors = torch.cat(parts).cpu().numpy()
    if _per_token(encoder):
        vectors[~encoder.inputs.asked(ids, attention)] = 0.0
    return vectors


def _per_token(encoder: Encoder) -> bool:
    return isinstance(encoder, LateInteraction)
