"""Write a part of a training set: queries by lot, the passages relevant to them, and other passages by lot."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.corpus.texts import open_passages, open_queries, write_passages, write_queries
from bench.errors import DataError
from bench.provenance import context


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of the whole")
    parser.add_argument("--queries", type=Path, required=True, help="query folder of the whole")
    parser.add_argument("--keep-queries", type=int, required=True, help="judged queries to keep")
    parser.add_argument("--keep-passages", type=int, required=True, help="passages to keep, relevant ones among them")
    parser.add_argument("--seed", type=int, required=True, help="seed of both draws")
    parser.add_argument("--output", type=Path, required=True, help="corpus folder to write")
    parser.add_argument("--output-queries", type=Path, required=True, help="query folder to write")


def run(args: Namespace) -> None:
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    rng = np.random.default_rng(args.seed)
    judged = [text for text in queries.texts if any(grade > 0 for grade in queries.qrels.get(text.id, {}).values())]
    if args.keep_queries > len(judged):
        raise DataError(
            f"--keep-queries {args.keep_queries}: {args.queries} has {len(judged)} queries with a relevant passage"
        )
    kept = [judged[number] for number in np.sort(rng.choice(len(judged), args.keep_queries, replace=False))]
    qrels = {text.id: queries.qrels[text.id] for text in kept}
    ids = corpus.ids()
    named = {passage for grades in qrels.values() for passage in grades}
    if missing := named - set(ids):
        raise DataError(f"judged passage {min(missing)!r} is not in {args.corpus}")
    if not len(named) <= args.keep_passages <= len(ids):
        raise DataError(
            f"--keep-passages {args.keep_passages} must lie between the {len(named)} judged ones of the kept queries and "
            f"the {len(ids)} of {args.corpus}"
        )
    others = np.array([number for number, name in enumerate(ids) if name not in named])
    drawn = rng.choice(others, args.keep_passages - len(named), replace=False) if args.keep_passages > len(named) else []
    wanted = sorted({number for number, name in enumerate(ids) if name in named} | set(np.asarray(drawn, int).tolist()))
    settings = {"keep_queries": args.keep_queries, "keep_passages": args.keep_passages, "seed": args.seed}
    inputs = {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}
    written = write_queries(args.output_queries, kept, qrels, settings=settings, inputs=inputs, context=context(__name__))
    passages = write_passages(args.output, corpus.at(wanted), settings=settings, inputs=inputs, context=context(__name__))
    print(f"{written.counts['queries']} queries, {passages.counts['passages']} passages; digest {passages.digest[:16]}")
