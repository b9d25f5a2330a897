"""Vectors of many shards that are read on access, so that a sample of a collection is never in memory as a whole."""

from collections.abc import Iterator, Sequence

import numpy as np

from bench.files.storage import release
from bench.index.shards import Shard, token_ids


class VectorSample:
    """Vectors ``[rows, dim]`` at ``positions [rows]``, counted through all shards; indexed like an array."""

    def __init__(self, shards: Sequence[Shard], positions: np.ndarray):
        self._shards, self._positions = shards, positions
        self._starts = np.cumsum([0, *(len(shard.vectors) for shard in shards)])

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), int(self._shards[0].vectors.shape[1])

    def only(self, rows: np.ndarray) -> "VectorSample":
        """Return some of the rows, still unread."""
        return VectorSample(self._shards, self._positions[rows])

    def tokens(self) -> np.ndarray:
        """Return the token ids ``[rows]``. Raise DataError for a shard without them."""
        parts = [token_ids(shard, f"shard {number}") for number, shard in enumerate(self._shards)]
        found = np.empty(len(self), np.result_type(*parts))
        for number, here, rows in self._by_shard(self._positions):
            found[here] = parts[number][rows]
        return found

    def __getitem__(self, where: slice | np.ndarray) -> np.ndarray:
        wanted = self._positions[where]
        found = np.empty((len(wanted), self.shape[1]), self._shards[0].vectors.dtype)
        for number, here, rows in self._by_shard(wanted):
            vectors = self._shards[number].vectors
            found[here] = vectors[rows]
            release(vectors)
        return found

    def _by_shard(self, positions: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield each shard that has some of the positions: its number, a mask of these, and their rows in the shard."""
        owners = np.searchsorted(self._starts, positions, side="right") - 1
        for number in np.unique(owners).tolist():
            here = owners == number
            yield number, here, positions[here] - self._starts[number]


def sample(shards: Sequence[Shard], passages: np.ndarray) -> VectorSample:
    """Return the vectors of the passages at the given sorted positions, counted through all shards."""
    doclens = np.concatenate([shard.doclens for shard in shards]).astype(np.int64)
    starts = np.cumsum(doclens) - doclens
    lengths = doclens[passages]
    first = np.cumsum(lengths) - lengths
    return VectorSample(shards, np.arange(lengths.sum()) + np.repeat(starts[passages] - first, lengths))
