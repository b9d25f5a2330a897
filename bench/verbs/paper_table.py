"""Put one table of the paper, as it is laid out there, beside measured numbers, with a verdict in each cell."""

from pathlib import Path

from bench.config.paper_tables import PAPER_TABLES
from bench.config.yaml import nearest
from bench.errors import SettingsError
from bench.report import paper, published
from bench.report.latency import read_latencies
from bench.report.records import read_metrics, read_sizes
from bench.verbs.report import ReportFolder


def paper_table(
    table: str,
    /,
    *,
    numbers: Path,
    metrics: tuple[Path, ...] = (),
    sizes: tuple[Path, ...] = (),
    latencies: tuple[Path, ...] = (),
    folder: ReportFolder,
) -> None:
    """Put one table of the paper, as it is laid out there, beside measured numbers, with a verdict in each cell.

    :param table: Name of the table, such as table4 or sizes.
    :param numbers: CSV file of printed numbers, such as results/published.csv.
    :param metrics: metrics.json of runs over the data sets of the table; a cell without one says: not run.
    :param sizes: size.json of indexes.
    :param latencies: latency.json of timings; the metrics are of the same runs.
    """
    if table not in PAPER_TABLES:
        known = ", ".join(PAPER_TABLES)
        raise SettingsError(f"{table!r} of the command line is no table{nearest(table, PAPER_TABLES)}; they are {known}")
    layout, runs = PAPER_TABLES[table], read_metrics(metrics)
    paper.check_datasets(layout, runs)
    measured = published.Measured(runs, read_sizes(sizes), read_latencies(latencies))
    found = published.judged(paper.placed(published.read(numbers), layout), measured)
    paper.paper_table(found, layout).write(folder / table)
    print(f"{table}: {published.counted(found)}, in {folder}")
