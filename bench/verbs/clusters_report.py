"""Put records of clusters into the tables of appendix A, and draw Figure 2 of the paper."""

from pathlib import Path

from bench.report import clusters, figures
from bench.verbs.report import ReportFolder


def clusters_report(*, records: list[Path], folder: ReportFolder) -> None:
    """Put records of clusters into the tables of appendix A, and draw Figure 2 of the paper.

    :param records: clusters.json of every corpus and model.
    """
    found = clusters.read_clusters(records)
    figures.save(clusters.figure(found), folder / "figure2")
    clusters.distribution_table(found).write(folder / "figure2")
    clusters.clusters_table(found).write(folder / "clusters")
    clusters.tokens_table(found).write(folder / "tokens")
    print(f"clusters of {len(found)} sets of vectors in {folder}")
