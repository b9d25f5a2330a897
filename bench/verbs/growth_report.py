"""Put a record of growth into a table and a figure."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.files.storage import read_json
from bench.report import figures, growth, tables
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--record", type=Path, required=True, help="growth.json")
    common.add_output(parser, "folder of the table and the figure")


def run(args: Namespace) -> None:
    found = growth.frame(read_json(args.record))
    table = growth.table(found)
    tables.write(args.output / "growth", table)
    figures.save(growth.figure(found), args.output / "figure_growth")
    print(table.shown.to_markdown(index=False, disable_numparse=True))
