"""Centroids: found on a sample of the vectors, and stored with the held-out vectors on which codecs are fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec import kmeans, token_centroids
from bench.codec.kmeans import Clusters
from bench.codec.token_centroids import TokenClusters
from bench.codec.token_groups import Groups
from bench.errors import DamagedFileError
from bench.files.finite import check_finite
from bench.files.opening import check_listed, open_folder
from bench.files.storage import FolderWriter, Manifest, read_array
from bench.index.shards import Shard, token_ids
from bench.index.vector_sample import sample

KIND = "centroids"
VERSION = 2
BY_TOKEN = ("token_groups", "group_starts", "heldout_tokens")  # files of centroids that are found within tokens


@dataclass(frozen=True)
class Centroids:
    """clusters: ``[centroids]`` clusters with centroids of norm 1; heldout: ``[heldout, dim]`` float16; tokens
    ``[heldout]``: None unless the clusters are ``TokenClusters``.
    """

    clusters: Clusters
    heldout: np.ndarray
    manifest: Manifest
    tokens: np.ndarray | None = None


@dataclass(frozen=True)
class FoundCentroids:
    """clusters and heldout ``[heldout, dim]``; numbers of sampled passages and of training vectors; tokens: as in
    ``Centroids``.
    """

    clusters: Clusters
    heldout: np.ndarray
    passages: int
    vectors: int
    tokens: np.ndarray | None = None


def find_centroids(
    shards: Sequence[Shard],
    *,
    seed: int,
    iterations: int,
    threads: int,
    times: int = 1,
    by_token: bool = False,
    device: str = "cpu",
) -> FoundCentroids:
    """Run k-means on a sample of the passages, some of whose vectors are held out; times: see ``number_of_centroids``.

    by_token: within the tokens, on the CPU. Raise DataError for a shard without the token ids that this needs.
    """
    passages = sum(len(shard.doclens) for shard in shards)
    vectors = sum(len(shard.vectors) for shard in shards)
    rng = np.random.default_rng(seed)
    chosen = kmeans.sample_passages(passages, rng)
    sampled = sample(shards, chosen)
    rows, held = kmeans.hold_out(len(sampled), rng)
    training, heldout = sampled.only(rows), sampled[held]
    number = kmeans.number_of_centroids(vectors, times)
    if by_token:
        how = {"seed": seed, "iterations": iterations, "threads": threads}
        within = token_centroids.clusters(training, training.tokens(), number, **how)
        return FoundCentroids(within, heldout, len(chosen), len(training), sampled.only(held).tokens())
    if device == "cpu":
        found = kmeans.clusters(training, number, seed=seed, iterations=iterations, threads=threads)
    else:
        from bench.codec import cuda

        found = cuda.clusters(training, number, seed=seed, iterations=iterations, device=device)
    return FoundCentroids(found, heldout, len(chosen), len(training))


def assigned(clusters: Clusters, shard: Shard, source: str, threads: int, device: str = "cpu") -> np.ndarray:
    """Return the code ``[vectors]`` of each vector of a shard; clusters of tokens are searched on the CPU.

    Raise DataError if those are given and the shard has no token ids.
    """
    by_token = isinstance(clusters, TokenClusters)
    if by_token or device == "cpu":
        return clusters.assign(shard.vectors, token_ids(shard, source) if by_token else None, threads=threads)
    from bench.codec import cuda

    return cuda.assign(shard.vectors, clusters.centroids, device=device)


def write_centroids(
    folder: Path,
    clusters: Clusters,
    heldout: np.ndarray,
    tokens: np.ndarray | None = None,
    *,
    counts: Mapping[str, int],
    **manifest: Mapping[str, Any],
) -> Manifest:
    """Write centroids and held-out vectors; of ``TokenClusters`` the groups and the tokens ``[heldout]`` as well."""
    writer = FolderWriter(folder, KIND, VERSION)
    for name in ("centroids", "spreads"):
        writer.array(f"{name}.npy", getattr(clusters, name))
    writer.array("heldout.npy", heldout)
    if isinstance(clusters, TokenClusters):
        for name, array in zip(BY_TOKEN, (clusters.groups.of, clusters.groups.starts, tokens), strict=True):
            writer.array(f"{name}.npy", np.asarray(array))
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
    if f"{BY_TOKEN[0]}.npy" not in manifest.files:
        return Centroids(Clusters(centroids, spreads), heldout, manifest)
    check_listed(folder, manifest, [f"{name}.npy" for name in BY_TOKEN])
    of, starts, tokens = (read_array(folder / f"{name}.npy", mapped=False) for name in BY_TOKEN)
    _check_groups(folder, of, starts, len(centroids))
    if tokens.shape != heldout.shape[:1] or tokens.dtype.kind != "u":
        raise DamagedFileError(
            f"{folder} has token ids {tokens.shape} of {tokens.dtype} for {len(heldout)} held-out vectors"
        )
    return Centroids(TokenClusters(centroids, spreads, Groups(of, starts)), heldout, manifest, tokens)


def _check_groups(folder: Path, of: np.ndarray, starts: np.ndarray, centroids: int) -> None:
    """Raise DamagedFileError for groups that compiled loops could not follow."""
    integers = of.ndim == starts.ndim == 1 and of.dtype == np.int32 and starts.dtype == np.int64 and len(of) and len(starts)
    if not integers or starts[0] or starts[-1] != centroids or (np.diff(starts) < 1).any():
        raise DamagedFileError(f"{folder} has groups of tokens that do not hold its {centroids} centroids; make it again")
    if of.min() < -1 or of.max() >= len(starts) - 1:
        raise DamagedFileError(
            f"{folder} puts tokens into groups {of.min()} to {of.max()} of {len(starts) - 1}; make it again"
        )
