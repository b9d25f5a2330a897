"""Conversion of text to token ids as in ColBERT (arXiv 2004.12832, section 3.2); ColBERTv2 uses the same conversion.

A query is ``[CLS] [Q] tokens [SEP]``, padded with ``[MASK]`` to a fixed length (query augmentation). A passage is
``[CLS] [D] tokens [SEP]``, truncated but not padded. Punctuation vectors are dropped from passages, never from queries.
"""

import functools
import string
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import transformers
from torch import nn

from bench.encoder.tokenizing import Tokenizing
from bench.encoder.tokens import Tokens
from bench.errors import SettingsError

if TYPE_CHECKING:  # a bare machine with a GPU has no pydantic
    from bench.config.inputs import InputSettings

STARTS = ("", "▁", "Ġ")  # of a word: nothing, SentencePiece's and byte-level BPE's


class Inputs:
    """Converter from text to token ids for one model."""

    def __init__(
        self, tokenizer: transformers.PreTrainedTokenizerBase, settings: "InputSettings", network: nn.Module | None = None
    ):
        """Raise SettingsError for special tokens or markers that are missing, or that ``network`` has no embedding for."""
        self.tokenizer, self.settings = tokenizer, settings
        self._tokenizing = Tokenizing(tokenizer)
        self.positions = positions(network) if network is not None else None
        self.pad = self._special("pad_token", "batches are padded with it")
        self._filler = self._filled_with()
        self._before, self._after = self._around()
        # A literal [PAD] in a query has no vector, as in colbert-ai, unless the token has another use as well.
        self.pad_is_text = self.pad in {*self._before, *self._after, tokenizer.mask_token_id, self._filler}
        self._query_marker = self._entries("query_marker", [settings.query_marker] if settings.query_marker else [])
        self._doc_marker = self._entries("doc_marker", [settings.doc_marker] if settings.doc_marker else [])
        dropped = punctuation(tokenizer.get_vocab()) if settings.drop_punctuation else ()
        self._skipped = np.unique(self._entries("skiplist", [*settings.skiplist, *dropped])).astype(np.int64)
        if network is not None:
            self._check_embeddings(network)

    def _special(self, name: str, use: str) -> int:
        found = getattr(self.tokenizer, f"{name}_id")
        if found is None:
            raise SettingsError(f"the tokenizer of {self.tokenizer.name_or_path} has no {name}, but {use}")
        return int(found)

    def _filled_with(self) -> int | None:
        if not self.settings.pad_queries:
            return None
        if self.settings.filler is None:
            return self._special("mask_token", "queries are filled with it; name a filler, or give pad_queries false")
        return self._entries("filler", [self.settings.filler])[0]

    def _around(self) -> tuple[list[int], list[int]]:
        """Return the ids before and after the ids of a text."""
        if self.settings.special_tokens == "cls-sep":
            use = "every text is put between [CLS] and [SEP]; or give special_tokens tokenizer"
            return [self._special("cls_token", use)], [self._special("sep_token", use)]
        before, after = template(self.tokenizer)
        if not (before or after or self.settings.doc_marker):
            raise SettingsError(
                f"the tokenizer of {self.tokenizer.name_or_path} adds no special token and there is no doc_marker: an empty "
                "passage would have no vector; name a marker"
            )
        return before, after

    def _entries(self, name: str, tokens: Sequence[str]) -> list[int]:
        """Return the ids of vocabulary entries. Raise SettingsError for a token that is none."""
        vocabulary = self.tokenizer.get_vocab() if tokens else {}
        for token in tokens:
            if token not in vocabulary:
                what = name.split("_")[-1]
                raise SettingsError(f"{what} {token!r} is not in the vocabulary of {self.tokenizer.name_or_path}")
        return [int(vocabulary[token]) for token in tokens]

    def _check_embeddings(self, network: nn.Module) -> None:
        rows = embeddings(network)
        token, found = max(self.tokenizer.get_vocab().items(), key=lambda entry: entry[1])
        if rows is not None and found >= rows:
            raise SettingsError(
                f"token {token!r} of {self.tokenizer.name_or_path} has the id {found}, but the network has {rows} "
                "embeddings; take the tokenizer that belongs to the weights, or weights with a row for each token"
            )

    @property
    def around(self) -> tuple[list[int], list[int]]:
        """Ids before and after a text, without markers."""
        return self._before, self._after

    @property
    def filler(self) -> str | None:
        """The token that fills queries, None if they are not filled."""
        return None if self._filler is None else str(self.tokenizer.convert_ids_to_tokens(self._filler))

    @property
    def skipped(self) -> np.ndarray:
        """Ids ``[tokens]`` of the tokens without a passage vector, in ascending order."""
        return self._skipped

    @functools.cached_property
    def keeps(self) -> np.ndarray:
        """Whether a token keeps its passage vector, by its id: ``[ids]`` bool."""
        found = np.ones(max(self.tokenizer.get_vocab().values()) + 1, bool)
        found[self._skipped] = False
        return found

    def _room(self, marker: list[int], maxlen: int) -> int:
        """Return the number of tokens of a text beside markers. Raise SettingsError for a length that cannot be."""
        room = maxlen - len(self._before) - len(self._after) - len(marker)
        if room < 1:
            raise SettingsError(f"a length of {maxlen} tokens leaves no room for text beside markers")
        if self.positions is not None and maxlen > self.positions:
            raise SettingsError(
                f"a length of {maxlen} tokens is more than the {self.positions} positions of the network of "
                f"{self.tokenizer.name_or_path}; give at most {self.positions}"
            )
        return room

    def _read(self, texts: Sequence[str], prompt: str) -> list[str]:
        """Return the texts as the tokenizer reads them."""
        read = [prompt + text for text in texts] if prompt else list(texts)
        read = [text.strip() for text in read] if self.settings.strip else read
        return [text.lower() for text in read] if self.settings.lowercase else read

    def _wrap(self, encoded: Tokens, marker: list[int], room: int) -> Tokens:
        """Return the ids of each text, truncated and with markers."""
        if not self._before:
            return encoded.cut(room).wrapped([], self._after).inserted(marker)
        first, others = self._before[:1], self._before[1:]
        return encoded.cut(room).wrapped([*first, *marker, *others], self._after)

    def passages(self, texts: Sequence[str], maxlen: int) -> Tokens:
        """Return the ids of each passage, at most ``maxlen`` ids including the markers."""
        room = self._room(self._doc_marker, maxlen)
        return self._wrap(self._tokenizing(self._read(texts, self.settings.doc_prompt)), self._doc_marker, room)

    def measured_passages(self, texts: Sequence[str], maxlen: int) -> tuple[Tokens, np.ndarray]:
        """Return the ids of ``passages``, and ``[passages, 2]`` int32: the number of tokens of each passage before
        truncation, and the number of these tokens that keep a vector; both include the markers.
        """
        (found,) = self.passage_blocks(texts, maxlen, max(len(texts), 1), processes=0)
        return found

    def passage_blocks(
        self, texts: Sequence[str], maxlen: int, block: int, processes: int
    ) -> Iterator[tuple[Tokens, np.ndarray]]:
        """Yield what ``measured_passages`` returns for blocks of texts in order, tokenized ahead in other processes.

        block: texts of each block but the last; processes: 0 to tokenize in this one, when a block is asked for.
        """
        room = self._room(self._doc_marker, maxlen)
        read = self._read(texts, self.settings.doc_prompt)
        added = len(self._before) + len(self._after) + len(self._doc_marker)
        for encoded in self._tokenizing.blocks(read, block, processes):
            lengths = np.stack([encoded.lengths, self.kept_counts(encoded)], axis=1) + added
            yield self._wrap(encoded, self._doc_marker, room), lengths.astype(np.int32)

    def spans(self, text: str, maxlen: int, *, query: bool = False) -> list[tuple[int, int] | None]:
        """Return where each token of a passage, or of a query, stands in its text; None for tokens that are not of the text.

        A query has as many as its ids without those that fill it. None for all where lower-casing moves letters.
        """
        marker = self._query_marker if query else self._doc_marker
        prompt = self.settings.query_prompt if query else self.settings.doc_prompt
        (read,) = self._read([text], prompt)
        whole = prompt + text
        moved = len(prompt) - (len(whole) - len(whole.lstrip()) if self.settings.strip else 0)
        known = self.tokenizer.is_fast and len(read) == len(whole.strip() if self.settings.strip else whole)
        encoded = self.tokenizer(read, add_special_tokens=False, verbose=False, return_offsets_mapping=known)
        places = encoded["offset_mapping"] if known else [(0, 0)] * len(encoded["input_ids"])
        own = [_trimmed(text, first - moved, last - moved) for first, last in places][: self._room(marker, maxlen)]
        if self._before:
            return [*[None] * (len(self._before) + len(marker)), *own, *[None] * len(self._after)]
        own += [None] * len(self._after)
        return [*own[:1], *[None] * len(marker), *own[1:]]

    def cut_queries(self, texts: Sequence[str], maxlen: int) -> int:
        """Return the number of queries with more than ``maxlen`` tokens, markers included."""
        room = self._room(self._query_marker, maxlen)
        return int((self._tokenizing(self._read(texts, self.settings.query_prompt)).lengths > room).sum())

    def queries(self, texts: Sequence[str], maxlen: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ids and attention mask, each ``[queries, length]`` int64; length is ``maxlen`` if queries are padded."""
        room = self._room(self._query_marker, maxlen)
        encoded = self._tokenizing(self._read(texts, self.settings.query_prompt))
        wrapped = self._wrap(encoded, self._query_marker, room)
        length = maxlen if self.settings.pad_queries else int(wrapped.lengths.max(initial=0))
        ids = np.full((len(wrapped), length), self.pad if self._filler is None else self._filler, np.int64)
        attention = np.full_like(ids, int(self.settings.pad_queries and self.settings.attend_to_mask_tokens))
        real = np.arange(length) < wrapped.lengths[:, None]
        ids[real], attention[real] = wrapped.ids, 1
        return ids, attention

    def asked(self, ids: np.ndarray, attention: np.ndarray) -> np.ndarray:
        """Return True for each token of ``queries`` that has a vector, in the shape of ``ids``; padding has none."""
        real = np.ones(ids.shape, bool) if self.settings.pad_queries else attention.astype(bool)
        return real if self.pad_is_text else real & (ids != self.pad)

    def kept(self, ids: np.ndarray) -> np.ndarray:
        """Return True for each passage token that keeps its vector, in the shape of ``ids``."""
        return self.keeps[ids]

    def kept_counts(self, tokens: Tokens) -> np.ndarray:
        """Return the number of tokens of each text that keep a passage vector, ``[texts]`` int64."""
        before = np.concatenate([[0], np.cumsum(self.kept(tokens.ids))])
        return np.diff(before[tokens.offsets])

    def kept_ids(self, tokens: Tokens) -> np.ndarray:
        """Return the ids of the tokens that keep a passage vector, text after text, of the narrowest unsigned type for the
        vocabulary.
        """
        return tokens.ids[self.kept(tokens.ids)].astype(np.min_scalar_type(len(self.keeps) - 1))

    def names(self, ids: np.ndarray) -> list[str]:
        """Return the tokens with these ids ``[tokens]``."""
        return [str(token) for token in self.tokenizer.convert_ids_to_tokens(ids.tolist())]


def _trimmed(text: str, first: int, last: int) -> tuple[int, int] | None:
    """Return a span without the white space around it, None if nothing of the text is left."""
    first = max(first, 0)
    inside = text[first : max(last, first)]
    first += len(inside) - len(inside.lstrip())
    inside = inside.strip()
    return (first, first + len(inside)) if inside else None


def template(tokenizer: transformers.PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the ids that a tokenizer itself puts before and after a text."""
    plain, whole = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (False, True))
    for start in range(len(whole) if plain else 0):
        if whole[start : start + len(plain)] == plain:
            return whole[:start], whole[start + len(plain) :]
    raise SettingsError(f"the tokenizer of {tokenizer.name_or_path} reads a text otherwise beside special tokens than alone")


def punctuation(vocabulary: Collection[str]) -> list[str]:
    """Return the entries that are one punctuation mark, alone or at the start of a word (of SentencePiece or BPE)."""
    return [form for mark in string.punctuation for start in STARTS if (form := start + mark) in vocabulary]


def positions(network: nn.Module) -> int | None:
    """Return the number of tokens that a network can read, None if it knows no limit.

    RoBERTa and its kin count positions from the one after ``padding_idx``, so that some rows are never used.
    """
    for name, module in network.named_modules():
        if name.split(".")[-1] == "position_embeddings" and isinstance(module, nn.Embedding):
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return getattr(getattr(network, "config", None), "max_position_embeddings", None)


def embeddings(network: nn.Module) -> int | None:
    """Return the number of token embeddings of a network, None if it has no such table."""
    found = getattr(network, "get_input_embeddings", lambda: None)()
    return getattr(found, "num_embeddings", None)
