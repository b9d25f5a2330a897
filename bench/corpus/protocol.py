"""The evaluation protocol as data: one entry per query set, from ``config/datasets.yaml`` and the config of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bench.errors import SettingsError

SELF_MATCH = ("none", "removed")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """How one query set is evaluated.

    id, corpus: ir_datasets ids of the query set and of the collection that it searches;
    passages, queries: counts that the data must have; sample: queries kept, by seed (null: all);
    query_maxlen, doc_maxlen: tokens, markers included; measures: ir_measures texts, the headline first;
    self_match: "removed" where a query may be a passage of the collection itself (same id).
    """

    id: str
    corpus: str
    passages: int
    queries: int
    query_maxlen: int
    doc_maxlen: int
    measures: tuple[str, ...]
    self_match: str
    sample: int | None = None
    source: str = "config"

    @property
    def name(self) -> str:
        """The id as a part of a path."""
        return slug(self.id)

    @property
    def corpus_name(self) -> str:
        return slug(self.corpus)


def slug(dataset_id: str) -> str:
    return dataset_id.replace("/", "-")


def resolve(dataset_id: str, overrides: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], source: str) -> Entry:
    """The entry of a query set: its protocol, changed by the config of the run.

    An id outside the protocol works too: its counts come from ir_datasets' metadata, everything else must stand in the
    config. Raises SettingsError for a missing or an unknown key, and for values that cannot be.
    """
    where = f"queries.{dataset_id} in {source}"
    names = {field.name for field in fields(Entry)}
    values: dict[str, Any] = {**known.get(dataset_id, {}), **overrides}
    if dataset_id not in known:
        values = {**_from_ir_datasets(dataset_id, where), **values}
    unknown = sorted(set(values) - (names - {"id"}))
    if unknown:
        raise SettingsError(f"{where} has the unknown keys {unknown}; known: {sorted(names - {'id'})}")
    required = {field.name for field in fields(Entry)} - {"id", "sample", "source"}
    missing = sorted(required - set(values))
    if missing:
        raise SettingsError(
            f"{dataset_id} is not in config/datasets.yaml, so {where} must also give {missing}; "
            f"see the entries there for examples"
        )
    _check_types(values, where)
    entry = Entry(id=dataset_id, **{**values, "measures": tuple(values["measures"])})
    _check(entry, where)
    return entry


def _from_ir_datasets(dataset_id: str, where: str) -> dict[str, Any]:
    from bench.corpus import registry
    from bench.errors import DataError

    try:
        counts = registry.metadata_counts(dataset_id)
        corpus = registry.docs_parent(dataset_id)
    except DataError as error:
        raise SettingsError(f"{where}: {error}") from error
    found = {"corpus": corpus, "passages": counts.get("docs"), "queries": counts.get("queries")}
    return {key: value for key, value in found.items() if value is not None}


_COUNTS = ("passages", "queries", "query_maxlen", "doc_maxlen", "sample")


def _check_types(values: Mapping[str, Any], where: str) -> None:
    for name, value in values.items():
        if name == "sample" and value is None:
            continue
        if name in _COUNTS and (not isinstance(value, int) or isinstance(value, bool)):
            raise SettingsError(f"{name} {value!r} of {where} must be a whole number")
        if name == "measures" and not (isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)):
            raise SettingsError(f"measures {value!r} of {where} must be a list of ir_measures texts, such as [RR@10]")
        if name in ("corpus", "source", "self_match") and not isinstance(value, str):
            raise SettingsError(f"{name} {value!r} of {where} must be a text")


def _check(entry: Entry, where: str) -> None:
    if entry.self_match not in SELF_MATCH:
        raise SettingsError(f"self_match {entry.self_match!r} of {where} is not one of {list(SELF_MATCH)}")
    if not entry.measures:
        raise SettingsError(f"{where} names no measure")
    for name, least in (("passages", 1), ("queries", 1), ("query_maxlen", 4), ("doc_maxlen", 4)):
        if getattr(entry, name) < least:
            raise SettingsError(f"{name} {getattr(entry, name)} of {where} must be at least {least}")
    if entry.sample is not None and not 1 <= entry.sample <= entry.queries:
        raise SettingsError(f"sample {entry.sample} of {where} must lie between 1 and its {entry.queries} queries")
