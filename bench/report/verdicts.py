"""Paired comparisons as columns of a table: the difference, its tests corrected over all rows, and a verdict in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import SettingsError
from bench.evaluation.comparison import compare
from bench.evaluation.equivalence import equivalence, holm, verdict
from bench.report.seeds import spreads
from bench.report.table import MISSING, number, signed_interval

NAMES = ("", "low", "high", "p", "wins", "ties", "losses", "effect", "equivalence_low", "equivalence_high", "equivalence_p")
NEEDED = "queries_needed"
UNDECIDED = "undecided"
CAPTION = (
    "Verdicts are at the 5 % level, with p-values corrected by Holm's procedure over the rows of the table: better or worse "
    "by a two-sided randomization test"
)


def columns(name: str) -> tuple[str, ...]:
    """Return the names of the columns of one comparison, the mean difference first."""
    return (name, *(f"{name}_{part}" for part in (*NAMES[1:], NEEDED)))


def compared(name: str, differences: np.ndarray | None, margin: float | None, seed: int) -> dict[str, Any]:
    """Return the columns of one comparison from differences ``[queries]``; all None where there is nothing to compare.

    margin: the largest mean difference that does not matter, or None, without which equivalence is not tested.
    """
    if differences is None:
        return dict.fromkeys(columns(name))
    found = compare(differences, np.random.default_rng(seed))
    values = [found.mean, found.low, found.high, found.p, found.wins, found.ties, found.losses, found.effect]
    tested = equivalence(differences, margin) if margin is not None and len(differences) > 1 else None
    values += [tested.low, tested.high, tested.p, tested.queries_needed] if tested else [None] * 4
    return dict(zip(columns(name), values, strict=True))


def judge(frame: pd.DataFrame, name: str) -> None:
    """Add ``{name}_p_holm``, ``{name}_equivalence_p_holm`` and ``{name}_verdict``, corrected over all rows of the frame."""
    for kind in ("p", "equivalence_p"):
        frame[f"{name}_{kind}_holm"] = holm([_given(p) for p in frame[f"{name}_{kind}"]])
    tests = zip(frame[name], frame[f"{name}_p_holm"], frame[f"{name}_equivalence_p_holm"], strict=True)
    frame[f"{name}_verdict"] = [None if _given(p) is None else verdict(mean, p, _given(equal)) for mean, p, equal in tests]


def check_margins(margins: Mapping[str, float], headlines: Sequence[str], source: str) -> None:
    """Raise SettingsError for a margin in a measure that is the first one of no row."""
    known = sorted(set(headlines))
    if unknown := sorted(set(margins) - set(known)):
        raise SettingsError(
            f"margin of {source} names {unknown[0]!r}, which is the first measure of no query set; those are: {known}"
        )


def difference_cells(frame: pd.DataFrame, name: str) -> list[str]:
    """Return the mean difference of each row with its interval, and its spread over seeds where there are several."""
    parts = (frame[name], frame[f"{name}_low"], frame[f"{name}_high"], spreads(frame, name))
    return [signed_interval(*each) for each in zip(*parts, strict=True)]


def verdict_cells(frame: pd.DataFrame, name: str) -> list[str]:
    """Return the verdict of each row, with the queries that the margin would need where it is undecided."""
    cells = []
    for words, needed in zip(frame[f"{name}_verdict"], frame[f"{name}_{NEEDED}"], strict=True):
        if words is None or pd.isna(words):
            cells.append(MISSING)
        elif words == UNDECIDED and _given(needed) is not None:
            cells.append(f"{words} (margin needs {needed:,.0f} queries)")
        else:
            cells.append(words)
    return cells


def count_cells(frame: pd.DataFrame, name: str) -> list[str]:
    """Return the queries won, tied and lost by each row."""
    counts = zip(frame[f"{name}_wins"], frame[f"{name}_ties"], frame[f"{name}_losses"], strict=True)
    return [MISSING if _given(row[0]) is None else " / ".join(number(value, 0) for value in row) for row in counts]


def explained(margins: Mapping[str, float]) -> str:
    """Return the sentences of a caption that say how verdicts are made."""
    if not margins:
        return f"{CAPTION}. No margin was set, so no row can be called equivalent."
    named = ", ".join(f"{value:g} of {measure}" for measure, value in margins.items())
    return (
        f"{CAPTION}, equivalent by two one-sided paired t-tests within a margin set beforehand ({named}). Margin needs: "
        f"queries that would show equivalence, uncorrected, with a power of 80 % if the true difference were 0 and varied "
        f"as much as here."
    )


def _given(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value
