"""Larger collections made from a real one, to measure how search time grows: seeded mixtures of pairs of passages."""

from collections.abc import Iterator, Sequence

import numpy as np

from bench.codec.vectors import blocks
from bench.errors import SettingsError
from bench.index.shards import Shard

LEAST, MOST = 0.3, 0.7


def mixed(
    shards: Sequence[Shard], vectors: int, *, seed: int, at_once: int = 1_000_000
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Vectors ``[., dim]`` float16 of norm 1 and doclens ``[passages]`` int32 of passages, about ``vectors`` vectors in all,
    in parts of at most about ``at_once`` vectors.

    A passage is a real one each of whose vectors is moved towards a vector of another real passage, by a weight between
    ``LEAST`` and ``MOST``, and normalised. Raises SettingsError for a single passage, and for fewer vectors than one has.
    """
    source = np.concatenate([np.asarray(shard.vectors) for shard in shards])
    doclens = np.concatenate([shard.doclens for shard in shards])
    offsets = np.concatenate([[0], np.cumsum(doclens, dtype=np.int64)])
    if vectors < doclens.max():
        raise SettingsError(f"{vectors} vectors are fewer than the {doclens.max()} of the longest passage: ask for more")
    if len(doclens) < 2:
        raise SettingsError("a mixture takes passages two by two, and the shards have only one")
    rng = np.random.default_rng(seed)
    left = vectors
    while left > 0:
        chosen = rng.integers(len(doclens), size=max(1, int(min(left, at_once) / doclens.mean())))
        chosen = chosen[: max(1, int(np.searchsorted(np.cumsum(doclens[chosen]), left, side="right")))]
        lengths = doclens[chosen]
        starts = np.cumsum(lengths) - lengths
        rows = np.arange(lengths.sum()) + np.repeat(offsets[chosen] - starts, lengths)
        others = (chosen + rng.integers(1, len(doclens), size=len(chosen))) % len(doclens)
        partners = np.repeat(offsets[others], lengths) + rng.integers(np.repeat(doclens[others], lengths))
        yield _move(source, rows, partners, rng), lengths.astype(np.int32)
        left -= len(rows)


def _move(source: np.ndarray, rows: np.ndarray, partners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = np.empty((len(rows), source.shape[1]), np.float16)
    weights = rng.uniform(LEAST, MOST, len(rows)).astype(np.float32)
    for some in blocks(len(rows)):
        weight = weights[some, None]
        moved = (1 - weight) * source[rows[some]].astype(np.float32) + weight * source[partners[some]].astype(np.float32)
        found[some] = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return found
