"""Pairs of query and passage as inputs of a cross-encoder: tokenized once, batched afterwards."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers

from bench.encoder.on_device import attention_mask, moved
from bench.encoder.tokenizing import Tokenizing
from bench.encoder.tokens import Tokens
from bench.errors import SettingsError


@dataclass(frozen=True, eq=False)
class TokenPairs:
    """Token ids of pairs, and the type of each token, ``[all tokens]`` uint8, for models that use them."""

    tokens: Tokens
    types: np.ndarray | None
    pad: int

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each pair, ``[pairs]``."""
        return self.tokens.lengths

    def batch(
        self, chosen: Sequence[int] | np.ndarray, device: str, network: Any = None, dtype: torch.dtype | None = None
    ) -> dict[str, torch.Tensor]:
        """Return the inputs of the network for the chosen pairs, each ``[chosen, longest]``, padded on the right.

        network: on a GPU, what the mask is made for there, so that the host need not wait; dtype: of its attention.
        """
        which = np.asarray(chosen)
        ids, attention = self.tokens.padded(which, self.pad)
        parts = {"input_ids": ids, "attention_mask": attention}
        if self.types is not None:
            parts["token_type_ids"], _ = Tokens(self.types, self.tokens.lengths).padded(which, 0)
        place = torch.device(device)
        if place.type != "cuda":
            return {name: torch.from_numpy(part).to(device) for name, part in parts.items()}
        found = {name: moved(part.astype(np.int32), place).long() for name, part in parts.items()}
        if network is not None:
            found["attention_mask"] = attention_mask(network, found["attention_mask"].bool(), dtype)
        return found


def tokenize_pairs(
    tokenizer: transformers.PreTrainedTokenizerBase, queries: Sequence[str], passages: Sequence[str], maxlen: int
) -> TokenPairs:
    """Return ``[CLS] query [SEP] passage [SEP]`` (as the tokenizer writes it) of each pair, truncated to ``maxlen`` tokens.

    The longer of the two texts is truncated first, as in sentence-transformers. Where the tokenizer's way of joining two
    texts is known, each distinct text is tokenized once.
    """
    pad = int(tokenizer.pad_token_id)
    if not len(queries):
        return TokenPairs(Tokens.of([]), None, pad)
    reading = Tokenizing(tokenizer)
    frame = around(tokenizer) if reading.by_words and tokenizer.truncation_side == "right" else None
    if frame is not None:
        return _joined(reading, frame, queries, passages, maxlen, pad)
    found = tokenizer(list(queries), list(passages), truncation="longest_first", max_length=maxlen)
    types = found.get("token_type_ids")
    return TokenPairs(Tokens.of(found["input_ids"]), None if types is None else Tokens.of(types).ids.astype(np.uint8), pad)


@dataclass(frozen=True)
class Frame:
    """Ids before, between and after two texts; types of these five parts, None for a model without types."""

    ids: tuple[list[int], list[int], list[int]]
    types: list[int] | None


def around(tokenizer: transformers.PreTrainedTokenizerBase) -> Frame | None:
    """Return how a tokenizer joins two texts, None where its answer for two short words does not show it."""
    one, other = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("a", "b"))
    found = tokenizer("a", "b")
    ids, types = found["input_ids"], found.get("token_type_ids")
    if len(one) != 1 or len(other) != 1 or ids.count(one[0]) != 1 or ids.count(other[0]) != 1:
        return None
    first, second = ids.index(one[0]), ids.index(other[0])
    parts = (ids[:first], ids[first + 1 : second], ids[second + 1 :])
    if types is None:
        return Frame(parts, None)
    bounds = [0, first, first + 1, second, second + 1, len(ids)]
    kinds = [set(types[start:stop]) for start, stop in itertools.pairwise(bounds)]
    if any(len(kind) != 1 for kind in kinds):
        return None
    return Frame(parts, [kind.pop() for kind in kinds])


def _joined(
    reading: Tokenizing, frame: Frame, queries: Sequence[str], passages: Sequence[str], maxlen: int, pad: int
) -> TokenPairs:
    sides = [_distinct(reading, texts) for texts in (queries, passages)]
    lengths = np.stack([tokens.lengths[which] for tokens, which in sides]).astype(np.int64)
    kept = longest_first(lengths, maxlen - sum(map(len, frame.ids)))
    before, between, after = map(len, frame.ids)
    sizes = np.stack([np.full(len(queries), before), kept[0], np.full(len(queries), between), kept[1]])
    whole = sizes.sum(axis=0) + after
    starts = np.cumsum(whole) - whole
    ids, types = np.empty(whole.sum(), np.int32), np.zeros(whole.sum(), np.uint8)
    places = starts + np.concatenate([np.zeros((1, len(queries)), np.int64), np.cumsum(sizes, axis=0)])
    for number, some in enumerate(frame.ids):
        for place, token in enumerate(some):
            ids[places[2 * number] + place] = token
            types[places[2 * number] + place] = frame.types[2 * number] if frame.types else 0
    for number, (tokens, which) in enumerate(sides):
        count = kept[number]
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        target = np.repeat(places[2 * number + 1], count) + within
        ids[target] = tokens.ids[np.repeat(tokens.offsets[:-1][which], count) + within]
        types[target] = frame.types[2 * number + 1] if frame.types else 0
    return TokenPairs(Tokens(ids, whole.astype(np.int32)), types if frame.types else None, pad)


def _distinct(reading: Tokenizing, texts: Sequence[str]) -> tuple[Tokens, np.ndarray]:
    """Return the tokens of the distinct texts, and which of them each text is."""
    number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return reading(list(number)), np.array([number[text] for text in texts], np.int64)


def longest_first(lengths: np.ndarray, most: int) -> np.ndarray:
    """Return the lengths ``[2, pairs]`` after tokens are taken from the longer text of a pair until both fit ``most``."""
    short, long = lengths.min(axis=0), lengths.max(axis=0)
    rest = np.where(short > most, short, np.maximum(short, most - short))
    over = short + rest > most
    small, large = np.where(over, most // 2, short), np.where(over, most // 2 + most % 2, rest)
    cut = np.where(lengths[0] > lengths[1], np.stack([large, small]), np.stack([small, large]))
    return np.where(short + long > most, cut, lengths)


def check_maxlen(
    tokenizer: transformers.PreTrainedTokenizerBase, config: transformers.PretrainedConfig, maxlen: int, source: str
) -> None:
    """Raise SettingsError for a length that exceeds the network's positions or leaves no room for two texts."""
    most = getattr(config, "max_position_embeddings", maxlen)
    least = tokenizer.num_special_tokens_to_add(pair=True) + 2
    if not least <= maxlen <= most:
        raise SettingsError(f"length of {maxlen} tokens for {source} does not lie between {least} and its {most} positions")
