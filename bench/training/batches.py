"""Tokenization of all training texts before the first step, and encoding of batches with gradients."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bench.encoder.batching import autocast
from bench.encoder.model import LateInteraction
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
        self, encoder: LateInteraction, queries: np.ndarray, passages: np.ndarray, precision: str, device: str
    ) -> Encoded:
        """Return the vectors of the queries and passages at the given rows, in the given order."""
        kind = torch.device(device).type
        ids, attention = map(torch.from_numpy, self.passages.padded(passages, self.inputs.pad))
        kept = attention.bool() & torch.from_numpy(self.inputs.kept(ids.numpy()))
        filled = self.inputs.asked(self.query_ids[queries], self.query_attention[queries])
        longest = int(np.flatnonzero(filled.any(axis=0))[-1]) + 1
        asked_ids = torch.from_numpy(self.query_ids[queries, :longest]).to(device)
        asked_attention = torch.from_numpy(self.query_attention[queries, :longest]).to(device)
        with autocast(precision, kind):
            found = encoder(ids.to(device), attention.to(device))
            asked = encoder(asked_ids, asked_attention)
            asked = asked * torch.from_numpy(filled[:, :longest]).to(device).unsqueeze(-1)
        return Encoded(asked, found, kept.to(device), int(attention.sum()) + int(filled.sum()))
