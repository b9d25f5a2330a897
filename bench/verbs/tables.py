"""Put records of runs and sizes into the tables of quality and size, as Markdown, LaTeX, CSV and HTML."""

from typing import Annotated

from cyclopts import Parameter

from bench.report import quality, records
from bench.report.verdicts import check_margins
from bench.verbs.common import pairs
from bench.verbs.report import Margin, Metrics, ReportFolder, ReportSeed, Sizes, margins

Means = Annotated[tuple[str, ...], Parameter(help="TITLE=ID,ID,... of a mean and all data sets that it is taken over.")]


def tables(
    *,
    metrics: Metrics,
    sizes: Sizes,
    means: Means = (),
    margin: Margin = (),
    seed: ReportSeed,
    folder: ReportFolder,
) -> None:
    """Put records of runs and sizes into the tables of quality and size, as Markdown, LaTeX, CSV and HTML."""
    sized, allowed = records.read_sizes(sizes), margins(margin)
    frame = records.quality_frame(records.read_metrics(metrics), sized, seed=seed, margins=allowed)
    check_margins(allowed, list(frame["headline"]), "the command line")
    groups = {title: members.split(",") for title, members in pairs("--means", means).items()}
    quality.quality_table(frame, groups, allowed).write(folder / "table1_quality")
    quality.size_table(records.size_frame(sized)).write(folder / "table2_size")
    print(f"{len(frame)} rows of quality, {len(sized)} of size in {folder}")
