"""Tuples of distillation in a table: what the student learned from, and how far teacher and judgements agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.config.seeds import split
from bench.errors import DataError
from bench.files.opening import open_folder
from bench.files.storage import Manifest
from bench.report.seeds import SPREAD, explained, mean, spread, spreads
from bench.report.table import MISSING, Table, number, with_spread
from bench.training import sampling, tuples

LEFT = (sampling.FALSE_EXCLUDED, sampling.FALSE_KEPT, sampling.WITHOUT_POSITIVE, sampling.SHORT)
DRAWN = ("queries", *LEFT, "above_positive", "not_best")  # numbers that the seed of a draw changes


def read_manifests(folders: Sequence[Path]) -> dict[str, Manifest]:
    """Manifests of folders of tuples by the name of the folder; raises DataError where two have the same name."""
    found: dict[str, Manifest] = {}
    for folder in folders:
        if folder.name in found:
            raise DataError(f"two of the folders of tuples are called {folder.name!r}: the table could not tell them apart")
        found[folder.name] = open_folder(folder, tuples.KIND, tuples.VERSION, "tuples")
    return found


def frame(manifests: dict[str, Manifest]) -> pd.DataFrame:
    """One row per folder; what a source does not have is absent.

    Columns: tuples (name), source, teacher, positive, sampling, queries, nway, depth, group_size (queries in each group of
    similar ones); false_positives_excluded and false_positives_kept (relevant passages besides the positive), above_positive
    (share of the other passages that the teacher gives more than the positive), not_best (share of tuples that have such a
    passage); queries_without_positive and queries_short, which were left out. Tuples of several seeds are one row of means,
    with seeds and the spread of each number that differs.
    """
    rows: dict[str, dict[int | None, dict[str, Any]]] = {}
    for folder, manifest in manifests.items():
        stem, _, suffix = folder.rpartition(".")
        name, seed = split(stem)
        name = folder if seed is None else f"{name}.{suffix}"
        rows.setdefault(name, {})[seed] = _row(name, manifest)
    return pd.DataFrame([_over_seeds(by_seed) for by_seed in rows.values()])


def _over_seeds(by_seed: dict[int | None, dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a recipe; of several seeds the means of its numbers, and the texts, which are the same."""
    found = list(by_seed.values())
    if None in by_seed:
        return found[0]
    numbers = [name for name, value in found[0].items() if isinstance(value, int | float)]
    means = {name: mean(row[name] for row in found) for name in numbers}
    spreads_of = {f"{name}{SPREAD}": spread(row[name] for row in found) for name in numbers if name in DRAWN}
    return {**found[0], **means, "seeds": " ".join(map(str, by_seed)), **spreads_of}


def _row(name: str, manifest: Manifest) -> dict[str, Any]:
    settings, counts = manifest.settings, manifest.counts
    scored_by = settings.get("teacher", {})
    queries, others = counts["queries"], counts["queries"] * (counts["nway"] - 1)
    above, unlike = counts.get(sampling.ABOVE), counts.get(sampling.NOT_BEST)
    scored = settings["scored"]
    return {
        "tuples": name,
        "source": settings["source"],
        "teacher": _teacher(scored_by),
        "positive": settings["positive"],
        "sampling": settings.get("sampling"),
        "queries": queries,
        "nway": counts["nway"],
        "depth": settings.get("depth"),
        "group_size": settings.get("group_size"),
        **{kind: counts.get(kind) for kind in LEFT},
        "above_positive": above / others if scored and above is not None else None,
        "not_best": unlike / queries if scored and unlike is not None else None,
    }


def _teacher(scored_by: Mapping[str, Any]) -> str | None:
    """Its hub id or kind, and what it was fused with."""
    network = scored_by.get("name") or scored_by.get("teacher")
    weight = scored_by.get("bm25")
    return network if weight is None else f"{network} + BM25" if weight == 1 else f"{network} + {weight:g} × BM25"


def table(found: pd.DataFrame) -> Table:
    """The frame as people read it."""
    shown = pd.DataFrame({name: [_text(value) for value in found[name]] for name in ("tuples", "source", "teacher")})
    shown["positive"] = [_text(value) for value in found["positive"]]
    shown["sampling"] = [_text(value) for value in found["sampling"]]
    titles = {
        "queries": "tuples, number",
        "nway": "passages each",
        "depth": "depth",
        "group_size": "group_size",
        sampling.FALSE_EXCLUDED: "false positives excluded",
        sampling.FALSE_KEPT: "kept",
        sampling.WITHOUT_POSITIVE: "no positive",
        sampling.SHORT: "too few passages",
    }
    for name, title in titles.items():
        shown[title] = _cells(found, name, 1, 1 if "seeds" in found and name in DRAWN else 0)
    for name, title in (("above_positive", "above positive, %"), ("not_best", "positive not best, %")):
        shown[title] = _cells(found, name, 100, 1)
    caption = (
        f"Supervision. A tuple is a query with a positive and other passages, drawn from the given depth of the student's "
        f"own ranking. Group size: a batch is made of groups of this many queries with similar vectors, 1 of queries drawn "
        f"at random. False positives are passages judged relevant that are not the positive: excluded from the draw, or "
        f"kept in it. Above positive: share of other passages that the teacher gives more than the positive; positive "
        f"not best: share of tuples with such a passage. Queries without positive, with too few passages or too few for a "
        f"last group are left out. {MISSING} means: does not apply.{explained(found, '')}"
    )
    return Table(found, shown, caption)


def _cells(found: pd.DataFrame, name: str, times: float, digits: int) -> list[str]:
    """Return numbers, so many times as large, with their spread over seeds where there are several."""
    values = zip(found[name], spreads(found, name), strict=True)
    return [
        MISSING if pd.isna(value) else with_spread(number(times * value, digits), each and times * each, digits)
        for value, each in values
    ]


def _text(value: Any) -> str:
    return MISSING if pd.isna(value) else str(value)
