"""Draw quality against bytes per vector, and size by component, as PDF and PNG."""

from bench.report import figures as drawn
from bench.report import records
from bench.verbs.report import Metrics, ReportFolder, ReportSeed, Sizes


def figures(*, metrics: Metrics, sizes: Sizes, seed: ReportSeed, folder: ReportFolder) -> None:
    """Draw quality against bytes per vector, and size by component, as PDF and PNG."""
    sized = records.read_sizes(sizes)
    quality = records.quality_frame(records.read_metrics(metrics), sized, seed=seed)
    drawn.save(drawn.quality_against_bytes(quality), folder / "figure1_quality_bytes")
    drawn.save(drawn.size_by_component(records.size_frame(sized)), folder / "figure2_size")
    print(f"2 figures in {folder}")
