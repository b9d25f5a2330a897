"""Clusters and tokens: how many clusters hold the vectors of a token, and how many tokens those of a cluster.

This is the analysis of arXiv 2112.01488, appendix A: in few clusters per token, and few tokens per cluster, against vectors
of random directions that are clustered in the same way.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.codec.vectors import blocks
from bench.encoder.inputs import Inputs
from bench.errors import DataError

BLOCK = 262_144
BITS = 32  # of a token id, in the key of a pair
LEAST = 20  # vectors of a cluster or a token that is an example
LONGEST, SHORTEST = 6, 4  # tokens that are listed of a cluster, and clusters of a token; letters of a word
AROUND = 5  # tokens of the passage on each side of one in its context


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs of a cluster and a token, ordered by both: keys and counts of vectors, ``[pairs]`` int64."""

    keys: np.ndarray
    counts: np.ndarray

    @property
    def clusters(self) -> np.ndarray:
        return self.keys >> BITS

    @property
    def tokens(self) -> np.ndarray:
        return self.keys & (2**BITS - 1)

    def tokens_of(self, cluster: int) -> list[tuple[int, int]]:
        """Return token and number of vectors of the most frequent tokens of a cluster."""
        return _most(self.tokens, self.counts, self.clusters == cluster)

    def clusters_of(self, token: int) -> list[tuple[int, int]]:
        """Return cluster and number of vectors of the clusters that hold most vectors of a token."""
        return _most(self.clusters, self.counts, self.tokens == token)


def _most(names: np.ndarray, counts: np.ndarray, where: np.ndarray) -> list[tuple[int, int]]:
    names, counts = names[where], counts[where]
    return [(int(names[place]), int(counts[place])) for place in np.argsort(-counts, kind="stable")[:LONGEST]]


