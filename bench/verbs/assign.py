"""Find the nearest centroid of every vector of a shard."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.codec.nearest import assign
from bench.files.storage import write_array
from bench.index.centroids import open_centroids
from bench.index.shards import open_shard
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vectors", type=Path, required=True, help="shard folder")
    parser.add_argument("--centroids", type=Path, required=True, help="folder of centroids")
    common.add_threads(parser)
    common.add_kernel_device(parser)
    common.add_output(parser, ".npy of codes to write")


def run(args: Namespace) -> None:
    common.take_device(args.device)
    common.limit_threads(args.threads)
    vectors, centroids = open_shard(args.vectors).vectors, open_centroids(args.centroids).clusters.centroids
    if args.device == "cuda":
        from bench.codec import cuda

        codes = cuda.assign(vectors, centroids)
    else:
        codes = assign(vectors, centroids, threads=args.threads)
    write_array(args.output, codes)
    print(f"{len(codes)} codes of {codes.dtype}")
