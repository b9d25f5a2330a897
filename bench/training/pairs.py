"""Pairs of query and passage as inputs of a cross-encoder: tokenized once, batched afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers

from bench.encoder.batching import padded
from bench.errors import SettingsError


@dataclass(frozen=True)
class TokenPairs:
    """Token ids ``[pairs][length]``, and token types of the same shape for models that use them; small arrays, not lists."""

    ids: list[Any]
    types: list[Any] | None
    pad: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> list[int]:
        """Number of tokens of each pair, ``[pairs]``."""
        return list(map(len, self.ids))

    def batch(self, chosen: Sequence[int] | np.ndarray, device: str) -> dict[str, torch.Tensor]:
        """Return the inputs of the network for the chosen pairs, each ``[chosen, longest]``, padded on the right."""
        ids, attention = padded([self.ids[pair] for pair in chosen], self.pad, device)
        inputs = {"input_ids": ids, "attention_mask": attention}
        if self.types is not None:
            inputs["token_type_ids"], _ = padded([self.types[pair] for pair in chosen], 0, device)
        return inputs


def tokenize_pairs(
    tokenizer: transformers.PreTrainedTokenizerBase, queries: Sequence[str], passages: Sequence[str], maxlen: int
) -> TokenPairs:
    """Return ``[CLS] query [SEP] passage [SEP]`` (as the tokenizer writes it) of each pair, truncated to ``maxlen`` tokens.

    The longer of the two texts is truncated first, as in sentence-transformers.
    """
    if not len(queries):
        return TokenPairs([], None, int(tokenizer.pad_token_id))
    found = tokenizer(list(queries), list(passages), truncation="longest_first", max_length=maxlen)
    ids = [np.array(row, np.int32) for row in found["input_ids"]]
    types = found.get("token_type_ids")
    return TokenPairs(ids, types and [np.array(row, np.uint8) for row in types], int(tokenizer.pad_token_id))


def check_maxlen(
    tokenizer: transformers.PreTrainedTokenizerBase, config: transformers.PretrainedConfig, maxlen: int, source: str
) -> None:
    """Raise SettingsError for a length that exceeds the network's positions or leaves no room for two texts."""
    most = getattr(config, "max_position_embeddings", maxlen)
    least = tokenizer.num_special_tokens_to_add(pair=True) + 2
    if not least <= maxlen <= most:
        raise SettingsError(f"length of {maxlen} tokens for {source} does not lie between {least} and its {most} positions")
