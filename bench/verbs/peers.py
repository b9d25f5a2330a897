"""Put records of systems measured over the same vectors, ours among them, into a table and one of their ratios."""

from pathlib import Path

from bench.report import peers as measured
from bench.verbs.report import ReportFolder


def peers(*, records: list[Path], folder: ReportFolder) -> None:
    """Put records of systems measured over the same vectors, ours among them, into a table and one of their ratios.

    :param records: JSON record of every system, with its .npz beside it.
    """
    found = measured.read(records)
    frame = measured.frame(found)
    table = measured.peers_table(frame, found)
    table.write(folder / "peers")
    measured.ratios_table(measured.ratio_frame(frame)).write(folder / "peers_ratios")
    print(table.shown.to_markdown(index=False, disable_numparse=True))
