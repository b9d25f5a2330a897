"""Put folders of tuples into a table: how many, drawn how, and how far the teacher agrees with their positives."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import supervision, tables
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tuples", type=Path, nargs="+", required=True, help="folders of tuples")
    common.add_output(parser, "folder of the table")


def run(args: Namespace) -> None:
    found = supervision.table(supervision.frame(supervision.read_manifests(args.tuples)))
    tables.write(args.output / "supervision", found)
    print(f"{len(found.data)} rows of supervision in {args.output}")
