"""Put logs of training into a table, and draw loss, learning rate and validation by step."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import figures, tables
from bench.report.training import training_frame, training_table
from bench.report.training_figure import training_curves
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--logs", type=Path, nargs="+", required=True, help="MODEL.steps.jsonl of every run")
    common.add_output(parser, "folder of the table and the figure")


def run(args: Namespace) -> None:
    frame = training_frame(args.logs)
    tables.write(args.output / "table4_training", training_table(frame))
    figures.save(training_curves(frame), args.output / "figure4_training")
    print(f"{len(args.logs)} runs, {len(frame)} steps in {args.output}")
