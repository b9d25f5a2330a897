"""Put records of runs and sizes into the tables of quality and size, as Markdown, LaTeX, CSV and HTML."""

from typing import Annotated

from cyclopts import Parameter

from bench.report import records
from bench.report import tables as written
from bench.verbs.common import Metrics, ReportFolder, ReportSeed, Sizes, pairs

Means = Annotated[tuple[str, ...], Parameter(help="TITLE=ID,ID,... of a mean and all data sets that it is taken over.")]


def tables(*, metrics: Metrics, sizes: Sizes, means: Means = (), seed: ReportSeed, folder: ReportFolder) -> None:
    """Put records of runs and sizes into the tables of quality and size, as Markdown, LaTeX, CSV and HTML."""
    sized = records.read_sizes(sizes)
    quality = records.quality_frame(records.read_metrics(metrics), sized, seed=seed)
    groups = {title: members.split(",") for title, members in pairs("--means", means).items()}
    written.write(folder / "table1_quality", written.quality_table(quality, groups))
    written.write(folder / "table2_size", written.size_table(records.size_frame(sized)))
    print(f"{len(quality)} rows of quality, {len(sized)} of size in {folder}")
