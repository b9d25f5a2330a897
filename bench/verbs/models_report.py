"""Put the quality of all models, uncompressed, into a table of paired differences to one of them."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import models, records, tables
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="metrics.json of runs; others are left out")
    parser.add_argument("--baseline", required=True, help="model that the others are compared with")
    parser.add_argument("--starts", type=common.named, nargs="*", default=[], help="MODEL=START of each trained model")
    parser.add_argument("--seen", type=common.named, nargs="*", default=[], help="MODEL=PASSAGES of each trained model")
    parser.add_argument("--seed", type=int, required=True, help="seed of intervals and tests")
    common.add_output(parser, "folder of the table")


def run(args: Namespace) -> None:
    found = models.models_frame(records.read_metrics(args.metrics), args.baseline, seed=args.seed)
    seen = {model: int(count) for model, count in args.seen}
    tables.write(args.output / "table5_models", models.models_table(found, args.baseline, dict(args.starts), seen))
    print(f"{len(found)} rows of models in {args.output}")
