"""Records of runs and sizes as data frames, every number beside its setting and its uncertainty."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.config import presets
from bench.config.presets import REFERENCE
from bench.errors import DataError
from bench.evaluation.comparison import interval
from bench.evaluation.size import COMPONENTS
from bench.files.storage import read_json
from bench.report.deviations import described
from bench.report.seeds import (
    AXES,
    BY_SEED,
    SPREAD,
    Key,
    key_of,
    made_of,
    over_seeds,
    seed_columns,
    sizes_over_seeds,
    spread,
)
from bench.report.verdicts import compared, judge

Record = Mapping[str, Any]
Row = tuple[str, str, str, str]


def read_metrics(paths: Iterable[Path]) -> list[Record]:
    """Records of runs in the order given; raises DataError where two describe the same row, or were made of other data."""
    found = _distinct([read_json(path) for path in paths], (*AXES, "seed"))
    _check_data(found)
    return found


def read_sizes(paths: Iterable[Path]) -> list[Record]:
    """Records of sizes in the order given; raises DataError where two describe the same row."""
    return _distinct([read_json(path) for path in paths], ("corpus", "model", "codec", "seed"))


def read_truncations(paths: Iterable[Path]) -> list[Record]:
    """Records of truncation in the order given; raises DataError where two describe the same row."""
    return _distinct([read_json(path) for path in paths], ("dataset", "model"))


def engine_values(settings: Mapping[str, Any]) -> str:
    """The values of an engine in one line, as tables print them; empty for an engine without any."""
    return ", ".join(f"{name}={settings[name]}" for name in presets.VALUES if name in settings)


def _distinct(records: list[Record], axes: Sequence[str]) -> list[Record]:
    rows = [tuple(record[axis] for axis in axes if axis in record) for record in records]
    if repeated := {row for row in rows if rows.count(row) > 1}:
        raise DataError(f"several records for the same row: {sorted(repeated)}")
    return records


def _check_data(metrics: Sequence[Record]) -> None:
    """Refuse rows of one data set whose passages or queries are not the same bytes."""
    first: dict[tuple[str, str], Record] = {}
    for record in metrics:
        for part in ("corpus", "queries"):
            other = first.setdefault((record["dataset"], part), record)
            if other["run"]["inputs"].get(part) != record["run"]["inputs"].get(part):
                rows = " and ".join("/".join(row_of(each)) for each in (other, record))
                raise DataError(f"{rows} were made with different {part}: they cannot stand in one table; run both again")


def quality_frame(
    metrics: Sequence[Record], sizes: Sequence[Record], *, seed: int, margins: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """One row per run, those of a model together; runs of several seeds are one row of means (``bench.report.seeds``).

    Columns: dataset, model, codec, preset, settings; headline (name), value, low, high (95 % interval over queries);
    each measure; against (model that a run of another system is paired with); the columns of a comparison named
    difference (``bench.report.verdicts``): paired with the uncompressed exact run of the same model and data set, over all
    of its vectors, within the margin of the headline (absent for that run itself and where there is none); codec_loss and
    engine_loss, the two parts of the difference; bytes_per_vector, bytes_per_passage; queries, short, tied, results;
    precision; text (template of passages); deviations; of several seeds those of ``seed_columns``.
    """
    metrics, bytes_per_vector = over_seeds(metrics), {size["index"]: size["bytes_per_vector"] for size in sizes}
    bytes_per_passage = {size["index"]: size["total"] / size["passages"] for size in sizes}
    records = {row_of(record): record for record in metrics}
    values = {row_of(record): headline_values(record) for record in metrics}
    rows = []
    for record in metrics:
        run, row = record["run"], row_of(record)
        headline = record["measures"][0]
        low, high = interval(values[row].to_numpy(), np.random.default_rng(seed))
        reference = _reference(row, record.get("against"))
        rows.append(
            {
                "dataset": row[0],
                "model": row[1],
                "codec": row[2],
                "preset": row[3],
                "settings": engine_values(run["settings"]),
                "against": record.get("against"),
                "headline": headline,
                "value": record["mean"][headline],
                "low": low,
                "high": high,
                **{name: record["mean"][name] for name in record["measures"]},
                **_losses(row, reference, values, (margins or {}).get(headline), seed),
                "bytes_per_vector": _mean_bytes(record, bytes_per_vector),
                "bytes_per_passage": _mean_bytes(record, bytes_per_passage),
                "queries": record["counts"]["judged"],
                "short": record["counts"]["short"],
                "tied": record["counts"]["tied"],
                "results": record["counts"]["results"],
                "precision": run.get("queries", {}).get("precision"),
                "text": run.get("index", {}).get("text"),
                "deviations": described(record["deviations"]),
                **seed_columns(record, headline, None if row == reference else records.get(reference)),
            }
        )
    frame = pd.DataFrame(rows)
    place = {key: number for number, key in enumerate(dict.fromkeys(zip(frame.dataset, frame.model, strict=True)))}
    order = sorted(frame.index, key=lambda row: place[frame.dataset[row], frame.model[row]])
    frame = frame.loc[order].reset_index(drop=True)
    judge(frame, "difference")
    return frame


def row_of(record: Record) -> Row:
    return record["dataset"], record["model"], record["codec"], record["preset"]


def references(metrics: Sequence[Record]) -> dict[Key, Key]:
    """Return the exhaustive search over uncompressed vectors by the same model, under the same seed, by run.

    Raise DataError for a run without such a search, or with one of other passages, queries or models.
    """
    records, found = {key_of(record): record for record in metrics}, {}
    for key, record in records.items():
        row: Key = (*key[:2], *REFERENCE)
        found[key] = reference = row if row in records else (*row, *key[4:])
        if reference not in records:
            raise DataError(f"run {_named(key)} has no run {'/'.join(REFERENCE)} of the same model to be compared with")
        for name in ("corpus", "queries", "model"):
            if record["run"]["inputs"][name] != records[reference]["run"]["inputs"][name]:
                raise DataError(f"runs {_named(key)} and {_named(reference)} were made with a different {name}")
    return found


def _named(key: Key) -> str:
    return "/".join(map(str, key))


def headline_values(record: Record) -> "pd.Series[float]":
    """Values of the headline measure by query id."""
    return pd.Series(record["per_query"][record["measures"][0]], dtype=float).sort_index()


def paired(values: "pd.Series[float]", reference: "pd.Series[float]", row: Row) -> np.ndarray:
    """Differences by query; raises DataError where the two runs do not cover the same queries."""
    if not values.index.equals(reference.index):
        raise DataError(f"run {'/'.join(row)} and the runs it is compared with cover different queries: evaluate them again")
    return (values - reference).to_numpy()


def _losses(
    row: Row, other: Row, values: Mapping[Row, "pd.Series[float]"], margin: float | None, seed: int
) -> dict[str, Any]:
    """Return the difference to the uncompressed exact run, and its two parts, split at the exact run over the same codec."""
    dataset, model, codec, preset = row
    reference = values.get(other)
    decoded = values.get((dataset, model, codec, REFERENCE[1]))
    if reference is None or (codec, preset) == REFERENCE:
        return {**compared("difference", None, margin, seed), "codec_loss": None, "engine_loss": None}
    return {
        **compared("difference", paired(values[row], reference, row), margin, seed),
        "codec_loss": None if decoded is None else float(paired(decoded, reference, row).mean()),
        "engine_loss": None if decoded is None else float(paired(values[row], decoded, row).mean()),
    }


def _reference(row: Row, against: str | None) -> Row:
    """Return the exhaustive search over uncompressed vectors of a row; against: its model, where that is another one."""
    return row[0], against or row[1], *REFERENCE


def _mean_bytes(record: Record, bytes_each: Mapping[str, float]) -> float | None:
    """Return the bytes per vector or passage of the index of a run, the mean over its seeds; None where one is not known."""
    found = [bytes_each.get(each["run"]["inputs"].get("index")) for each in made_of(record)]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if len(known) == len(found) else None


def size_frame(sizes: Sequence[Record]) -> pd.DataFrame:
    """One row per index: corpus, model, codec, passages, vectors, centroid_count; bytes by component; total and ratios;
    deviations. Indexes of several seeds are one row of means, with seeds and bytes_per_vector_spread."""
    rows = [
        {
            **{name: size[name] for name in ("corpus", "model", "codec", "passages", "vectors")},
            "centroid_count": size["centroids"],
            **{component: size["bytes"][component] for component in COMPONENTS},
            "total": size["total"],
            "bytes_per_vector": size["bytes_per_vector"],
            **{f"ratio_{name}": value for name, value in (size["ratio"] or {}).items()},
            "deviations": described(size["deviations"]),
            **_size_columns(size),
        }
        for size in sizes_over_seeds(sizes)
    ]
    return pd.DataFrame(rows)


def _size_columns(size: Record) -> dict[str, Any]:
    by_seed = size.get(BY_SEED, {})
    sizes = [each["bytes_per_vector"] for each in by_seed.values()]
    return {"seeds": " ".join(map(str, by_seed)), f"bytes_per_vector{SPREAD}": spread(sizes)} if by_seed else {}
