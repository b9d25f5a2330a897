"""Write the queries and judgements of an ir_datasets query set, all of them or a seeded sample."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.corpus import registry
from bench.corpus.texts import Qrels, Text, write_queries
from bench.errors import DataError
from bench.provenance import context


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, help="ir_datasets id of the query set")
    parser.add_argument("--queries", type=int, required=True, help="number of queries that it must have")
    parser.add_argument("--sample", type=int, help="queries to keep, drawn from the judged ones by seed (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample")
    parser.add_argument("--output", type=Path, required=True, help="query folder to write")


def run(args: Namespace) -> None:
    dataset = registry.load(args.dataset)
    texts = [Text(query.query_id, query.default_text()) for query in dataset.queries_iter()]
    if len(texts) != args.queries:
        raise DataError(f"{args.dataset} has {len(texts)} queries here, the protocol says {args.queries}")
    qrels: Qrels = {}
    for judgement in dataset.qrels_iter():
        qrels.setdefault(judgement.query_id, {})[judgement.doc_id] = judgement.relevance
    if unknown := sorted(set(qrels) - {text.id for text in texts}):
        raise DataError(f"{args.dataset} has judgements for queries that it lacks: {unknown[:3]}")
    if args.sample is not None:
        judged = [text for text in texts if text.id in qrels]
        if args.sample > len(judged):
            raise DataError(f"sample of {args.sample} asked for, but {args.dataset} has {len(judged)} judged queries")
        chosen = np.random.default_rng(args.seed).choice(len(judged), args.sample, replace=False)
        texts = [judged[position] for position in np.sort(chosen)]
        qrels = {text.id: qrels[text.id] for text in texts}
    settings = {"dataset": args.dataset, "sample": args.sample, "seed": args.seed if args.sample else None}
    manifest = write_queries(args.output, texts, qrels, settings=settings, context=context(__name__))
    print(f"{args.dataset}: {len(texts)} queries, {manifest.counts['judgements']} judgements; digest {manifest.digest[:16]}")
