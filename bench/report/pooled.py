"""Rows over merged vectors, whose codecs have a pool factor in their names (``bench.config.pools``)."""

import pandas as pd

from bench.config import pools
from bench.report.table import MISSING

PER_VECTOR, PER_PASSAGE = "bytes_per_vector", "bytes_per_passage"


def any_pooled(frame: pd.DataFrame) -> bool:
    return bool((frame["codec"].map(pools.factor_of) != pools.NONE).any())


def with_pool(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame of a table: with a column pool behind codec if a row has merged vectors, else without bytes per
    passage, which then say no more than bytes per vector."""
    if not any_pooled(frame):
        return frame.drop(columns=PER_PASSAGE, errors="ignore")
    found = frame.copy()
    found.insert(frame.columns.get_loc("codec") + 1, "pool", frame["codec"].map(pools.factor_of))
    return found


def axes_cells(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the cells of the columns codec and, if a row has merged vectors, pool."""
    if not any_pooled(frame):
        return {"codec": list(frame["codec"])}
    names = [pools.split(codec) for codec in frame["codec"]]
    return {
        "codec": [codec for codec, _ in names],
        "pool": [MISSING if factor == pools.NONE else str(factor) for _, factor in names],
    }


def explained(frame: pd.DataFrame, more: str = "") -> str:
    """Return the sentences of a caption about merged vectors, with a space before them; empty for a frame without.

    more: what else the table says of them.
    """
    if not any_pooled(frame):
        return ""
    return (
        f" Pool: near vectors of a passage were merged into their means, one of so many left; {MISSING} where none were. "
        f"Bytes per vector are of the vectors that are left, so bytes per passage show what merging saves.{more}"
    )


def rate(frame: pd.DataFrame) -> tuple[str, str]:
    """Return the column of bytes that codecs are compared by, and its name on an axis: per passage with merged vectors."""
    return (PER_PASSAGE, "bytes per passage") if any_pooled(frame) else (PER_VECTOR, "bytes per vector")
