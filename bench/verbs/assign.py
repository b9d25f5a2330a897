"""Find the nearest centroid of every vector of a shard."""

from pathlib import Path

from bench.errors import DataError
from bench.files.provenance import context
from bench.index.centroids import assigned, open_centroids
from bench.index.parts import write_codes
from bench.index.shards import open_shard
from bench.verbs.common import KernelDevice, Threads, limit_threads, take_device


def assign(*, vectors: Path, centroids: Path, threads: Threads, device: KernelDevice = "cpu", output: Path) -> None:
    """Find the nearest centroid of every vector of a shard.

    :param vectors: Shard folder.
    :param centroids: Folder of centroids.
    :param output: Folder of codes to write.
    """
    take_device(device)
    limit_threads(threads)
    opened, source = open_shard(vectors), open_centroids(centroids)
    shard, centres = opened.vectors, source.clusters.centroids
    if shard.shape[1] != centres.shape[1]:
        raise DataError(f"{vectors} has vectors of dim {shard.shape[1]}, {centroids} of {centres.shape[1]}: other models")
    codes = assigned(source.clusters, opened, str(vectors), threads, device)
    inputs = {"vectors": opened.manifest.digest, "centroids": source.manifest.digest}
    write_codes(output, codes, len(centres), settings={"threads": threads}, inputs=inputs, context=context(__name__))
    print(f"{len(codes)} codes of {codes.dtype}")
