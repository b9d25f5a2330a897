"""Encode a query set to token vectors."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.corpus.texts import open_queries
from bench.encoder import checkpoint
from bench.encoder.encode import encode_queries
from bench.files.provenance import context
from bench.search.queries import write_query_vectors
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--queries", type=Path, required=True, help="query folder")
    parser.add_argument("--query-maxlen", type=int, required=True, help="tokens of a query, markers included")
    common.add_compute(parser)
    common.add_output(parser, "folder of query vectors to write")


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads, device=args.device)
    queries = open_queries(args.queries)
    encoder, model = checkpoint.load(args.model)
    encoder.to(args.device)
    texts = [text.text for text in queries.texts]
    vectors = encode_queries(encoder, texts, maxlen=args.query_maxlen, precision=args.precision, device=args.device)
    settings = {name: getattr(args, name) for name in ("query_maxlen", "precision", "threads")}
    inputs = {"queries": queries.manifest.digest, "model": model.digest}
    cut = encoder.inputs.cut_queries(texts, args.query_maxlen)
    ids = [text.id for text in queries.texts]
    write_query_vectors(args.output, vectors, ids, cut=cut, settings=settings, inputs=inputs, context=context(__name__))
    print(f"{len(vectors)} queries of {vectors.shape[1]} vectors of {vectors.shape[2]}, {cut} of them cut")
