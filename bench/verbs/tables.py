"""Put records of runs and sizes into the tables of quality and size, as Markdown, LaTeX, CSV and HTML."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import records, tables
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="metrics.json of every run")
    parser.add_argument("--sizes", type=Path, nargs="+", required=True, help="size.json of every index")
    described = "a mean and the data sets that it is taken over, all of them"
    parser.add_argument("--means", type=common.named, nargs="*", default=[], metavar="TITLE=ID,ID,...", help=described)
    parser.add_argument("--seed", type=int, required=True, help="seed of intervals and tests")
    common.add_output(parser, "folder of the tables")


def run(args: Namespace) -> None:
    sizes = records.read_sizes(args.sizes)
    quality = records.quality_frame(records.read_metrics(args.metrics), sizes, seed=args.seed)
    means = {title: members.split(",") for title, members in args.means}
    tables.write(args.output / "table1_quality", tables.quality_table(quality, means))
    tables.write(args.output / "table2_size", tables.size_table(records.size_frame(sizes)))
    print(f"{len(quality)} rows of quality, {len(sizes)} of size in {args.output}")
