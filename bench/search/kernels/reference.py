"""MaxSim in plain torch and numpy (arXiv 2112.01488, equation 1)."""

import numpy as np
import torch

ROWS, COLUMNS = 64, 8


def similarities(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Inner products ``[vectors, query vectors]`` float32 of ``[vectors, dim]`` with ``[query vectors, dim]``.

    Equal vectors get equal bits wherever they stand, so that equal passages tie: zeros fill both sides up to whole
    tiles of the matrix product, the last of which is otherwise summed in another order. (numpy's own product differs
    in the last bit from row to row even so.)
    """
    left = np.zeros((len(vectors) + -len(vectors) % ROWS, vectors.shape[1]), np.float32)
    left[: len(vectors)] = vectors
    right = np.zeros((queries.shape[1], len(queries) + -len(queries) % COLUMNS), np.float32)
    right[:, : len(queries)] = queries.T
    return (torch.from_numpy(left) @ torch.from_numpy(right)).numpy()[: len(vectors), : len(queries)]


def maxima(similarities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Maximum over the vectors of each passage, for every query vector.

    similarities ``[vectors, query vectors]``, the vectors of a passage in one stretch; starts ``[passages]`` the first
    positions of the stretches, strictly increasing. Returns ``[passages, query vectors]``. One reduction per stretch:
    ``np.maximum.reduceat`` says the same in one call, but takes 25 to 40 times as long.
    """
    found = np.empty((len(starts), similarities.shape[1]), similarities.dtype)
    bounds = [*starts.tolist(), len(similarities)]
    for passage, row in enumerate(found):
        np.maximum.reduce(similarities[bounds[passage] : bounds[passage + 1]], axis=0, out=row)
    return found


def maxsim(similarities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Scores ``[passages]`` of one query: the sum of ``maxima`` over its vectors."""
    return maxima(similarities, starts).sum(axis=1)


def grouped(passages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct passages and the start of each one's stretch, from the ascending passage number of every vector."""
    return np.unique(passages, return_index=True)
