"""Find the centroids of a model's vectors by k-means on a sample of passages, and hold out vectors to fit codecs on."""

from pathlib import Path

from bench.config.settings import Count, Natural
from bench.files.provenance import context
from bench.index.centroids import find_centroids, write_centroids
from bench.index.shards import open_shard, token_ids
from bench.verbs.common import KernelDevice, Threads, limit_threads, take_device


def centroids(
    *,
    vectors: list[Path],
    iterations: Count,
    times: Count = 1,
    by_token: bool = False,
    seed: Natural,
    threads: Threads,
    device: KernelDevice = "cpu",
    output: Path,
) -> None:
    """Find the centroids of a model's vectors by k-means on a sample of passages, and hold out vectors to fit codecs on.

    :param vectors: All shards of the corpus, in order.
    :param iterations: Lloyd iterations.
    :param times: Number of centroids, in multiples of the paper's; 4 for opq-16x4.
    :param by_token: Find them within the tokens of the vocabulary, on the CPU, for codecs such as opq-16t.
    :param seed: Seed of the sample and of k-means.
    :param output: Folder of centroids to write.
    """
    take_device(device)
    limit_threads(threads)
    shards = [open_shard(folder) for folder in vectors]
    for folder, shard in zip(vectors, shards, strict=True):
        if by_token:
            token_ids(shard, str(folder))
    settings = {"seed": seed, "iterations": iterations, "threads": threads, "times": times}
    found = find_centroids(shards, **settings, by_token=by_token, device=device)
    write_centroids(
        output,
        found.clusters,
        found.heldout,
        found.tokens,
        settings={**settings, "device": device, **({"by_token": True} if by_token else {})},
        inputs={f"shard {number}": shard.manifest.digest for number, shard in enumerate(shards)},
        counts={"sample passages": found.passages, "sample vectors": found.vectors},
        context=context(__name__),
    )
    print(
        f"{len(found.clusters.centroids)} centroids from {found.vectors} vectors of {found.passages} passages, "
        f"{len(found.heldout)} held out"
    )
