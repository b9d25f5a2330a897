"""Vectors and queries that are made on a device, for measurements where no collection and no model is at hand."""

import numpy as np
import torch

WORDS, RANK_SHIFT = 8000, 10
TOPIC, NOISE = 0.5, 0.5
LENGTH, SPREAD, SHORTEST, LONGEST = 82, 40, 1, 180  # of docstring passages cut at 180 tokens
QUERY_NOISE = 0.05
AT_ONCE = 1 << 20


def passages(count: int, dim: int, seed: int, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors ``[vectors, dim]`` float16 of norm 1 and doclens ``[count]`` int32.

    A vector is the sum of the direction of a word, drawn as ``1 / (rank + RANK_SHIFT)``, of ``TOPIC`` times the direction of
    its passage, and of ``NOISE`` times a direction of its own.
    """
    lengths = np.random.default_rng(seed).normal(LENGTH, SPREAD, count).astype(np.int32).clip(SHORTEST, LONGEST)
    generator = torch.Generator(device).manual_seed(seed)

    def directions(rows: int) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.randn(rows, dim, device=device, generator=generator), dim=1)

    words, topics = directions(WORDS), directions(count)
    weights = 1 / (torch.arange(WORDS, device=device) + RANK_SHIFT)
    owners = torch.repeat_interleave(torch.arange(count, device=device), torch.from_numpy(lengths).long().to(device))
    found = np.empty((len(owners), dim), np.float16)
    for start in range(0, len(found), AT_ONCE):
        some = owners[start : start + AT_ONCE]
        word = torch.multinomial(weights, len(some), replacement=True, generator=generator)
        vectors = words[word] + TOPIC * topics[some] + NOISE * directions(len(some))
        found[start : start + len(some)] = torch.nn.functional.normalize(vectors, dim=1).half().cpu().numpy()
    return found, lengths


def queries(vectors: np.ndarray, doclens: np.ndarray, count: int, width: int, seed: int) -> np.ndarray:
    """Return ``[count, width, dim]`` float32: for each query, vectors of one passage that are moved a little."""
    rng = np.random.default_rng(seed)
    starts = np.cumsum(doclens, dtype=np.int64) - doclens
    chosen = rng.integers(len(doclens), size=count)
    rows = starts[chosen, None] + rng.integers(0, doclens[chosen, None], (count, width))
    found = vectors[rows].astype(np.float32) + QUERY_NOISE * rng.standard_normal((*rows.shape, vectors.shape[1]))
    return (found / np.linalg.norm(found, axis=2, keepdims=True)).astype(np.float32)
