"""Several seeds: the records of a row become one, of means over its seeds, with each seed's own record beside them."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.errors import DataError

Record = Mapping[str, Any]
Key = tuple[str | int, ...]
OVER_QUERIES = " Intervals, tests, wins, ties and losses are over queries, whose values are averaged over seeds first."
AXES = ("dataset", "model", "codec", "preset")  # that name a row of quality
BY_SEED, SPREAD, VALUE = "by_seed", "_spread", "value_seed_"


def over_seeds(metrics: Sequence[Record]) -> list[Record]:
    """Return one record per row of quality, where the first of its records stands.

    A row of several seeds has the values of each query averaged over them, the means of these, counts averaged too, what the
    seeds share of the first record, and ``by_seed``: the record of each seed. A row without seeds is as it was. Raise
    DataError for a row that lacks a seed which another row has, or whose seeds cover different queries.
    """
    found = []
    for row, each in _grouped(metrics, AXES).items():
        records = list(each.values())
        if None in each:
            found.append(records[0])
            continue
        measures = records[0]["measures"]
        if any(record["measures"] != measures for record in records):
            raise DataError(f"the seeds of {'/'.join(row)} were evaluated in different measures: evaluate them again")
        named = "/".join(row)
        values = {name: averaged([record["per_query"][name] for record in records], named) for name in measures}
        means = {name: mean(record["mean"][name] for record in records) for name in measures}
        counts = {name: mean(record["counts"][name] for record in records) for name in records[0]["counts"]}
        found.append({**_shared(records[0]), "mean": means, "per_query": values, "counts": counts, BY_SEED: each})
    return found


def sizes_over_seeds(sizes: Sequence[Record]) -> list[Record]:
    """Return one record per index of a corpus, model and codec; of several seeds with bytes, counts and ratios averaged.

    Raise DataError for an index that lacks a seed which another has.
    """
    found = []
    for each in _grouped(sizes, ("corpus", "model", "codec")).values():
        records = list(each.values())
        if None in each:
            found.append(records[0])
            continue
        parts = ("bytes", "total", "vectors", "passages", "centroids", "bytes_per_vector", "ratio")
        means = {name: _merged([record[name] for record in records]) for name in parts}
        found.append({**_shared(records[0]), **means, BY_SEED: each})
    return found


def key_of(record: Record) -> Key:
    """Return what tells a run from all others: data set, model, codec and preset, and the seed if it has one."""
    row = tuple(record[axis] for axis in AXES)
    return row if record.get("seed") is None else (*row, record["seed"])


def made_of(record: Record) -> list[Record]:
    """Return the records that one is the mean of, one per seed; the record itself where it has no seeds."""
    return list(record[BY_SEED].values()) if BY_SEED in record else [record]


def averaged(values: Sequence[Mapping[str, float]], what: str) -> dict[str, float]:
    """Return the mean of each query over several runs; raises DataError where these cover different queries."""
    if any(set(other) != set(values[0]) for other in values):
        raise DataError(f"the seeds of {what} cover different queries: evaluate them again")
    return {query: mean(each[query] for each in values) for query in values[0]}


def spread(values: Iterable[float | None]) -> float | None:
    """Return the standard deviation over seeds (n - 1); None for fewer than two, or where one is missing."""
    found = list(values)
    numbers = [value for value in found if value is not None]
    return statistics.stdev(numbers) if len(numbers) == len(found) > 1 else None


def seed_columns(record: Record, measure: str, reference: Record | None = None) -> dict[str, Any]:
    """Return the columns that a row of several seeds has besides: seeds, value_spread, the value of each seed, the spread of
    each measure under its name with ``SPREAD`` behind it, and difference_spread, of the difference to a reference.

    A reference with the same seeds is paired seed by seed. Empty for a row without seeds.
    """
    if BY_SEED not in record:
        return {}
    by_seed: Mapping[int, Record] = record[BY_SEED]
    others = {} if reference is None else {seed: reference.get(BY_SEED, {}).get(seed, reference) for seed in by_seed}
    losses = [each["mean"][measure] - others[seed]["mean"][measure] for seed, each in by_seed.items() if others]
    return {
        "seeds": " ".join(map(str, by_seed)),
        f"value{SPREAD}": spread(each["mean"][measure] for each in by_seed.values()),
        **{f"{VALUE}{seed}": each["mean"][measure] for seed, each in by_seed.items()},
        **{f"{name}{SPREAD}": spread(each["mean"][name] for each in by_seed.values()) for name in record["measures"]},
        f"difference{SPREAD}": spread(losses),
    }


def spreads(frame: pd.DataFrame, name: str) -> list[float | None]:
    """Return the spread over seeds of a column, row by row; None in a frame without seeds."""
    return list(frame[f"{name}{SPREAD}"]) if f"{name}{SPREAD}" in frame else [None] * len(frame)


def explained(frame: pd.DataFrame, more: str = OVER_QUERIES) -> str:
    """Return the sentences of a caption about seeds, with a space before them; empty for a frame without.

    more: what else the table takes over seeds, and how.
    """
    found = [each for each in frame["seeds"] if isinstance(each, str)] if "seeds" in frame else []
    if not found:
        return ""
    named = ", ".join(found[0].split())
    return (
        f" Seeds {named}: whatever draws on a seed was trained and fitted once with each of them, and its numbers are means "
        f"over seeds ± their standard deviation.{more} A row without ± draws on no seed."
    )


def _grouped(records: Sequence[Record], axes: Sequence[str]) -> dict[tuple[str, ...], dict[int | None, Record]]:
    found: dict[tuple[str, ...], dict[int | None, Record]] = {}
    for record in records:
        found.setdefault(tuple(record[axis] for axis in axes), {})[record.get("seed")] = record
    several = [set(each) for each in found.values() if None not in each]
    wanted = sorted({seed for each in several for seed in each if seed is not None})
    for row, each in found.items():
        if None in each and len(each) > 1:
            raise DataError(f"{'/'.join(row)} has records with a seed and without: leave one kind out")
        if None not in each and (missing := [seed for seed in wanted if seed not in each]):
            raise DataError(f"{'/'.join(row)} lacks the seeds {missing}, which other rows have: run them too")
    return found


def _shared(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "seed"}


def _merged(values: Sequence[Any]) -> Any:
    """Return the mean of numbers, or of each of named numbers; None where there are none."""
    if values[0] is None:
        return None
    if isinstance(values[0], Mapping):
        return {name: mean(value[name] for value in values) for name in values[0]}
    return mean(values)


def mean(values: Iterable[float]) -> float:
    """Return the mean; equal values as they are, so that counts stay whole."""
    found = list(values)
    return found[0] if len(set(found)) == 1 else statistics.fmean(found)
