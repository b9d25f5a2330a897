"""All steps from shards to a compressed index, for those who do not need a job for each."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.codec import kmeans
from bench.codec.codec import Codec, fit_residual
from bench.codec.nearest import assign
from bench.index.build import build_compressed
from bench.index.shards import Shard, sample
from bench.storage import growing_array, read_array


@dataclass(frozen=True)
class FoundCentroids:
    """centroids ``[centroids, dim]``, heldout ``[heldout, dim]``; how many passages were sampled, and vectors trained on."""

    centroids: np.ndarray
    heldout: np.ndarray
    passages: int
    vectors: int


def find_centroids(shards: Sequence[Shard], *, seed: int, iterations: int, threads: int) -> FoundCentroids:
    """K-means on a sample of the passages, some of whose vectors are held out."""
    passages = sum(len(shard.doclens) for shard in shards)
    vectors = sum(len(shard.vectors) for shard in shards)
    rng = np.random.default_rng(seed)
    chosen = kmeans.sample_passages(passages, rng)
    training, heldout = kmeans.hold_out(sample(shards, chosen), rng)
    number = kmeans.number_of_centroids(vectors)
    found = kmeans.fit(training, number, seed=seed, iterations=iterations, threads=threads)
    return FoundCentroids(found, heldout, len(chosen), len(training))


def fit_codec(centroids: np.ndarray, heldout: np.ndarray, nbits: int, threads: int) -> tuple[Codec, np.ndarray]:
    """The paper's codec, and the codes ``[heldout]`` of the vectors that it was fitted on."""
    codes = assign(heldout, centroids, threads=threads)
    return fit_residual(centroids, heldout, codes, nbits), codes


def build(
    folder: Path,
    shards: Sequence[Shard],
    ids: Sequence[str],
    *,
    nbits: int,
    seed: int,
    iterations: int,
    threads: int,
    work: Path,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Write an index of the shards to ``folder``, with residuals kept in ``work`` meanwhile; returns seconds by step."""
    marks = [("", clock())]

    def mark(step: str) -> None:
        marks.append((step, clock()))

    found = find_centroids(shards, seed=seed, iterations=iterations, threads=threads)
    mark("centroids")
    codec, _ = fit_codec(found.centroids, found.heldout, nbits, threads)
    mark("fit")
    codes = [assign(shard.vectors, found.centroids, threads=threads) for shard in shards]
    mark("assign")
    residuals = []
    for number, (shard, code) in enumerate(zip(shards, codes, strict=True)):
        path = work / f"residuals-{number}.npy"
        with growing_array(path, (len(code), codec.bytes), np.uint8) as out:
            codec.encode(shard.vectors, code, threads=threads, out=out)
        residuals.append(read_array(path))
    mark("compress")
    build_compressed(folder, shards, codes, residuals, codec, ids, settings={"codec": f"residual-{nbits}"})
    mark("index")
    return {step: after - before for (_, before), (step, after) in itertools.pairwise(marks)}
