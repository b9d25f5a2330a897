"""Put timings beside quality and size into a table, and draw quality against latency."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import figures, records, tables
from bench.report.latency import latency_frame, latency_table, read_latencies
from bench.report.latency_figure import quality_against_latency
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--latencies", type=Path, nargs="+", required=True, help="latency.json of every timing")
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="metrics.json of the same runs")
    parser.add_argument("--sizes", type=Path, nargs="+", required=True, help="size.json of their indexes")
    common.add_output(parser, "folder of the table and the figure")


def run(args: Namespace) -> None:
    metrics, sizes = records.read_metrics(args.metrics), records.read_sizes(args.sizes)
    latency = latency_frame(read_latencies(args.latencies), metrics, sizes)
    tables.write(args.output / "table3_latency", latency_table(latency))
    figures.save(quality_against_latency(latency), args.output / "figure3_latency")
    print(f"{len(latency)} rows of latency in {args.output}")
