"""Encoding of texts as vectors: sorted by length, batched by token count, in float32 or bfloat16."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from bench.encoder.batching import autocast, length_batches
from bench.encoder.model import Encoder, per_token
from bench.encoder.on_device import TOKENS_PER_BLOCK, device_passages
from bench.encoder.tokens import Tokens
from bench.errors import DataError

TOKENS_PER_BATCH = 2048
MOST_PROCESSES = 16  # that tokenize ahead of a GPU
Progress = Callable[[int], object]


class Encoded(NamedTuple):
    """Passages as vectors: vectors ``[vectors, dim]`` float16, ``doclens [passages]`` int32, uncut ``[passages, 2]`` int32:
    token and vector counts without truncation; tokens ``[vectors]``: the token id of each vector, of the narrowest unsigned
    type that holds the vocabulary, None if a vector is not that of a token.
    """

    vectors: np.ndarray
    doclens: np.ndarray
    uncut: np.ndarray
    tokens: np.ndarray | None


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
    return encode_measured(encoder, texts, maxlen=maxlen, precision=precision, device=device, progress=progress)[:2]


def encode_measured(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    maxlen: int,
    precision: str = "float32",
    device: str = "cpu",
    progress: Progress = lambda done: None,
) -> Encoded:
    """Return the arrays of ``encode_passages``, with the lengths and the tokens of the passages.

    On a GPU, texts are tokenized in other processes while it works on the texts before them.
    """
    if torch.device(device).type == "cuda":
        processes = min(torch.get_num_threads(), MOST_PROCESSES)
        blocks = encoder.inputs.passage_blocks(texts, maxlen, max(TOKENS_PER_BLOCK // maxlen, 1), processes)
        vectors, doclens, uncut, ids = device_passages(
            encoder, blocks, len(texts), maxlen, precision=precision, device=device, progress=progress
        )
    else:
        tokens, uncut = encoder.inputs.measured_passages(texts, maxlen)
        vectors, doclens = encode_tokens(encoder, tokens, precision=precision, device=device, progress=progress)
        ids = encoder.inputs.kept_ids(tokens)
    if not per_token(encoder):
        uncut[:, 1] = 1
        return Encoded(vectors, doclens, uncut, None)
    return Encoded(vectors, doclens, uncut, ids)


def encode_tokens(
    encoder: Encoder,
    tokens: Tokens,
    *,
    precision: str = "float32",
    device: str = "cpu",
    progress: Progress = lambda done: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same arrays as ``encode_passages`` for passages that are already token ids, in batches of a fixed size."""
    parts: list[np.ndarray] = [np.empty((0, encoder.dim), np.float16)] * len(tokens)
    with torch.inference_mode(), autocast(precision, device):
        for batch in length_batches(tokens.lengths, TOKENS_PER_BATCH):
            ids, attention = tokens.padded(batch, encoder.inputs.pad)
            found = encoder(torch.from_numpy(ids).to(device), torch.from_numpy(attention).to(device))
            vectors = found.to(torch.float16).cpu().numpy()
            keep = encoder.inputs.kept(ids) & (attention == 1) if per_token(encoder) else np.ones((len(batch), 1), bool)
            for position, row, kept in zip(batch, vectors, keep, strict=True):
                parts[position] = row[kept]
            progress(len(batch))
    doclens = np.array([len(part) for part in parts], np.int32)
    return np.concatenate(parts), doclens


def encode_queries(
    encoder: Encoder, texts: Sequence[str], *, maxlen: int, precision: str = "float32", device: str = "cpu"
) -> np.ndarray:
    """Return vectors ``[queries, query vectors, dim]`` float32, in the order of the texts.

    If queries are not padded with [MASK], the shorter queries end in zero vectors, which the search engines ignore.
    Raise DataError where there is no text.
    """
    if not texts:
        raise DataError("there are no queries to encode: give at least one text")
    ids, attention = encoder.inputs.queries(texts, maxlen)
    batch = max(1, TOKENS_PER_BATCH // ids.shape[1])
    parts = []
    with torch.inference_mode(), autocast(precision, device):
        for start in range(0, len(ids), batch):
            some = slice(start, start + batch)
            parts.append(encoder(torch.from_numpy(ids[some]).to(device), torch.from_numpy(attention[some]).to(device)))
    vectors = torch.cat(parts).cpu().numpy()
    if per_token(encoder):
        vectors[~encoder.inputs.asked(ids, attention)] = 0.0
    return vectors
