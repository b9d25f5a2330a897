"""Table 6: truncation by maximum lengths, short rankings and tied scores."""

from collections.abc import Sequence

import pandas as pd

from bench.report.deviations import cells, described, note
from bench.report.records import Record
from bench.report.table import MISSING, Table, number

_SHARES = (("passages", "passages"), ("vectors", "vectors"), ("relevant", "relevant passages"), ("queries", "queries"))


def protocol_frame(truncations: Sequence[Record], metrics: Sequence[Record]) -> pd.DataFrame:
    """One row per data set and model, those without a record of truncation (BM25 reads whole texts) last.

    Columns: dataset, model, text (template), query_maxlen, doc_maxlen; counts of passages, vectors, relevant passages and
    queries, and of each how many were cut; relevant_absent (judged relevant, not in the collection); over all runs of the
    model: most queries with a short ranking, self-matches removed from a run, lowest and highest share of results that are
    tied; deviations.
    """
    cut = {(found["dataset"], found["model"]): _cut(found) for found in truncations}
    runs: dict[tuple[str, str], list[Record]] = {axes: [] for axes in cut}
    for record in metrics:
        runs.setdefault((record["dataset"], record["model"]), []).append(record)
    rows = [
        {"dataset": dataset, "model": model, **cut.get((dataset, model), {}), **_lacks(found)}
        for (dataset, model), found in runs.items()
    ]
    return pd.DataFrame(rows, columns=list(dict.fromkeys(name for row in rows for name in row)))


def _cut(truncation: Record) -> dict[str, object]:
    lengths = {name: truncation[name] for name in ("query_maxlen", "doc_maxlen")}
    return {"text": truncation["template"], **lengths, **truncation["counts"]}


def _lacks(runs: Sequence[Record]) -> dict[str, object]:
    tied = [record["counts"]["tied"] / record["counts"]["results"] for record in runs if record["counts"]["results"]]
    return {
        "short": max((record["counts"]["short"] for record in runs), default=None),
        "self_matches": max((record["run"]["counts"]["self_matches"] for record in runs), default=None),
        "tied_low": min(tied, default=None),
        "tied_high": max(tied, default=None),
        "deviations": described(runs[0]["deviations"]) if runs else "",
    }


def protocol_table(frame: pd.DataFrame) -> Table:
    """Return Table 6: what is truncated, short and tied."""
    shown = pd.DataFrame({"data set": cells(frame["dataset"], frame["deviations"]), "model": frame["model"]})
    shown["passage text"] = frame["text"].fillna(MISSING)
    shown["tokens of a query"] = [number(length, 0) for length in frame["query_maxlen"]]
    shown["of a passage"] = [number(length, 0) for length in frame["doc_maxlen"]]
    for name, title in _SHARES:
        shown[f"{title} cut, %"] = [_percent(cut, of) for cut, of in zip(frame[f"{name}_cut"], frame[name], strict=True)]
    shown["relevant, absent"] = [number(value, 0) for value in frame["relevant_absent"]]
    shown["short rankings"] = [number(value, 0) for value in frame["short"]]
    shown["self-matches removed"] = [number(value, 0) for value in frame["self_matches"]]
    shown["tied, %"] = [_range(low, high) for low, high in zip(frame["tied_low"], frame["tied_high"], strict=True)]
    caption = (
        f"Protocol. Cut: longer than the tokens of a query or of a passage, markers included; of vectors, those that "
        f"passages would have beyond that. Relevant passages are those of the judged queries; absent ones "
        f"are not in the collection. Short rankings: queries with fewer results than asked for, in the run that has most. "
        f"Tied: results whose score another result of the query has, in the run with fewest and in the one with most; they "
        f"are ranked by passage id. {MISSING} means: nothing was counted.{note(frame['dataset'], frame['deviations'])}"
    )
    return Table(frame, shown, caption)


def _percent(part: float, whole: float) -> str:
    return number(100 * part / whole, 2) if whole and not pd.isna(whole) else MISSING


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None or pd.isna(low):
        return MISSING
    texts = dict.fromkeys((number(100 * low, 2), number(100 * high, 2)))
    return " to ".join(texts)
