"""Put the tables, figures and per-query values of a benchmark into one HTML file that opens on the answer."""

from pathlib import Path

from bench.config.plan import load
from bench.files.storage import write_text
from bench.report import page as html
from bench.report.latency import read_latencies
from bench.verbs.report import Metrics


def page(
    config: Path,
    /,
    *,
    metrics: Metrics,
    items: list[str],
    queries: list[Path],
    latencies: tuple[Path, ...] = (),
    benchmarks: Path,
    rules: Path,
    output: Path,
) -> None:
    """Put the tables, figures and per-query values of a benchmark into one HTML file that opens on the answer.

    :param config: Config file.
    :param items: Names of tables and figures beside the output, without suffix, such as table1_quality.
    :param queries: Query folders, whose texts stand beside the values.
    :param latencies: latency.json of every timed run.
    :param benchmarks: Folder of the times of jobs.
    :param rules: Graph of the rules of the workflow, in DOT.
    :param output: The page; tables and figures are read from its folder.
    """
    sources = html.Sources(
        results=output.parent,
        items=items,
        metrics=metrics,
        latencies=read_latencies(latencies),
        queries=queries,
        benchmarks=benchmarks,
        rules=rules,
    )
    write_text(output, html.page(load(config), sources))
    print(f"{len(items)} tables and figures of {len(metrics)} runs in {output}")
