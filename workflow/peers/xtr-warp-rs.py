"""Measure WARP (arXiv 2501.17788) as xtr-warp-rs over given token vectors. Named as the package is, so with hyphens."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from measure import DEPTH, Corpus, OneCall, Peer, Setting, main

ITERATIONS = 4  # its default


def setup(threads: int) -> None:
    import torch
    import xtr_warp  # noqa: F401

    torch.set_num_threads(threads)


def build(corpus: Corpus, index: Path, nbits: int, threads: int, seed: int) -> tuple[float, dict[str, Any]]:
    setup(threads)
    import torch
    from xtr_warp import XTRWarp

    passages = list(torch.from_numpy(corpus.vectors).split(corpus.doclens.tolist()))
    start = time.perf_counter()
    warp = XTRWarp(index=str(index))
    warp.create(passages, device="cpu", kmeans_niters=ITERATIONS, nbits=nbits, seed=seed, show_progress=False)
    seconds = time.perf_counter() - start
    return seconds, {"centroids": len(np.load(index / "centroids.npy")), "iterations": ITERATIONS, "stages": {}}


def decode(index: Path, _: Corpus, positions: np.ndarray, _threads: int) -> np.ndarray:
    """It has no function for this. A vector is its centroid and the weights of its buckets, whose lowest bits come first."""
    said = json.loads((index / "metadata.json").read_text())
    chunks = range(said["num_chunks"])
    codes, residuals = (
        np.concatenate([np.load(index / f"{chunk}.{name}.npy") for chunk in chunks]) for name in ("codes", "residuals")
    )
    bits = np.unpackbits(residuals[positions], axis=1).reshape(len(positions), -1, said["nbits"])
    buckets = bits @ (1 << np.arange(said["nbits"]))
    return np.load(index / "centroids.npy")[codes[positions]] + np.load(index / "bucket_weights.npy")[buckets]


def open_index(index: Path, setting: Setting, threads: int) -> OneCall:
    setup(threads)
    from xtr_warp import XTRWarp

    warp = XTRWarp(index=str(index))
    warp.load(device="cpu")
    return OneCall(warp.search, {**setting, "top_k": DEPTH, "num_threads": threads, "show_progress": False})


if __name__ == "__main__":
    main(
        Peer(
            name="xtr-warp-rs",
            packages=("xtr-warp-rs", "torch", "numpy"),
            settings=({"nprobe": 16}, {"nprobe": 32, "t_prime": 8000}, {"nprobe": 128, "t_prime": 8000}),
            batch="one call",
            setup=setup,
            build=build,
            decode=decode,
            open=open_index,
        )
    )
