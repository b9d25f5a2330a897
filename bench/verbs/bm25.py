"""Search a corpus with BM25, the lexical baseline, and write a run in TREC format."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.corpus.texts import open_passages, open_queries
from bench.evaluation.runs import Run, write_run
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index.ids import id_ranks
from bench.search.lexical import BM25, K1, B
from bench.search.ranking import SELF_MATCH, check_self_match, results
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder")
    parser.add_argument("--queries", type=Path, required=True, help="query folder")
    parser.add_argument("--depth", type=int, required=True, help="passages per ranking")
    parser.add_argument("--self-match", choices=SELF_MATCH, default="none", help="drop or refuse a query's own passage")
    common.add_output(parser, "run.trec.gz to write; its record goes beside it as run.json")


def run(args: Namespace) -> None:
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    texts = list(corpus.slice(0, len(corpus)))
    ids = [text.id for text in texts]
    check_self_match(args.self_match, [query.id for query in queries.texts], ids)
    bm25 = BM25([text.text for text in texts])
    rankings = bm25.search([text.text for text in queries.texts], args.depth + 1, id_ranks(ids))
    found: Run = {}
    removed = 0
    for query, ranking in zip(queries.texts, rankings, strict=True):
        found[query.id], dropped = results(ranking, ids, query.id, args.depth, args.self_match)
        removed += dropped
    write_run(args.output, found, "bm25")
    record = {
        "settings": {"engine": "bm25", "k1": K1, "b": B, "depth": args.depth, "self_match": args.self_match},
        "inputs": {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest},
        "corpus": {"counts": dict(corpus.manifest.counts), **corpus.manifest.settings},
        "counts": {"queries": len(found), "self_matches": removed},
        "context": context(__name__),
    }
    write_json(args.output.with_name("run.json"), record)
    print(f"{len(found)} queries, {sum(map(len, found.values()))} results; {removed} self-matches removed")
