"""Put codecs beside each other into a table and a figure: bytes, quality, and overlap with uncompressed vectors."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.errors import SettingsError
from bench.evaluation.runs import read_run
from bench.report import codecs, codecs_figure, figures, records, tables
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="metrics.json of runs over token vectors")
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="run.trec.gz of each, in the same order")
    parser.add_argument("--sizes", type=Path, nargs="+", required=True, help="size.json of every index")
    parser.add_argument("--depths", type=int, nargs="+", required=True, help="of the overlap, the one to draw last")
    described = "a codec, and the one that it is compared with"
    parser.add_argument("--against", type=common.named, nargs="*", default=[], metavar="CODEC=CODEC", help=described)
    parser.add_argument("--seed", type=int, required=True, help="seed of intervals and tests")
    common.add_output(parser, "folder of the table and the figure")


def run(args: Namespace) -> None:
    metrics = records.read_metrics(args.metrics)
    if len(metrics) != len(args.runs):
        raise SettingsError(f"--runs gives {len(args.runs)} runs for {len(metrics)} records of quality: give one for each")
    runs = {records.row_of(record): read_run(path) for record, path in zip(metrics, args.runs, strict=True)}
    shares = codecs.overlaps(metrics, runs, args.depths)
    frame = codecs.codecs_frame(metrics, records.read_sizes(args.sizes), shares, dict(args.against), seed=args.seed)
    tables.write(args.output / "table7_codecs", codecs.codecs_table(frame))
    figures.save(codecs_figure.quality_against_rate(frame), args.output / "figure5_codecs")
    print(f"{len(frame)} rows of codecs in {args.output}")
