"""Hold a run against the protocol, score it against judgements, and write all that the numbers depend on."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.corpus.texts import open_queries
from bench.errors import DataError
from bench.evaluation import guard
from bench.evaluation.quality import evaluate
from bench.evaluation.runs import read_run
from bench.files.provenance import context
from bench.files.storage import read_json, write_json
from bench.verbs import common

AXES = ("dataset", "model", "codec", "preset")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, help="run.trec.gz with its run.json beside it")
    parser.add_argument("--queries", type=Path, required=True, help="query folder")
    parser.add_argument("--measures", nargs="+", required=True, help="ir_measures texts, the headline first")
    parser.add_argument("--depth", type=int, required=True, help="passages per ranking")
    described = "what must hold of the run: passages, queries, judgements, kept, lengths, gains, self_match"
    parser.add_argument("--protocol", type=common.named, nargs="+", required=True, metavar="KEY=VALUE", help=described)
    common.add_deviations(parser)
    for name in AXES:
        parser.add_argument(f"--{name}", required=True, help=f"name of the {name} in the tables")
    common.add_output(parser, "metrics.json to write")


def run(args: Namespace) -> None:
    queries = open_queries(args.queries)
    record = read_json(args.run.with_name("run.json"))
    if record["inputs"]["queries"] != queries.manifest.digest:
        raise DataError(f"{args.run} was made for other queries than {args.queries}: search again")
    found = read_run(args.run)
    if strangers := sorted(set(found) - {text.id for text in queries.texts}):
        raise DataError(f"{args.run} has queries that {args.queries} lacks: {strangers[:3]}")
    rules = guard.parse(args.protocol)
    guard.check(rules, found, record, queries.manifest, args.depth)
    quality = evaluate(found, queries.qrels, args.measures, args.depth, rules.gains)
    write_json(
        args.output,
        {
            **{name: getattr(args, name) for name in AXES},
            "mean": quality.mean,
            "measures": args.measures,
            "counts": quality.counts,
            "per_query": quality.per_query,
            "queries": dict(queries.manifest.settings),
            "protocol": vars(rules),
            "deviations": dict(args.deviations),
            "run": record,
            "context": context(__name__),
        },
    )
    print(", ".join(f"{name} {value:.4f}" for name, value in quality.mean.items()))
