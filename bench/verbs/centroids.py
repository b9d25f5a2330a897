"""Find the centroids of a model's vectors by k-means on a sample of passages, and hold out vectors to fit codecs on."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.codec import kmeans
from bench.index.centroids import write_centroids
from bench.index.shards import open_shard, sample
from bench.provenance import context
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vectors", type=Path, nargs="+", required=True, help="all shards of the corpus, in order")
    parser.add_argument("--iterations", type=int, required=True, help="Lloyd iterations")
    parser.add_argument("--seed", type=int, required=True, help="seed of sample and k-means")
    common.add_threads(parser)
    common.add_output(parser, "folder of centroids to write")


def run(args: Namespace) -> None:
    common.limit_threads(args.threads)
    shards = [open_shard(folder) for folder in args.vectors]
    passages = sum(len(shard.doclens) for shard in shards)
    vectors = sum(len(shard.vectors) for shard in shards)
    rng = np.random.default_rng(args.seed)
    chosen = kmeans.sample_passages(passages, rng)
    training, heldout = kmeans.hold_out(sample(shards, chosen), rng)
    number = kmeans.number_of_centroids(vectors)
    found = kmeans.fit(training, number, seed=args.seed, iterations=args.iterations, threads=args.threads)
    settings = {name: getattr(args, name) for name in ("iterations", "seed", "threads")}
    write_centroids(
        args.output,
        found,
        heldout,
        settings=settings,
        inputs={f"shard {number}": shard.manifest.digest for number, shard in enumerate(shards)},
        counts={"sample passages": len(chosen), "sample vectors": len(training)},
        context=context(__name__),
    )
    print(f"{len(found)} centroids from {len(training)} vectors of {len(chosen)} passages, {len(heldout)} held out")
