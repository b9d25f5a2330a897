"""Fit a codec on held-out residuals."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.codec.names import parse
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.index.centroids import open_centroids
from bench.index.codecs import write_codec
from bench.index.pipeline import fit_codec
from bench.search.queries import open_query_vectors
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--centroids", type=Path, required=True, help="folder of centroids")
    parser.add_argument("--codec", required=True, help="codec to fit, such as residual-2 or opq-16")
    parser.add_argument("--seed", type=int, required=True, help="seed of a random rotation and of k-means")
    parser.add_argument("--queries", type=Path, help="folder of vectors of training queries, for codecs fitted on them")
    common.add_threads(parser)
    common.add_output(parser, "codec folder to write")


def run(args: Namespace) -> None:
    common.limit_threads(args.threads)
    name = parse(args.codec, "--codec")
    if name is None:
        raise SettingsError(f"codec {args.codec!r} keeps vectors as they are: there is nothing to fit")
    source = open_centroids(args.centroids)
    if source.manifest.settings["times"] != name.times:
        raise SettingsError(
            f"codec {args.codec!r} has {name.times} times the paper's number of centroids, and {args.centroids} has "
            f"{source.manifest.settings['times']} times: make others with bench centroids --times {name.times}"
        )
    asked = open_query_vectors(args.queries) if args.queries else None
    queries = asked.vectors[asked.vectors.any(axis=2)] if asked else None
    vectors = source.clusters, source.heldout
    codec, codes = fit_codec(name, *vectors, seed=args.seed, threads=args.threads, queries=queries)
    decoded = codec.mapped_back(codec.decode(codes, codec.encode(source.heldout, codes)))
    products = np.sum(decoded * source.heldout.astype(np.float32), axis=1)
    cosine = float(np.mean(products / np.linalg.norm(decoded, axis=1)))
    inputs = {"centroids": source.manifest.digest, **({"queries": asked.manifest.digest} if asked else {})}
    write_codec(
        args.output, codec, settings={"codec": args.codec, "seed": args.seed}, inputs=inputs, context=context(__name__)
    )
    print(f"{args.codec}: {codec.bytes} bytes a residual, mean cosine {cosine:.4f} on {len(codes)} held-out vectors")
