"""Larger collections made from a real one, to measure how search time grows: seeded mixtures of pairs of passages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.codec.token_loops import by_group
from bench.codec.vectors import blocks
from bench.errors import SettingsError
from bench.index.shards import Shard, token_ids

LEAST, MOST = 0.3, 0.7


@dataclass(frozen=True)
class Part:
    """vectors ``[., dim]`` float16 of norm 1, doclens ``[passages]`` int32 and tokens ``[.]``, as in a shard."""

    vectors: np.ndarray
    doclens: np.ndarray
    tokens: np.ndarray


def mixed(shards: Sequence[Shard], vectors: int, *, seed: int, at_once: int = 1_000_000) -> Iterator[Part]:
    """Passages with about ``vectors`` vectors in all, in parts of at most about ``at_once`` vectors.

    A passage is a real one each of whose vectors is moved towards a real vector of the same token, by a weight between
    ``LEAST`` and ``MOST``, and normalised. A token that the shards have once keeps its vector. Raises SettingsError for
    fewer vectors than the longest passage has, and DataError for shards without token ids.
    """
    source = np.concatenate([np.asarray(shard.vectors) for shard in shards])
    tokens = np.concatenate([token_ids(shard, f"shard {number}") for number, shard in enumerate(shards)])
    doclens = np.concatenate([shard.doclens for shard in shards])
    offsets = np.concatenate([[0], np.cumsum(doclens, dtype=np.int64)])
    if vectors < doclens.max():
        raise SettingsError(f"{vectors} vectors are fewer than the {doclens.max()} of the longest passage: ask for more")
    alike, firsts = by_group(tokens, int(tokens.max()) + 1)
    rng = np.random.default_rng(seed)
    left = vectors
    while left > 0:
        chosen = rng.integers(len(doclens), size=max(1, int(min(left, at_once) / doclens.mean())))
        chosen = chosen[: max(1, int(np.searchsorted(np.cumsum(doclens[chosen]), left, side="right")))]
        lengths = doclens[chosen]
        starts = np.cumsum(lengths) - lengths
        rows = np.arange(lengths.sum()) + np.repeat(offsets[chosen] - starts, lengths)
        here = tokens[rows].astype(np.int64)
        partners = alike[firsts[here] + rng.integers(firsts[here + 1] - firsts[here])]
        yield Part(_moved(source, rows, partners, rng), lengths.astype(np.int32), tokens[rows])
        left -= len(rows)


def _moved(source: np.ndarray, rows: np.ndarray, partners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = np.empty((len(rows), source.shape[1]), np.float16)
    weights = rng.uniform(LEAST, MOST, len(rows)).astype(np.float32)
    for some in blocks(len(rows)):
        weight = weights[some, None]
        moved = (1 - weight) * source[rows[some]].astype(np.float32) + weight * source[partners[some]].astype(np.float32)
        found[some] = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return found
