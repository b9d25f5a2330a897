"""Quantize the residuals of a shard to bytes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench.files.storage import growing_array, read_array
from bench.index.codecs import open_codec
from bench.index.shards import open_shard
from bench.verbs import common

VECTORS_PER_BLOCK = 65_536


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vectors", type=Path, required=True, help="shard folder")
    parser.add_argument("--codes", type=Path, required=True, help=".npy of the codes of the shard")
    parser.add_argument("--codec", type=Path, required=True, help="codec folder")
    common.add_kernel_device(parser)
    common.add_output(parser, ".npy of residual bytes to write")


def run(args: Namespace) -> None:
    common.take_device(args.device)
    vectors, codes = open_shard(args.vectors).vectors, read_array(args.codes)
    if len(vectors) != len(codes):
        raise DataError(f"{args.codes} has {len(codes)} codes for the {len(vectors)} vectors of {args.vectors}: rebuild it")
    codec, _ = open_codec(args.codec)
    encode: Callable[[np.ndarray, np.ndarray], np.ndarray] = codec.encode
    if args.device == "cuda":
        from bench.codec.cuda_encoder import Encoder

        encode = Encoder(codec).encode
    with growing_array(args.output, (len(vectors), codec.bytes), np.uint8) as out:
        for start in range(0, len(vectors), VECTORS_PER_BLOCK):
            some = slice(start, start + VECTORS_PER_BLOCK)
            out[some] = encode(vectors[some], codes[some])
    print(f"{len(vectors)} residuals of {codec.bytes} bytes")
