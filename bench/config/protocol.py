"""How one query set is evaluated: its protocol from ``config/datasets.yaml``, and what the config of a run changes in it."""

from collections.abc import Mapping
from typing import Any

from bench.config.datasets import CHOSEN, Entry, Keys, Overridable, QuerySet, check_sample, sample_deviation
from bench.errors import DataError, SettingsError

OVERRIDABLE = tuple(Overridable.model_fields)


def resolve(dataset_id: str, given: QuerySet | None, known: Mapping[str, Keys], source: str) -> Entry:
    """The entry of a query set: its protocol, and the keys that the config of a run gives.

    Of a set in the protocol a config may choose queries (``Choice``) and, under ``override``, change the keys of
    ``Overridable``; either is a deviation. A set outside it takes its counts from ir_datasets' metadata and all else from
    the config, which is a deviation too. Raises SettingsError for a missing or misplaced key and impossible values.
    """
    where = f"queries.{dataset_id} in {source}"
    plain = {} if given is None else given.given()
    overriding = plain.pop("override", None)
    override = {} if overriding is None else overriding.given()
    if dataset_id in known:
        base = known[dataset_id]
        _check_places(plain, where)
    elif override:
        raise SettingsError(
            f"{where}: {dataset_id} is not in the protocol, so that nothing can be overridden: give keys plainly"
        )
    else:
        base = {"source": {"protocol": source}, **_from_ir_datasets(dataset_id, where)}
    if "ids" in plain and "sample_seed" in plain:
        raise SettingsError(f"{where} gives ids and a sample_seed; queries named in a file are not drawn, give one of both")
    values = {"dataset": dataset_id, **base, **plain, **override}
    if missing := sorted(name for name, field in Entry.model_fields.items() if field.is_required() and name not in values):
        missing.remove("id")
        if missing:
            raise SettingsError(
                f"{dataset_id} is not in config/datasets.yaml, so {where} must also give {missing}; "
                f"see the entries there for examples"
            )
    deviations = _deviations({**plain, **override}, base) if dataset_id in known else {"protocol": f"of {source}"}
    deviations |= sample_deviation(plain, values, base)
    entry = Entry(id=dataset_id, **{**values, "deviations": deviations})
    check_sample(entry, where)
    return entry


def _check_places(plain: Mapping[str, Any], where: str) -> None:
    if misplaced := sorted(set(plain) - set(CHOSEN)):
        raise SettingsError(
            f"{where} changes {misplaced} of the protocol: they belong under `override`, which marks every row of the tables"
        )


def _deviations(given: Mapping[str, Any], base: Keys) -> dict[str, str]:
    changed = {key: value for key, value in given.items() if key in OVERRIDABLE and value != base[key]}
    return {key: f"{_shown(value)}, protocol {_shown(base[key])}" for key, value in sorted(changed.items())}


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
