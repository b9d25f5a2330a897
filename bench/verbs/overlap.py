"""Compare a run with exhaustive search over uncompressed vectors: how many of the same passages it finds."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.errors import DataError
from bench.evaluation.overlap import overlap
from bench.evaluation.runs import read_run
from bench.provenance import context
from bench.storage import read_json, write_json
from bench.verbs import common
from bench.verbs.evaluate import AXES


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, help="run.trec.gz with its run.json beside it")
    parser.add_argument("--reference", type=Path, required=True, help="run.trec.gz to compare it with, likewise")
    parser.add_argument("--depths", type=int, nargs="+", required=True, help="how many of the best passages are compared")
    for name in AXES:
        parser.add_argument(f"--{name}", required=True, help=f"name of the {name} in the tables")
    common.add_output(parser, "overlap.json to write")


def run(args: Namespace) -> None:
    records = {
        name: read_json(path.with_name("run.json")) for name, path in (("run", args.run), ("reference", args.reference))
    }
    for name in ("corpus", "queries", "model"):
        if records["run"]["inputs"][name] != records["reference"]["inputs"][name]:
            raise DataError(f"{args.run} and {args.reference} were made with a different {name}: search again")
    found, wanted = read_run(args.run), read_run(args.reference)
    shares = {f"overlap@{depth}": overlap(found, wanted, depth) for depth in args.depths}
    mean = {name: sum(values.values()) / len(values) for name, values in shares.items()}
    axes = {name: getattr(args, name) for name in AXES}
    write_json(args.output, {**axes, "mean": mean, "per_query": shares, **records, "context": context(__name__)})
    print(", ".join(f"{name} {value:.4f}" for name, value in mean.items()))
