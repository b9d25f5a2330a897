"""Find the centroids of a model's vectors by k-means on a sample of passages, and hold out vectors to fit codecs on."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.files.provenance import context
from bench.index.centroids import find_centroids, write_centroids
from bench.index.shards import open_shard
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vectors", type=Path, nargs="+", required=True, help="all shards of the corpus, in order")
    parser.add_argument("--iterations", type=int, required=True, help="Lloyd iterations")
    parser.add_argument("--times", type=int, default=1, help="the paper's number of centroids times this; 4 for opq-16x4")
    parser.add_argument("--seed", type=int, required=True, help="seed of sample and k-means")
    common.add_threads(parser)
    common.add_output(parser, "folder of centroids to write")


def run(args: Namespace) -> None:
    common.limit_threads(args.threads)
    shards = [open_shard(folder) for folder in args.vectors]
    how = {"seed": args.seed, "iterations": args.iterations, "threads": args.threads}
    found = find_centroids(shards, **how, times=args.times)
    settings = {**how, "times": args.times}
    write_centroids(
        args.output,
        found.clusters,
        found.heldout,
        settings=settings,
        inputs={f"shard {number}": shard.manifest.digest for number, shard in enumerate(shards)},
        counts={"sample passages": found.passages, "sample vectors": found.vectors},
        context=context(__name__),
    )
    print(
        f"{len(found.clusters.centroids)} centroids from {found.vectors} vectors of {found.passages} passages, "
        f"{len(found.heldout)} held out"
    )
