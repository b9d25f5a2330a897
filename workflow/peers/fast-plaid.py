"""Measure fast-plaid over given token vectors. A hyphen in the name, because the package is called fast_plaid."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from measure import DEPTH, Corpus, OneCall, Peer, Setting, main

ITERATIONS = 4  # its default
PASSAGES_AT_ONCE = 2000


def setup(threads: int) -> None:
    import torch
    from fast_plaid import search  # noqa: F401

    torch.set_num_threads(threads)


def build(corpus: Corpus, index: Path, nbits: int, threads: int, seed: int) -> tuple[float, dict[str, Any]]:
    """Without ``start_from_scratch=0`` an index of up to 1000 passages would hold a copy of their vectors too."""
    setup(threads)
    import torch
    from fast_plaid import search

    passages = list(torch.from_numpy(corpus.vectors).split(corpus.doclens.tolist()))
    start = time.perf_counter()
    plaid = search.FastPlaid(index=str(index), device="cpu")
    plaid.create(passages, kmeans_niters=ITERATIONS, nbits=nbits, seed=seed, start_from_scratch=0)
    seconds = time.perf_counter() - start
    return seconds, {"centroids": len(np.load(index / "centroids.npy")), "iterations": ITERATIONS, "stages": {}}


def decode(index: Path, corpus: Corpus, positions: np.ndarray, threads: int) -> np.ndarray:
    """It decodes whole passages: those that hold a position, some at a time."""
    setup(threads)
    from fast_plaid import search

    plaid = search.FastPlaid(index=str(index), device="cpu")
    ends = np.cumsum(corpus.doclens)
    passages, first = np.unique(np.searchsorted(ends, positions, side="right"), return_index=True)
    found = []
    for part in np.array_split(np.arange(len(passages)), -(-len(passages) // PASSAGES_AT_ONCE)):
        decoded = np.concatenate([vectors.numpy() for vectors in plaid.get_embeddings(passages[part].tolist())])
        starts = np.cumsum(corpus.doclens[passages[part]]) - corpus.doclens[passages[part]]
        bounds = np.append(first, len(positions))[[part[0], part[-1] + 1]]
        wanted = positions[slice(*bounds)]
        owner = np.searchsorted(ends[passages[part]], wanted, side="right")
        inside = wanted - (ends - corpus.doclens)[passages[part]][owner]
        found.append(decoded[starts[owner] + inside])
    return np.concatenate(found)


def open_index(index: Path, setting: Setting, threads: int) -> OneCall:
    setup(threads)
    from fast_plaid import search

    plaid = search.FastPlaid(index=str(index), device="cpu")
    return OneCall(plaid.search, {**setting, "top_k": DEPTH, "show_progress": False, "n_processes": threads})


if __name__ == "__main__":
    main(
        Peer(
            name="fast-plaid",
            packages=("fast-plaid", "torch", "fastkmeans", "numpy"),
            settings=({"n_ivf_probe": 4, "n_full_scores": 1024},),
            batch="one call",
            setup=setup,
            build=build,
            decode=decode,
            open=open_index,
        )
    )
