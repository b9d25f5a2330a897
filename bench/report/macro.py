"""Means over groups of data sets, each data set with the same weight, and only for complete groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.errors import DataError
from bench.report.seeds import SPREAD, VALUE, spread

SYSTEM = ["model", "codec", "preset", "settings"]


@dataclass(frozen=True)
class Macro:
    """rows: one per group and system with results on all members, with the columns of a quality frame; missing: reasons."""

    rows: pd.DataFrame
    missing: list[str]


def macro(quality: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> Macro:
    """Means over the data sets of each group, by its title, for every system of a quality frame.

    A system that lacks a member, or has another headline there, gets no row, and ``missing`` names what is absent.
    """
    rows, missing = [], []
    for title, members in groups.items():
        for system, found in quality[quality["dataset"].isin(members)].groupby(SYSTEM, sort=False, dropna=False):
            try:
                rows.append({**dict(zip(SYSTEM, system, strict=True)), **_row(title, members, found)})
            except DataError as error:
                missing.append(f"{title}, {' / '.join(filter(None, system[:3]))}: {error}")
    return Macro(pd.DataFrame(rows, columns=quality.columns), missing)


def measures(quality: pd.DataFrame) -> list[str]:
    """Return the columns of a quality frame that are measures."""
    return [name for name in quality.columns if "@" in name and not name.endswith(SPREAD)]


def _row(title: str, members: Sequence[str], found: pd.DataFrame) -> dict[str, object]:
    if absent := [member for member in members if member not in set(found["dataset"])]:
        raise DataError(f"missing {', '.join(absent)}")
    if len(headlines := list(dict.fromkeys(found["headline"]))) > 1:
        raise DataError(f"headlines differ: {', '.join(headlines)}")
    seeds = [name for name in found.columns if str(name).startswith(VALUE) and found[name].notna().all()]
    by_seed = {name: found[name].mean() for name in seeds}
    own = {"seeds": found["seeds"].iloc[0], **by_seed} if seeds else {}
    own |= {f"{name}{SPREAD}": spread(by_seed.values()) for name in ("value", headlines[0])} if seeds else {}
    return {
        "dataset": title,
        "headline": headlines[0],
        **{name: found[name].mean() for name in ("value", *(name for name in measures(found) if found[name].notna().all()))},
        **own,
        **{
            name: found[name].mean() if found[name].notna().all() else None
            for name in ("difference", "codec_loss", "engine_loss")
        },
        **{name: found[name].sum() for name in ("queries", "short", "tied", "results")},
        "deviations": "; ".join(f"{row.dataset}: {row.deviations}" for row in found.itertuples() if row.deviations),
    }
