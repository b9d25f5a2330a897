"""Put timings beside quality and size into a table, and draw quality against latency."""

from pathlib import Path

from bench.report import figures, records
from bench.report.latency import latency_frame, latency_table, read_latencies
from bench.report.latency_figure import quality_against_latency
from bench.verbs.report import Metrics, ReportFolder, Sizes


def latency_report(*, latencies: list[Path], metrics: Metrics, sizes: Sizes, folder: ReportFolder) -> None:
    """Put timings beside quality and size into a table, and draw quality against latency.

    :param latencies: latency.json of every timing; the other records are of the same runs.
    """
    latency = latency_frame(read_latencies(latencies), records.read_metrics(metrics), records.read_sizes(sizes))
    latency_table(latency).write(folder / "table3_latency")
    figures.save(quality_against_latency(latency), folder / "figure3_latency")
    print(f"{len(latency)} rows of latency in {folder}")
