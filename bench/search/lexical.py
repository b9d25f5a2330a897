"""BM25 by ``bm25s``: the lexical baseline, and the source of hard negatives."""

import contextlib
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from bench.search.ranking import Ranking, top


@contextlib.contextmanager
def _as_if_absent(name: str) -> Iterator[None]:
    """Let no module find this package meanwhile, installed or not."""
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    held = {name: modules[name]} if name in modules else {}
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
        modules.update(held)


with _as_if_absent("jax"):  # which bm25s starts when it is imported, whatever the backend, and it takes the memory of a GPU
    import bm25s

K1, B = 1.2, 0.75


class BM25:
    """Lucene's BM25 (k1 1.2, b 0.75) over lower-cased words of at least two letters, English stop words dropped."""

    def __init__(self, texts: Sequence[str]):
        self.size = len(texts)
        self._retriever = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy", csc_backend="numpy")
        tokens = bm25s.tokenize(list(texts), stopwords="en", show_progress=False)
        self._searchable = bool(tokens.vocab) and any(map(len, tokens.ids))
        if self._searchable:
            self._retriever.index(tokens, show_progress=False)

    def search(self, queries: Sequence[str], k: int, id_rank: np.ndarray) -> list[Ranking]:
        """The k best passages of each query that share a word with it, fewer where there are fewer."""
        words = bm25s.tokenize(list(queries), stopwords="en", show_progress=False, return_ids=False)
        return [self._search(query, k, id_rank) for query in words]

    def score(self, queries: Sequence[str], passages: Sequence[np.ndarray]) -> list[np.ndarray]:
        """For each query the scores ``[its passages]`` float32 of these passages, by position; 0 where no word is shared."""
        words = bm25s.tokenize(list(queries), stopwords="en", show_progress=False, return_ids=False)
        return [self._scores(query)[own] for query, own in zip(words, passages, strict=True)]

    def _scores(self, words: list[str]) -> np.ndarray:
        if not self._searchable or not words:
            return np.zeros(self.size, np.float32)
        return np.asarray(self._retriever.get_scores(words), np.float32)

    def _search(self, words: list[str], k: int, id_rank: np.ndarray) -> Ranking:
        scores = self._scores(words)
        found = np.flatnonzero(scores > 0)
        return top(found, scores[found], k, id_rank)
