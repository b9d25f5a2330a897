"""Centroids: found on a sample of the vectors, and stored with the held-out vectors on which codecs are fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec import kmeans
from bench.codec.kmeans import Clusters
from bench.errors import DamagedFileError
from bench.files.finite import check_finite
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest, read_array
from bench.index.shards import Shard
from bench.index.vector_sample import sample

KIND = "centroids"
VERSION = 2


@dataclass(frozen=True)
class Centroids:
    """clusters: ``[centroids]`` clusters with centroids of norm 1; heldout: ``[heldout, dim]`` float16."""

    clusters: Clusters
    heldout: np.ndarray
    manifest: Manifest


@dataclass(frozen=True)
class FoundCentroids:
    """clusters and heldout ``[heldout, dim]``; numbers of sampled passages and of training vectors."""

    clusters: Clusters
    heldout: np.ndarray
    passages: int
    vectors: int


def find_centroids(
    shards: Sequence[Shard], *, seed: int, iterations: int, threads: int, times: int = 1, device: str = "cpu"
) -> FoundCentroids:
    """Run k-means on a sample of the passages, some of whose vectors are held out; times: see ``number_of_centroids``."""
    passages = sum(len(shard.doclens) for shard in shards)
    vectors = sum(len(shard.vectors) for shard in shards)
    rng = np.random.default_rng(seed)
    chosen = kmeans.sample_passages(passages, rng)
    training, heldout = kmeans.hold_out(sample(shards, chosen), rng)
    number = kmeans.number_of_centroids(vectors, times)
    if device == "cpu":
        found = kmeans.clusters(training, number, seed=seed, iterations=iterations, threads=threads)
    else:
        from bench.codec import cuda

        found = cuda.clusters(training, number, seed=seed, iterations=iterations, device=device)
    return FoundCentroids(found, heldout, len(chosen), len(training))


def write_centroids(
    folder: Path,
    clusters: Clusters,
    heldout: np.ndarray,
    *,
    counts: Mapping[str, int],
    **manifest: Mapping[str, Any],
) -> Manifest:
    writer = FolderWriter(folder, KIND, VERSION)
    for name in ("centroids", "spreads"):
        writer.array(f"{name}.npy", getattr(clusters, name))
    writer.array("heldout.npy", heldout)
    return writer.close(counts={**counts, "centroids": len(clusters.centroids), "heldout": len(heldout)}, **manifest)


def open_centroids(folder: Path) -> Centroids:
    names = ("centroids", "spreads", "heldout")
    manifest = open_folder(folder, KIND, VERSION, "centroids", [f"{name}.npy" for name in names])
    centroids, spreads, heldout = (read_array(folder / f"{name}.npy", mapped=False) for name in names)
    if (centroids.ndim, heldout.ndim) != (2, 2) or spreads.shape != centroids.shape[:1]:
        raise DamagedFileError(f"{folder} has centroids {centroids.shape}, spreads {spreads.shape}, heldout {heldout.shape}")
    manifest.check_counts(folder, centroids=len(centroids), heldout=len(heldout))
    for name, array in zip(names, (centroids, spreads, heldout), strict=True):
        check_finite(array, f"{name} of {folder}")
    return Centroids(Clusters(centroids, spreads), heldout, manifest)
