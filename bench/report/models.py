"""Table 5: models under exhaustive search over uncompressed vectors, with paired differences to a baseline."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.config.presets import REFERENCE
from bench.errors import DataError
from bench.evaluation.comparison import interval
from bench.report import verdicts
from bench.report.deviations import cells, described, note
from bench.report.records import Record, headline_values, paired, row_of
from bench.report.seeds import explained, over_seeds, seed_columns, spreads
from bench.report.table import MISSING, Table, number, with_interval


def models_frame(
    metrics: Sequence[Record], baseline: str, *, seed: int, margins: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """One row per data set and model that was searched exhaustively over uncompressed vectors, in the order given.

    Columns: dataset, model, headline (name), value, low, high (95 % interval over queries); the columns of a comparison
    named difference (``bench.report.verdicts``): paired with the baseline on the same data set, absent for the baseline
    itself; queries, deviations; of several seeds the columns of ``bench.report.seeds.seed_columns``. Raises DataError where
    the baseline lacks a data set.
    """
    wanted = [record for record in over_seeds(metrics) if row_of(record)[2:] == REFERENCE]
    records = {row_of(record): record for record in wanted}
    values = {row_of(record): headline_values(record) for record in wanted}
    rows = []
    for record in wanted:
        row = row_of(record)
        dataset, model = row[:2]
        if (reference := values.get((dataset, baseline, *REFERENCE))) is None:
            raise DataError(f"baseline {baseline!r} has no run over uncompressed vectors on {dataset}; add it to the grid")
        low, high = interval(values[row].to_numpy(), np.random.default_rng(seed))
        headline = record["measures"][0]
        other = None if model == baseline else records[dataset, baseline, *REFERENCE]
        differences = None if other is None else paired(values[row], reference, row)
        rows.append(
            {
                "dataset": dataset,
                "model": model,
                "headline": headline,
                "value": record["mean"][headline],
                "low": low,
                "high": high,
                **verdicts.compared("difference", differences, (margins or {}).get(headline), seed),
                "queries": record["counts"]["judged"],
                "deviations": described(record["deviations"]),
                **seed_columns(record, headline, other),
            }
        )
    frame = pd.DataFrame(rows)
    verdicts.judge(frame, "difference")
    return frame


def models_table(
    frame: pd.DataFrame,
    baseline: str,
    starts: Mapping[str, str],
    seen: Mapping[str, int],
    margins: Mapping[str, float] | None = None,
) -> Table:
    """Table 5. starts: what a model was trained from; seen: passages in all its steps, those of its start not counted."""
    shown = pd.DataFrame({"data set": cells(frame["dataset"], frame["deviations"]), "model": frame["model"]})
    shown["trained from"] = [starts.get(model, MISSING) for model in frame["model"]]
    shown["passages seen"] = [number(seen.get(model), 0) for model in frame["model"]]
    shown["measure"] = frame["headline"]
    parts = (frame["value"], frame["low"], frame["high"], spreads(frame, "value"))
    shown["value"] = [with_interval(*each) for each in zip(*parts, strict=True)]
    shown[f"Δ {baseline}"] = verdicts.difference_cells(frame, "difference")
    shown["verdict"] = verdicts.verdict_cells(frame, "difference")
    shown["wins / ties / losses"] = verdicts.count_cells(frame, "difference")
    counts = ", ".join(f"{name} {rows['queries'].iloc[0]}" for name, rows in frame.groupby("dataset", sort=False))
    caption = (
        f"Models under exhaustive search over uncompressed vectors. Judged queries: {counts}. Values carry their 95 % "
        f"bootstrap interval over queries; Δ is the paired difference to {baseline}, with its interval. "
        f"{verdicts.explained(margins or {})} Passages seen: in all steps of a training, repeats counted; those that "
        f"the model it was trained from has seen come on top. {MISSING} means: does not apply.{explained(frame)}"
        f"{note(frame['dataset'], frame['deviations'])}"
    )
    return Table(frame, shown, caption)
