"""Ragged token ids as one flat array, and the Rust tokenizer's own ids of many texts, in this process or in others."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Tokens:
    """Token ids of texts: ``ids [all tokens]`` int32, one text after the other, and ``lengths [texts]`` int32."""

    ids: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Tokens":
        lengths = np.fromiter(map(len, rows), np.int32, len(rows))
        ids = np.fromiter((token for row in rows for token in row), np.int32, int(lengths.sum()))
        return cls(ids, lengths)

    @classmethod
    def joined(cls, parts: Sequence["Tokens"]) -> "Tokens":
        if len(parts) == 1:
            return parts[0]
        empty = np.empty(0, np.int32)
        ids, lengths = ([empty, *(getattr(part, name) for part in parts)] for name in ("ids", "lengths"))
        return cls(np.concatenate(ids), np.concatenate(lengths))

    @property
    def offsets(self) -> np.ndarray:
        """Where each text starts in ``ids``, and the number of tokens: ``[texts + 1]`` int64."""
        return np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[np.ndarray]:
        bounds = self.offsets.tolist()
        return (self.ids[start:stop] for start, stop in itertools.pairwise(bounds))

    def lists(self) -> list[list[int]]:
        """The ids of each text as a list."""
        return [row.tolist() for row in self]

    def cut(self, most: int) -> "Tokens":
        """Return at most the first ``most`` ids of each text."""
        if not len(self) or self.lengths.max() <= most:
            return self
        return Tokens(self.ids[self.places() < most], np.minimum(self.lengths, most))

    def places(self) -> np.ndarray:
        """Place of each token in its text, from 0: ``[all tokens]`` int64."""
        return np.arange(len(self.ids)) - np.repeat(self.offsets[:-1], self.lengths)

    def wrapped(self, before: Sequence[int], after: Sequence[int]) -> "Tokens":
        """Return the ids of each text with the same ids before and after them."""
        added = len(before) + len(after)
        lengths = self.lengths + np.int32(added)
        starts = np.cumsum(lengths, dtype=np.int64) - lengths
        ids = np.empty(len(self.ids) + added * len(self), np.int32)
        inner = np.ones(len(ids), bool)
        for place, token in enumerate(before):
            ids[starts + place], inner[starts + place] = token, False
        for place, token in enumerate(after):
            where = starts + lengths - len(after) + place
            ids[where], inner[where] = token, False
        ids[inner] = self.ids
        return Tokens(ids, lengths)

    def inserted(self, marker: Sequence[int]) -> "Tokens":
        """Return the ids of each text with a marker behind the first of them."""
        if not marker:
            return self
        where = np.repeat(self.offsets[:-1] + np.minimum(self.lengths, 1), len(marker))
        ids = np.insert(self.ids, where, np.tile(np.array(marker, np.int32), len(self)))
        return Tokens(ids, self.lengths + np.int32(len(marker)))

    def padded(self, chosen: np.ndarray, pad: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ids and attention mask of chosen texts, padded on the right, each ``[chosen, longest]`` int64."""
        lengths = self.lengths[chosen].astype(np.int64)
        attended = np.arange(lengths.max()) < lengths[:, None]
        starts = self.offsets[:-1][chosen]
        ids = np.full(attended.shape, pad, np.int64)
        ids[attended] = self.ids[(starts[:, None] + np.arange(attended.shape[1]))[attended]]
        return ids, attended.astype(np.int64)
