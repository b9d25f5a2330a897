"""Put codecs beside each other into a table and a figure: bytes, quality, and overlap with uncompressed vectors."""

from typing import Annotated

from cyclopts import Parameter

from bench.config.settings import Count
from bench.report import codecs, codecs_figure, figures, records
from bench.verbs.common import pairs
from bench.verbs.report import Margin, Metrics, ReportFolder, ReportSeed, Runs, Sizes, margins, rankings

Against = Annotated[tuple[str, ...], Parameter(help="CODEC=CODEC of a codec, and the one that it is compared with.")]


def codecs_report(
    *,
    metrics: Metrics,
    runs: Runs,
    sizes: Sizes,
    depths: list[Count],
    against: Against = (),
    margin: Margin = (),
    seed: ReportSeed,
    folder: ReportFolder,
) -> None:
    """Put codecs beside each other into a table and a figure: bytes, quality, and overlap with uncompressed vectors.

    :param depths: Depths of the overlap, the one to draw last.
    """
    quality = records.read_metrics(metrics)
    shares = codecs.overlaps(quality, rankings(quality, runs), depths)
    compared, allowed = pairs("--against", against), margins(margin)
    frame = codecs.codecs_frame(quality, records.read_sizes(sizes), shares, compared, seed=seed, margins=allowed)
    codecs.codecs_table(frame, allowed).write(folder / "table7_codecs")
    figures.save(codecs_figure.quality_against_rate(frame), folder / "figure5_codecs")
    print(f"{len(frame)} rows of codecs in {folder}")
