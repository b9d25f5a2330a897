"""Scores of pairs by a cross-encoder: on a GPU in large batches, with the next pairs tokenized while it works."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import transformers

from bench.encoder.batching import autocast, length_batches
from bench.encoder.encode import TOKENS_PER_BATCH
from bench.encoder.on_device import TOKENS, at_precision, batch_tokens, moved, naming_memory
from bench.training.pairs import TokenPairs, tokenize_pairs

PAIRS_PER_BLOCK = 8192


def score_pairs(
    model: Any,
    tokenizer: transformers.PreTrainedTokenizerBase,
    queries: Sequence[str],
    passages: Sequence[str],
    *,
    maxlen: int,
    precision: str,
    device: str,
    tokens_per_batch: int | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> np.ndarray:
    """Return logits ``[pairs]`` float32. Pairs are tokenized in blocks, and batched by length within each block.

    model: of transformers, with one label. tokens_per_batch: with padding; by default ``TOKENS_PER_BATCH``, on a GPU as
    many as its memory allows. Raise SettingsError for a GPU without the memory.
    """
    place = torch.device(device)
    gpu = place.type == "cuda"
    scores = np.empty(len(queries), np.float32)
    begun: list[tuple[slice, torch.Tensor]] = []
    with torch.inference_mode(), naming_memory(place), autocast("float32" if gpu else precision, place.type):
        network = at_precision(model, precision) if gpu else model
        most = batch_tokens(network, place, maxlen, tokens_per_batch or (TOKENS if gpu else TOKENS_PER_BATCH))
        for start in range(0, len(queries), PAIRS_PER_BLOCK):
            some = slice(start, start + PAIRS_PER_BLOCK)
            tokens = tokenize_pairs(tokenizer, queries[some], passages[some], maxlen)
            begun.append((some, block_scores(network, tokens, most, place, progress)))
            if len(begun) > 1:  # the host waits for the block before, while the device has the next one
                _fetch(scores, *begun.pop(0))
        for each in begun:
            _fetch(scores, *each)
    return scores


def block_scores(
    network: Any, tokens: TokenPairs, most: int, place: torch.device, progress: Callable[[int], object]
) -> torch.Tensor:
    """Return the logits ``[pairs]`` float32 of one block in its order, on the device; the host does not wait for them."""
    batches = list(length_batches(tokens.lengths, most, even_from=most // 8 if place.type == "cuda" else None))
    found = []
    for batch in batches:
        found.append(network(**tokens.batch(batch, place.type, network)).logits.float().reshape(-1))
        progress(len(batch))
    return torch.cat(found)[moved(np.argsort(np.concatenate(batches)), place)]


def _fetch(scores: np.ndarray, some: slice, found: torch.Tensor) -> None:
    scores[some] = found.cpu().numpy()
