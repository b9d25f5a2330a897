"""Build an index from shards: uncompressed, or with codes and residuals, an inverted list from centroid to passages."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.codec.names import UNCOMPRESSED
from bench.corpus.texts import open_passages
from bench.errors import DataError
from bench.files.provenance import context
from bench.files.storage import read_array
from bench.index.build import build_compressed, build_uncompressed
from bench.index.codecs import open_codec
from bench.index.shards import open_shard
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder")
    parser.add_argument("--vectors", type=Path, nargs="+", required=True, help="all shards of the corpus, in order")
    parser.add_argument("--codec", type=Path, help="codec folder (default: uncompressed)")
    parser.add_argument("--codes", type=Path, nargs="+", default=[], help=".npy of codes, one per shard")
    parser.add_argument("--residuals", type=Path, nargs="+", default=[], help=".npy of residual bytes, one per shard")
    common.add_output(parser, "index folder to write")


def run(args: Namespace) -> None:
    corpus = open_passages(args.corpus)
    shards = [open_shard(folder) for folder in args.vectors]
    models = {shard.manifest.inputs["model"] for shard in shards}
    corpora = {shard.manifest.inputs["corpus"] for shard in shards}
    if len(models) != 1 or corpora != {corpus.manifest.digest}:
        raise DataError(f"the shards of {args.output} come from {len(models)} models or another corpus: encode them again")
    inputs = {"corpus": corpus.manifest.digest, "model": models.pop()}
    precision = {"doc_maxlen", "precision", "passages_per_shard", "threads"}
    encoding = {name: shards[0].manifest.settings[name] for name in sorted(precision)}
    text = {"text": corpus.manifest.settings["template"]} if "template" in corpus.manifest.settings else {}
    made = {"inputs": inputs, "context": context(__name__)}
    if args.codec is None:
        settings = {"codec": UNCOMPRESSED, "encode": encoding, **text}
        manifest = build_uncompressed(args.output, shards, corpus.ids(), settings=settings, **made)
    else:
        codec, fitted = open_codec(args.codec)
        manifest = build_compressed(
            args.output,
            shards,
            [read_array(path) for path in args.codes],
            [read_array(path) for path in args.residuals],
            codec,
            corpus.ids(),
            settings={**fitted.settings, "encode": encoding, **text},
            **made,
        )
    size = sum(file["bytes"] for file in manifest.files.values())
    counts = manifest.counts
    print(f"{counts['passages']} passages, {counts['vectors']} vectors, {size / counts['vectors']:.1f} bytes per vector")
