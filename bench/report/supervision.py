"""Tuples of distillation in a table: what the student learned from, and how far teacher and judgements agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import DataError
from bench.files.storage import Manifest, open_folder
from bench.report.table import MISSING, Table, number
from bench.training import sampling, tuples


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
    passage); queries_without_positive and queries_short, which were left out.
    """
    return pd.DataFrame([_row(name, manifest) for name, manifest in manifests.items()])


def _row(name: str, manifest: Manifest) -> dict[str, Any]:
    settings, counts = manifest.settings, manifest.counts
    scored_by = settings.get("teacher", {})
    queries, others = counts["queries"], counts["queries"] * (counts["nway"] - 1)
    above, unlike = counts.get(sampling.ABOVE), counts.get(sampling.NOT_BEST)
    left = (sampling.FALSE_EXCLUDED, sampling.FALSE_KEPT, sampling.WITHOUT_POSITIVE, sampling.SHORT)
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
        **{kind: counts.get(kind) for kind in left},
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
        shown[title] = [number(value, 0) for value in found[name]]
    for name, title in (("above_positive", "above positive, %"), ("not_best", "positive not best, %")):
        shown[title] = [MISSING if pd.isna(value) else number(100 * value, 1) for value in found[name]]
    caption = (
        f"Supervision. A tuple is a query with a positive and other passages, drawn from the given depth of the student's "
        f"own ranking. Group size: a batch is made of groups of this many queries with similar vectors, 1 of queries drawn "
        f"at random. False positives are passages judged relevant that are not the positive: excluded from the draw, or "
        f"kept in it. Above positive: share of other passages that the teacher gives more than the positive; positive "
        f"not best: share of tuples with such a passage. Queries without positive, with too few passages or too few for a "
        f"last group are left out. {MISSING} means: does not apply."
    )
    return Table(found, shown, caption)


def _text(value: Any) -> str:
    return MISSING if pd.isna(value) else str(value)
