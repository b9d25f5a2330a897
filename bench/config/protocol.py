"""How one query set is evaluated: its protocol from ``config/datasets.yaml``, and what the config of a run changes in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bench.config.datasets import SCHEMA, Keys
from bench.config.settings import validate
from bench.errors import DataError, SettingsError

CHOSEN = ("sample", "sample_seed", "ids")  # which queries are kept: plain keys of a config, marked all the same
OVERRIDABLE = ("query_maxlen", "doc_maxlen", "measures", "self_match", "gains")
_OF_THE_INDEX = ("doc_maxlen", "protocol")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The protocol of one query set; ``bench/datasets.schema.yaml`` describes its keys.

    corpus: the collection that it searches; dataset, without: ir_datasets ids of its queries and judgements, and of
    queries left out; passages, queries, judgements, grades: what the data must have; sample: queries kept, by
    ``sample_seed`` or, with ``ids``, those named in that file; deviations: what differs from the protocol, by key.
    """

    id: str
    dataset: str
    corpus: str
    passages: int
    template: str
    queries: int
    judgements: int
    grades: tuple[int, ...]
    query_maxlen: int
    doc_maxlen: int
    measures: tuple[str, ...]
    gains: str
    self_match: str
    source: Mapping[str, str]
    without: str | None = None
    sample: int | None = None
    sample_seed: int | None = None
    ids: str | None = None
    deviations: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The id as a part of a path."""
        return slug(self.id)

    @property
    def corpus_name(self) -> str:
        return slug(self.corpus)

    @property
    def kept(self) -> int:
        """Queries that are searched and scored."""
        return self.sample or self.queries

    @property
    def index_deviations(self) -> Mapping[str, str]:
        """Of the marks those that concern the index, whichever queries search it."""
        return {key: mark for key, mark in self.deviations.items() if key in _OF_THE_INDEX}


def slug(dataset_id: str) -> str:
    return dataset_id.replace("/", "-")


def resolve(dataset_id: str, given: Mapping[str, Any], known: Mapping[str, Keys], source: str) -> Entry:
    """The entry of a query set: its protocol, and the keys that the config of a run gives.

    Of a set in the protocol a config may choose queries (``CHOSEN``) and, under ``override``, change the keys of
    ``OVERRIDABLE``; either marks the entry. A set outside it takes its counts from ir_datasets' metadata and all else from
    the config, and is marked as such. Raises SettingsError for a missing, unknown or misplaced key and impossible values.
    """
    where = f"queries.{dataset_id} in {source}"
    plain = {key: value for key, value in given.items() if key != "override"}
    override = given.get("override") or {}
    validate({**plain, **override}, where, SCHEMA, "keys")
    if dataset_id in known:
        base = known[dataset_id]
        _check_places(plain, override, where)
    elif override:
        raise SettingsError(
            f"{where}: {dataset_id} is not in the protocol, so that nothing can be overridden: give keys plainly"
        )
    else:
        base = {"source": {"protocol": source}, **_from_ir_datasets(dataset_id, where)}
    if "ids" in plain and "sample_seed" in plain:
        raise SettingsError(f"{where} gives ids and a sample_seed, but what is named is not drawn")
    values = {"dataset": dataset_id, **base, **plain, **override}
    missing = sorted(_required() - set(values))
    if missing:
        raise SettingsError(
            f"{dataset_id} is not in config/datasets.yaml, so {where} must also give {missing}; "
            f"see the entries there for examples"
        )
    deviations = _deviations({**plain, **override}, base) if dataset_id in known else {"protocol": f"of {source}"}
    lists = {key: tuple(values[key]) for key in ("grades", "measures")}
    entry = Entry(id=dataset_id, **{**values, **lists}, deviations={**deviations, **_sample_deviation(plain, values, base)})
    _check(entry, where)
    return entry


def _required() -> set[str]:
    optional = {"id", "without", *CHOSEN, "deviations"}
    return {field.name for field in fields(Entry)} - optional


def _check_places(plain: Mapping[str, Any], override: Mapping[str, Any], where: str) -> None:
    if misplaced := sorted(set(plain) - set(CHOSEN)):
        raise SettingsError(
            f"{where} changes {misplaced} of the protocol: they belong under `override`, which marks every row of the tables"
        )
    if fixed := sorted(set(override) - set(OVERRIDABLE)):
        raise SettingsError(f"{where} overrides {fixed}, which the data decide; what can be overridden: {list(OVERRIDABLE)}")


def _deviations(given: Mapping[str, Any], base: Keys) -> dict[str, str]:
    changed = {key: value for key, value in given.items() if key in OVERRIDABLE and value != base[key]}
    return {key: f"{_shown(value)}, protocol {_shown(base[key])}" for key, value in sorted(changed.items())}


def _sample_deviation(plain: Mapping[str, Any], values: Mapping[str, Any], base: Keys) -> dict[str, str]:
    if all(plain.get(key) == base.get(key) for key in CHOSEN if key in plain):
        return {}
    named = f"named in {Path(plain['ids']).name}" if "ids" in plain else "by seed"
    return {"sample": f"{values.get('sample')} of {values['queries']} queries, {named}"}


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def _from_ir_datasets(dataset_id: str, where: str) -> dict[str, Any]:
    from bench.corpus import registry

    try:
        counts = registry.metadata_counts(dataset_id)
        corpus = registry.docs_parent(dataset_id)
        grades, template = registry.metadata_grades(dataset_id), registry.template(corpus)
    except DataError as error:
        raise SettingsError(f"{where}: {error}") from error
    counted = {"passages": counts.get("docs"), "queries": counts.get("queries"), "judgements": counts.get("qrels")}
    found = {"corpus": corpus, "template": template, "grades": grades, **counted}
    return {key: value for key, value in found.items() if value is not None}


def _check(entry: Entry, where: str) -> None:
    if entry.ids is not None and entry.sample is None:
        raise SettingsError(f"{where} names ids in {entry.ids}, but no sample: say how many they are")
    if entry.sample_seed is not None and entry.sample is None:
        raise SettingsError(f"{where} gives a sample_seed, but no sample to draw")
    if entry.sample is not None and not 1 <= entry.sample <= entry.queries:
        raise SettingsError(f"sample {entry.sample} of {where} must lie between 1 and its {entry.queries} queries")
