"""Write a part of a training set: queries by lot to train on and to hold out, their passages, and others by lot."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import numpy as np

from bench.corpus.texts import open_passages, open_queries, write_passages, write_queries
from bench.errors import DataError
from bench.files.provenance import context
from bench.training.triples import sample_queries

DRAWN = ("keep_queries", "hold_out", "keep_passages", "query_seed", "seed")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of the whole")
    parser.add_argument("--queries", type=Path, required=True, help="query folder of the whole")
    parser.add_argument("--keep-queries", type=int, required=True, help="judged queries to keep")
    parser.add_argument("--hold-out", type=int, default=0, help="further judged queries to keep, for validation")
    parser.add_argument("--keep-passages", type=int, required=True, help="passages to keep, relevant ones among them")
    parser.add_argument("--query-seed", type=int, required=True, help="seed of the queries, as of bench triples")
    parser.add_argument("--seed", type=int, required=True, help="seed of the other passages")
    parser.add_argument("--output", type=Path, required=True, help="corpus folder to write")
    parser.add_argument("--output-queries", type=Path, required=True, help="query folder to write")
    parser.add_argument("--output-held-out", type=Path, required=True, help="query folder of the held-out ones to write")


def run(args: Namespace) -> None:
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    judged = [text for text in queries.texts if any(grade > 0 for grade in queries.qrels.get(text.id, {}).values())]
    wanted = args.keep_queries + args.hold_out
    if wanted > len(judged):
        raise DataError(
            f"--keep-queries {args.keep_queries} and --hold-out {args.hold_out}: {args.queries} has {len(judged)} queries "
            "with a relevant passage"
        )
    order = sample_queries(len(judged), len(judged), args.query_seed)
    ends = (order[: args.keep_queries], order[len(order) - args.hold_out :])  # those held out are drawn last for any model
    kept, held_out = ([judged[number] for number in np.sort(some)] for some in ends)
    ids = corpus.ids()
    needed = {passage for text in (*kept, *held_out) for passage in queries.qrels[text.id]}
    if missing := needed - set(ids):
        raise DataError(f"judged passage {min(missing)!r} is not in {args.corpus}")
    if not len(needed) <= args.keep_passages <= len(ids):
        raise DataError(
            f"--keep-passages {args.keep_passages} must lie between the {len(needed)} judged ones of the kept queries and "
            f"the {len(ids)} of {args.corpus}"
        )
    named = np.array([number for number, name in enumerate(ids) if name in needed], int)
    unnamed = np.setdiff1d(np.arange(len(ids)), named)
    others = np.random.default_rng(args.seed).permutation(unnamed)[: args.keep_passages - len(named)]
    chosen = np.sort(np.concatenate([named, others]))
    made: dict[str, Any] = {
        "settings": {name: getattr(args, name) for name in DRAWN},
        "inputs": {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest},
        "context": context(__name__),
    }
    for folder, texts in ((args.output_queries, kept), (args.output_held_out, held_out)):
        write_queries(folder, texts, {text.id: queries.qrels[text.id] for text in texts}, **made)
    passages = write_passages(args.output, corpus.at(chosen.tolist()), **made)
    print(
        f"{len(kept)} queries, {len(held_out)} held out, {passages.counts['passages']} passages; "
        f"digest {passages.digest[:16]}"
    )
