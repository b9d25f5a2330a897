"""Encode one shard of a corpus to token vectors."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.corpus.texts import open_passages
from bench.encoder import checkpoint
from bench.encoder.encode import encode_tokens, measured_passages
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.index.shards import write_shard
from bench.machine.progress import bar
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder")
    parser.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    parser.add_argument("--passages-per-shard", type=int, required=True, help="passages in every shard but the last")
    parser.add_argument("--doc-maxlen", type=int, required=True, help="tokens of a passage, markers included")
    common.add_compute(parser)
    common.add_output(parser, "shard folder to write")


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads, device=args.device)
    corpus = open_passages(args.corpus)
    start = args.shard * args.passages_per_shard
    stop = min(start + args.passages_per_shard, len(corpus))
    if start >= stop:
        raise SettingsError(f"shard {args.shard} of {args.corpus} would start at passage {start} of {len(corpus)}")
    encoder, model = checkpoint.load(args.model)
    encoder.to(args.device)
    texts = [text.text for text in corpus.slice(start, stop)]
    ids, uncut = measured_passages(encoder, texts, args.doc_maxlen)
    with bar(f"encode {args.model.name} {args.corpus.parent.name} {args.shard}", len(texts), "passages") as progress:
        vectors, doclens = encode_tokens(
            encoder, ids, precision=args.precision, device=args.device, progress=progress.update
        )
    settings = {name: getattr(args, name) for name in ("shard", "passages_per_shard", "doc_maxlen", "precision", "threads")}
    inputs = {"corpus": corpus.manifest.digest, "model": model.digest}
    write_shard(args.output, vectors, doclens, uncut, settings=settings, inputs=inputs, context=context(__name__))
    print(f"shard {args.shard}: {len(texts)} passages, {len(vectors)} vectors of {encoder.dim}")