def keys(codes: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Return the key ``[vectors]`` of the pair of each vector, from its cluster and its token."""
    return codes.astype(np.int64) << BITS | tokens


def counted(parts: Iterable[np.ndarray]) -> Pairs:
    """Return the pairs of the keys of many shards; memory grows with the pairs and the largest shard."""
    found = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))
    for part in parts:
        more, counts = np.unique(part, return_counts=True)
        together, places = np.unique(np.concatenate([found.keys, more]), return_inverse=True)
        sums = np.bincount(places, np.concatenate([found.counts, counts]), len(together))
        found = Pairs(together, sums.astype(np.int64))
    return found


def distribution(pairs: Pairs) -> dict[str, Any]:
    """Return the numbers of clusters with vectors and of tokens, and two histograms as lists of value and frequency."""
    found = {"tokens_per_cluster": pairs.clusters, "clusters_per_token": pairs.tokens}
    histograms = {name: np.unique(np.unique(of, return_counts=True)[1], return_counts=True) for name, of in found.items()}
    return {
        "clusters": int(histograms["tokens_per_cluster"][1].sum()),
        "tokens": int(histograms["clusters_per_token"][1].sum()),
        **{name: np.stack(histogram, axis=1).tolist() for name, histogram in histograms.items()},
    }


def random_vectors(vectors: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``[vectors, dim]`` float16: vectors of norm 1 and of random directions."""
    found = np.empty((vectors, dim), np.float16)
    for some in blocks(vectors, BLOCK):
        drawn = rng.standard_normal((some.stop - some.start, dim), dtype=np.float32)
        found[some] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return found


@dataclass(frozen=True)
class Tokens:
    """ids ``[tokens]`` of all passages of a shard, in order; places ``[vectors]`` of those that have a vector."""

    ids: np.ndarray
    bounds: np.ndarray
    places: np.ndarray

    def around(self, vector: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the ids before the token of a vector in its passage, this token, and those behind it."""
        place = int(self.places[vector])
        passage = int(np.searchsorted(self.bounds, place, side="right")) - 1
        first, last = max(self.bounds[passage], place - AROUND), min(self.bounds[passage + 1], place + AROUND + 1)
        return self.ids[first:place], self.ids[place : place + 1], self.ids[place + 1 : last]


def tokenised(inputs: Inputs, texts: Sequence[str], doclens: np.ndarray, maxlen: int) -> Tokens:
    """Return the tokens of passages as they were encoded. Raise DataError where they are not as many as ``doclens``."""
    rows = inputs.passages(texts, maxlen)
    bounds, ids = rows.offsets, rows.ids.astype(np.int64)
    kept = inputs.kept(ids)
    before = np.concatenate([[0], np.cumsum(kept)])[bounds]
    if len(doclens) != len(rows) or (np.diff(before) != doclens).any():
        raise DataError(
            f"{len(rows)} passages have {int(kept.sum())} tokens with vectors, their shard {int(doclens.sum())} vectors of "
            f"{len(doclens)} passages: the corpus or the model is not the one that it was encoded from"
        )
    return Tokens(ids, bounds, np.flatnonzero(kept))


def some_clusters(pairs: Pairs, number: int, rng: np.random.Generator) -> list[int]:
    """Return random clusters of ``LEAST`` vectors or more, as many as there are up to a number, in ascending order."""
    return _some(pairs.clusters, pairs.counts, number, rng)


def some_words(pairs: Pairs, inputs: Inputs, number: int, rng: np.random.Generator) -> list[int]:
    """Return random tokens of ``LEAST`` vectors or more that are whole words of ``SHORTEST`` letters or more."""
    vocabulary = np.unique(pairs.tokens)
    names = inputs.tokenizer.convert_ids_to_tokens(vocabulary.tolist())
    words = vocabulary[[len(name) >= SHORTEST and name.isalpha() for name in names]]
    where = np.isin(pairs.tokens, words)
    return _some(pairs.tokens[where], pairs.counts[where], number, rng)


def _some(names: np.ndarray, counts: np.ndarray, number: int, rng: np.random.Generator) -> list[int]:
    distinct, places = np.unique(names, return_inverse=True)
    often = distinct[np.bincount(places, counts, len(distinct)) >= LEAST]
    return np.sort(rng.choice(often, min(number, len(often)), replace=False)).tolist()


def contexts(wanted: Iterable[int], inputs: Inputs, shards: Iterable[tuple[np.ndarray, Tokens]]) -> dict[int, str]:
    """Return for each key the text around its first vector, whose token is in brackets.

    shards: keys ``[vectors]`` and tokens of each, which are read only until every key is found.
    """
    missing, found = set(wanted), {}
    for these, tokens in shards:
        for key in sorted(missing & set(these.tolist())):
            parts = tokens.around(int(np.argmax(these == key)))
            before, token, behind = (inputs.tokenizer.decode(ids.tolist()) for ids in parts)
            found[key] = f"{before} [{token}] {behind}".strip()
        missing -= set(found)
        if not missing:
            break
    return found


def described(pairs: Pairs, inputs: Inputs, chosen: Sequence[int], words: Sequence[int]) -> Iterator[tuple[int, dict]]:
    """Yield rows of appendix A, clusters and then words, each with the key of the vector that is shown in its context."""
    name = inputs.tokenizer.convert_ids_to_tokens
    for cluster in chosen:
        tokens = pairs.tokens_of(cluster)
        vectors = int(pairs.counts[pairs.clusters == cluster].sum())
        row = {"cluster": cluster, "vectors": vectors, "tokens": [[name(token), count] for token, count in tokens]}
        yield int(cluster << BITS | tokens[0][0]), row
    for word in words:
        vectors, of = int(pairs.counts[pairs.tokens == word].sum()), int((pairs.tokens == word).sum())
        for cluster, count in pairs.clusters_of(word):
            near = [name(token) for token, _ in pairs.tokens_of(cluster)]
            found = {"token": name(word), "vectors": vectors, "clusters": of, "cluster": cluster, "count": count}
            yield int(cluster << BITS | word), {**found, "tokens": near}
