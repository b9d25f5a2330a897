"""Put what the lengths cut off, short rankings and tied scores of every data set and model into a table."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import records, tables
from bench.report.protocol import protocol_frame, protocol_table
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--truncations", type=Path, nargs="+", required=True, help="records of truncation")
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="metrics.json of every run")
    common.add_output(parser, "folder of the table")


def run(args: Namespace) -> None:
    found = protocol_frame(records.read_truncations(args.truncations), records.read_metrics(args.metrics))
    tables.write(args.output / "table6_protocol", protocol_table(found))
    print(f"{len(found)} rows of protocol in {args.output}")
