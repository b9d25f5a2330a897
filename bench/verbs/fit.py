"""Fit a codec on held-out residuals."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.codec.names import residual_nbits
from bench.errors import SettingsError
from bench.index.centroids import open_centroids
from bench.index.codecs import write_codec
from bench.index.pipeline import fit_codec
from bench.provenance import context
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--centroids", type=Path, required=True, help="folder of centroids")
    parser.add_argument("--codec", required=True, help="codec to fit, such as residual-2")
    common.add_threads(parser)
    common.add_output(parser, "codec folder to write")


def run(args: Namespace) -> None:
    common.limit_threads(args.threads)
    nbits = residual_nbits(args.codec, "--codec")
    if nbits is None:
        raise SettingsError(f"codec {args.codec!r} keeps vectors as they are: there is nothing to fit")
    source = open_centroids(args.centroids)
    codec, codes = fit_codec(source.centroids, source.heldout, nbits, args.threads)
    decoded = codec.decode(codes, codec.encode(source.heldout, codes))
    cosine = float(np.mean(np.sum(decoded * source.heldout.astype(np.float32), axis=1)))
    inputs = {"centroids": source.manifest.digest}
    write_codec(args.output, codec, settings={"codec": args.codec}, inputs=inputs, context=context(__name__))
    print(f"{args.codec}: {codec.bytes} bytes a residual, mean cosine {cosine:.4f} on {len(codes)} held-out vectors")
