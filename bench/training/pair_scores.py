"""Scores of pairs by a cross-encoder: on a GPU in large batches, with the next pairs tokenized while it works."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import transformers

from bench.encoder.batching import autocast, length_batches
from bench.encoder.encode import TOKENS_PER_BATCH
from bench.encoder.on_device import at_precision, batch_tokens, moved, naming_memory
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
    scores = np.empty(len(queries), np.float32)
    waiting: tuple[slice, torch.Tensor] | None = None
    with torch.inference_mode(), naming_memory(place):
        network = at_precision(model, precision) if place.type == "cuda" else model
        most = tokens_per_batch or batch_tokens(network, place, maxlen, TOKENS_PER_BATCH if place.type != "cuda" else None)
        for start in range(0, len(queries), PAIRS_PER_BLOCK):
            some = slice(start, start + PAIRS_PER_BLOCK)
            tokens = tokenize_pairs(tokenizer, queries[some], passages[some], maxlen)
            if place.type != "cuda":
                with autocast(precision, device):
                    for batch in length_batches(tokens.lengths, most):
                        found = network(**tokens.batch(batch, device)).logits
                        scores[start + batch] = found.float().reshape(-1).cpu().numpy()
                        progress(len(batch))
                continue
            begun = on_device(network, tokens, most, place)
            if waiting is not None:
                scores[waiting[0]] = waiting[1].cpu().numpy()
            waiting = (some, begun)
            progress(len(tokens))
        if waiting is not None:
            scores[waiting[0]] = waiting[1].cpu().numpy()
    return scores


def on_device(network: Any, tokens: TokenPairs, most: int, place: torch.device) -> torch.Tensor:
    """Return the logits ``[pairs]`` float32 of one block in its order, on the device; the host does not wait for them."""
    batches = list(length_batches(tokens.lengths, most, even_from=most // 8))
    found = [network(**tokens.batch(batch, place.type, network)).logits.float().reshape(-1) for batch in batches]
    order = moved(np.argsort(np.concatenate(batches)), place)
    return torch.cat(found)[order]
