"""Tokenization of all training texts before the first step, and encoding of batches with gradients."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bench.encoder.batching import autocast
from bench.encoder.model import LateInteraction
from bench.encoder.on_device import attention_mask, moved
from bench.encoder.tokens import Tokens

TEXTS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Encoded:
    """Vectors of a batch. asked: ``[queries, query vectors, dim]``, zero for padding; found:
    ``[passages, vectors, dim]``; kept: ``[passages, vectors]`` bool, False for padding and punctuation; tokens: number
    of tokens read, without padding.
    """

    asked: torch.Tensor
    found: torch.Tensor
    kept: torch.Tensor
    tokens: int


class Tokenized:
    """Token ids of queries and passages."""

    def __init__(
        self,
        encoder: LateInteraction,
        queries: Sequence[str],
        passages: Iterable[str],
        *,
        query_maxlen: int,
        doc_maxlen: int,
    ):
        self.inputs = encoder.inputs
        self.query_ids, self.query_attention = encoder.inputs.queries(queries, query_maxlen)
        read = [Tokens.of([])]
        waiting = iter(passages)
        while texts := list(itertools.islice(waiting, TEXTS_AT_ONCE)):
            read.append(encoder.inputs.passages(texts, doc_maxlen))
        self.passages = Tokens.joined(read)

    def encode(
        self, encoder: LateInteraction, queries: np.ndarray, passages: np.ndarray, precision: str, device: str, pool: int = 1
    ) -> Encoded:
        """Return the vectors of the queries and passages at the given rows, in the given order; pool: see ``merged``."""
        place = torch.device(device)
        ids, attention = self.passages.padded(passages, self.inputs.pad)
        asked_ids, asked_attention = self.query_ids[queries], self.query_attention[queries]
        filled = self.inputs.asked(asked_ids, asked_attention)
        longest = int(np.flatnonzero(filled.any(axis=0))[-1]) + 1
        kept = attention.astype(bool) & self.inputs.kept(ids)
        with autocast(precision, place.type):
            found = self._vectors(encoder, ids, attention, precision, place)
            asked = self._vectors(encoder, asked_ids[:, :longest], asked_attention[:, :longest], precision, place)
            asked = asked * moved(filled[:, :longest], place).unsqueeze(-1)
        vectors = merged(found, kept, pool) if pool > 1 else (found, moved(kept, place))
        return Encoded(asked, *vectors, int(attention.sum()) + int(filled.sum()))

    def _vectors(
        self, encoder: LateInteraction, ids: np.ndarray, attention: np.ndarray, precision: str, place: torch.device
    ) -> torch.Tensor:
        if place.type != "cuda":
            return encoder(torch.from_numpy(ids), torch.from_numpy(np.ascontiguousarray(attention)))
        given, real = moved(ids.astype(np.int32), place).long(), moved(attention.astype(bool), place)
        mask = attention_mask(encoder.bert, real, torch.bfloat16 if precision == "bfloat16" else None)
        return encoder.head(encoder.bert(input_ids=given, attention_mask=mask).last_hidden_state, real)


def merged(found: torch.Tensor, kept: np.ndarray, factor: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Merge the vectors of a batch as ``bench.encoder.pooling.pooled`` those of a shard, with gradients through the means.

    found: ``[passages, vectors, dim]``; kept: ``[passages, vectors]`` bool. Return ``[passages, fewer vectors, dim]``
    and which of them are there. The clusters are found on the CPU, so the device waits for them.
    """
    from bench.encoder.pooling import clusters  # it needs scipy, which a bare machine with a GPU has not

    fixed = found.detach().float().cpu().numpy()
    if not np.isfinite(fixed).all():
        return found, moved(kept, found.device)  # no clusters; the loss is no number either, and refused with its queries
    labels = clusters([vectors[there] for vectors, there in zip(fixed, kept, strict=True)], factor)
    counts = np.array([label.max() + 1 for label in labels])
    width = int(counts.max())
    places = np.full(kept.shape, width)  # of each vector in its passage; the last one takes those that are not kept
    places[kept] = np.concatenate(labels)
    rows = moved(places + (width + 1) * np.arange(len(places))[:, None], found.device).ravel()
    sums = torch.zeros(len(places) * (width + 1), found.shape[2], device=found.device).index_add(
        0, rows, found.flatten(0, 1)
    )
    means = torch.nn.functional.normalize(sums.view(len(places), width + 1, -1)[:, :width], dim=-1)
    return means, moved(np.arange(width) < counts[:, None], found.device)
