"""Find the nearest centroid of every vector of a shard."""

from pathlib import Path

from bench.codec import nearest
from bench.files.storage import write_array
from bench.index.centroids import open_centroids
from bench.index.shards import open_shard
from bench.verbs.common import KernelDevice, Threads, limit_threads, take_device


def assign(*, vectors: Path, centroids: Path, threads: Threads, device: KernelDevice = "cpu", output: Path) -> None:
    """Find the nearest centroid of every vector of a shard.

    :param vectors: Shard folder.
    :param centroids: Folder of centroids.
    :param output: .npy of codes to write.
    """
    take_device(device)
    limit_threads(threads)
    shard, centres = open_shard(vectors).vectors, open_centroids(centroids).clusters.centroids
    if device == "cuda":
        from bench.codec import cuda

        codes = cuda.assign(shard, centres)
    else:
        codes = nearest.assign(shard, centres, threads=threads)
    write_array(output, codes)
    print(f"{len(codes)} codes of {codes.dtype}")
