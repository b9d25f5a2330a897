"""Draw quality against bytes per vector, and size by component, as PDF and PNG."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import figures, records
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="metrics.json of every run")
    parser.add_argument("--sizes", type=Path, nargs="+", required=True, help="size.json of every index")
    parser.add_argument("--seed", type=int, required=True, help="seed of intervals")
    common.add_output(parser, "folder of the figures")


def run(args: Namespace) -> None:
    sizes = records.read_sizes(args.sizes)
    quality = records.quality_frame(records.read_metrics(args.metrics), sizes, seed=args.seed)
    figures.save(figures.quality_against_bytes(quality), args.output / "figure1_quality_bytes")
    figures.save(figures.size_by_component(records.size_frame(sizes)), args.output / "figure2_size")
    print(f"2 figures in {args.output}")
