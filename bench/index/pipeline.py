"""All steps from shards to a compressed index in one call, for callers that do not need a job for each step."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec import fitting
from bench.codec.codec import Codec
from bench.codec.kmeans import Clusters
from bench.codec.names import CodecName
from bench.files.storage import growing_array, read_array, release, write_array
from bench.index.build import build_compressed
from bench.index.centroids import assigned, find_centroids
from bench.index.shards import Shard


def fit_codec(
    name: CodecName,
    clusters: Clusters,
    heldout: np.ndarray,
    tokens: np.ndarray | None = None,
    *,
    seed: int,
    threads: int,
    queries: np.ndarray | None = None,
) -> tuple[Codec, np.ndarray]:
    """Return a fitted codec of the given name, and the codes ``[heldout]`` of the vectors that it was fitted on.

    tokens: ``[heldout]``, for ``TokenClusters``.
    """
    codes = clusters.assign(heldout, tokens, threads=threads)
    return fitting.fit(name, clusters, heldout, codes, seed, queries, threads=threads), codes


def build(
    folder: Path,
    shards: Sequence[Shard],
    ids: Sequence[str],
    *,
    codec: CodecName,
    seed: int,
    iterations: int,
    threads: int,
    work: Path,
    device: str = "cpu",
    clock: Callable[[], float] = time.perf_counter,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Write an index of the shards to ``folder``; ``work`` holds codes and residuals meanwhile. Return seconds by step.

    settings: what its manifest records besides the codec; device: where k-means, assignment, norms, lists and, for codecs
    that ``Encoder.takes``, compression run.
    """
    laps = [("", clock())]

    def mark(step: str) -> None:
        laps.append((step, clock()))

    found = find_centroids(
        shards,
        seed=seed,
        iterations=iterations,
        threads=threads,
        times=codec.times,
        by_token=codec.by_token,
        device=device,
    )
    mark("centroids")
    fitted, _ = fit_codec(codec, found.clusters, found.heldout, found.tokens, seed=seed, threads=threads)
    mark("fit")
    codes = []
    for number, shard in enumerate(shards):
        path = work / f"codes-{number}.npy"
        write_array(path, assigned(found.clusters, shard, f"shard {number}", threads, device))
        release(shard.vectors)
        codes.append(read_array(path))
    mark("assign")
    residuals = []
    for number, (shard, code) in enumerate(zip(shards, codes, strict=True)):
        path = work / f"residuals-{number}.npy"
        with growing_array(path, (len(code), fitted.bytes), np.uint8) as out:
            _encode(fitted, shard.vectors, code, threads, device, out)
        release(shard.vectors)
        residuals.append(read_array(path))
    mark("compress")
    doclens, recorded = [shard.doclens for shard in shards], {**(settings or {}), "codec": str(codec)}
    build_compressed(folder, doclens, codes, residuals, fitted, ids, device, settings=recorded)
    mark("index")
    return {step: after - before for (_, before), (step, after) in itertools.pairwise(laps)}


def _encode(fitted: Codec, vectors: np.ndarray, codes: np.ndarray, threads: int, device: str, out: np.ndarray) -> None:
    if device != "cpu":
        from bench.codec.cuda_encoder import Encoder

        if Encoder.takes(fitted):
            out[:] = Encoder(fitted, device=device).encode(vectors, codes)
            return
    fitted.encode(vectors, codes, threads=threads, out=out)
