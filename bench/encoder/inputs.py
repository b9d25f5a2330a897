"""Conversion of text to token ids as in ColBERT (arXiv 2004.12832, section 3.2); ColBERTv2 uses the same conversion.

A query is ``[CLS] [Q] tokens [SEP]``, padded with ``[MASK]`` to a fixed length (query augmentation). A passage is
``[CLS] [D] tokens [SEP]``, truncated but not padded. Punctuation vectors are dropped from passages, never from queries.
"""

import itertools
import string
from collections.abc import Sequence

import numpy as np
import transformers

from bench.config.inputs import InputSettings
from bench.errors import SettingsError


class Inputs:
    """Converter from text to token ids for one model."""

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase, settings: InputSettings):
        self.tokenizer, self.settings = tokenizer, settings
        self.pad = int(tokenizer.pad_token_id)
        self._query_marker = self._marker(settings.query_marker)
        self._doc_marker = self._marker(settings.doc_marker)
        self._skipped = self._punctuation() if settings.drop_punctuation else np.empty(0, np.int64)

    def _marker(self, token: str | None) -> list[int]:
        if token is None:
            return []
        found = self.tokenizer.convert_tokens_to_ids(token)
        if found is None or found == self.tokenizer.unk_token_id:
            raise SettingsError(f"marker {token!r} is not in the vocabulary of {self.tokenizer.name_or_path}")
        return [int(found)]

    def _punctuation(self) -> np.ndarray:
        encoded = self.tokenizer(list(string.punctuation), add_special_tokens=False)["input_ids"]
        return np.unique([ids[0] for ids in encoded if ids])

    def _wrap(self, texts: Sequence[str], marker: list[int], maxlen: int) -> tuple[list[list[int]], list[list[int]]]:
        """Return the ids of each text, truncated and with markers; and all ids of the text without markers."""
        room = maxlen - 2 - len(marker)
        if room < 1:
            raise SettingsError(f"a length of {maxlen} tokens leaves no room for text beside markers")
        encoded = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        cls, sep = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return [[cls, *marker, *ids[:room], sep] for ids in encoded], encoded

    def passages(self, texts: Sequence[str], maxlen: int) -> list[list[int]]:
        """Return the ids of each passage, at most ``maxlen`` ids including the markers."""
        return self._wrap(texts, self._doc_marker, maxlen)[0]

    def measured_passages(self, texts: Sequence[str], maxlen: int) -> tuple[list[list[int]], np.ndarray]:
        """Return the ids of ``passages``, and ``[passages, 2]`` int32: the number of tokens of each passage before
        truncation, and the number of these tokens that keep a vector; both include the markers.
        """
        rows, encoded = self._wrap(texts, self._doc_marker, maxlen)
        tokens = np.array([len(ids) for ids in encoded], np.int64)
        kept = self.kept(np.fromiter(itertools.chain.from_iterable(encoded), np.int64, tokens.sum()))
        before = np.concatenate([[0], np.cumsum(kept)])
        ends = np.cumsum(tokens)
        lengths = np.stack([tokens, before[ends] - before[ends - tokens]], axis=1) + 2 + len(self._doc_marker)
        return rows, lengths.astype(np.int32)

    def cut_queries(self, texts: Sequence[str], maxlen: int) -> int:
        """Return the number of queries with more than ``maxlen`` tokens, markers included."""
        room = maxlen - 2 - len(self._query_marker)
        return sum(len(ids) > room for ids in self._wrap(texts, self._query_marker, maxlen)[1])

    def queries(self, texts: Sequence[str], maxlen: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ids and attention mask, each ``[queries, length]`` int64; length is ``maxlen`` if queries are padded."""
        wrapped, _ = self._wrap(texts, self._query_marker, maxlen)
        length = maxlen if self.settings.pad_queries else max(map(len, wrapped), default=0)
        filler = self.tokenizer.mask_token_id if self.settings.pad_queries else self.pad
        ids = np.full((len(wrapped), length), filler, np.int64)
        attention = np.full_like(ids, int(self.settings.pad_queries and self.settings.attend_to_mask_tokens))
        for row, tokens in enumerate(wrapped):
            ids[row, : len(tokens)] = tokens
            attention[row, : len(tokens)] = 1
        return ids, attention

    def kept(self, ids: np.ndarray) -> np.ndarray:
        """Return True for each passage token that keeps its vector, in the shape of ``ids``."""
        return ~np.isin(ids, self._skipped)
