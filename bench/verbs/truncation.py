"""Count what the lengths of passages and queries cut off, of the whole collection and of what is relevant in it."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.evaluation.truncation import account
from bench.files.storage import write_json
from bench.index.shards import read_lengths
from bench.search.queries import open_query_vectors
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder")
    parser.add_argument("--vectors", type=Path, nargs="+", required=True, help="all shards of the corpus, in order")
    parser.add_argument("--queries", type=Path, required=True, help="query folder")
    parser.add_argument("--query-vectors", type=Path, required=True, help="folder of the vectors of these queries")
    for name in ("dataset", "model"):
        parser.add_argument(f"--{name}", required=True, help=f"name of the {name} in the tables")
    common.add_output(parser, "truncation.json to write")


def run(args: Namespace) -> None:
    corpus, queries, vectors = open_passages(args.corpus), open_queries(args.queries), open_query_vectors(args.query_vectors)
    shards = [read_lengths(folder) for folder in args.vectors]
    inputs = {
        "corpus": corpus.manifest.digest,
        "queries": queries.manifest.digest,
        "model": vectors.manifest.inputs["model"],
    }
    for shard in shards:
        if {**inputs, **shard.manifest.inputs, **vectors.manifest.inputs} != inputs:
            raise DataError(f"shards and query vectors of {args.output} were not made from these texts by one model")
    doclens = np.concatenate([shard.doclens for shard in shards])
    if len(doclens) != len(corpus):
        raise DataError(
            f"the shards of {args.output} hold {len(doclens)} passages, the corpus {len(corpus)}: one is missing"
        )
    wanted = {passage for judged in queries.qrels.values() for passage, grade in judged.items() if grade > 0}
    places = [place for place, text in enumerate(corpus.slice(0, len(corpus))) if text.id in wanted]
    lengths = {shard.manifest.settings["doc_maxlen"] for shard in shards}
    if len(lengths) != 1:
        raise DataError(f"the shards of {args.output} were cut at different lengths: {sorted(lengths)}")
    doc_maxlen = lengths.pop()
    counts = {
        **account(doclens, np.concatenate([shard.uncut for shard in shards]), doc_maxlen, np.array(places, int)),
        "relevant_absent": len(wanted) - len(places),
        "queries": vectors.manifest.counts["queries"],
        "queries_cut": vectors.manifest.counts["cut"],
    }
    record = {
        "dataset": args.dataset,
        "model": args.model,
        "template": corpus.manifest.settings["template"],
        "doc_maxlen": doc_maxlen,
        "query_maxlen": vectors.manifest.settings["query_maxlen"],
        "counts": counts,
        "inputs": inputs,
    }
    write_json(args.output, record)
    print(
        f"at {doc_maxlen} tokens {counts['passages_cut']} of {counts['passages']} passages are cut, "
        f"{counts['relevant_cut']} of {counts['relevant']} relevant ones; "
        f"{counts['queries_cut']} of {counts['queries']} queries"
    )
