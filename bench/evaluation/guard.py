"""The protocol as a guard: what must hold of a run before a number of it is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from bench.errors import DataError, SettingsError
from bench.evaluation.runs import Rankings
from bench.files.storage import Manifest


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the protocol, or an override of it, says of a query set.

    passages, queries, judgements: counts of the data; kept: queries that are searched; query_maxlen, doc_maxlen: tokens;
    gains: binary or graded; self_match: none, removed or absent.
    """

    passages: int
    queries: int
    judgements: int
    kept: int
    query_maxlen: int
    doc_maxlen: int
    gains: str
    self_match: str


def parse(given: Sequence[tuple[str, str]]) -> Rules:
    """Rules from names and values as text; raises SettingsError for a missing, unknown or misspelled one."""
    names = sorted(field.name for field in fields(Rules))
    if sorted(name for name, _ in given) != names:
        raise SettingsError(
            f"--protocol of the command line gives {[name for name, _ in given]}, it needs each of {names} once"
        )
    counted = {field.name for field in fields(Rules) if field.type is int}
    values: dict[str, Any] = dict(given)
    try:
        return Rules(**{**values, **{name: int(values[name]) for name in counted}})
    except ValueError as error:
        raise SettingsError(f"--protocol of the command line: {error}") from error


def check(rules: Rules, run: Rankings, record: Mapping[str, Any], queries: Manifest, depth: int) -> None:
    """Refuse a run that breaks the protocol.

    record: the run's own; queries: of its query folder; depth: that it is scored at. Raises DataError with every rule
    that is broken.
    """
    if broken := [*_counts(rules, record, queries), *_lengths(rules, record), *_ranking(rules, run, record, depth)]:
        raise DataError("the run breaks the protocol: " + "; ".join(broken))


def _counts(rules: Rules, record: Mapping[str, Any], queries: Manifest) -> Iterator[str]:
    searched = record.get("index", record.get("corpus", {})).get("counts", {}).get("passages")
    found = {
        "passages": searched,
        "queries": queries.settings.get("queries"),
        "judgements": queries.settings.get("judgements"),
        "kept": queries.counts["queries"],
    }
    for name, count in found.items():
        if count != getattr(rules, name):
            what = "queries searched" if name == "kept" else name
            yield f"{count} {what}, it must be {getattr(rules, name)}"


def _lengths(rules: Rules, record: Mapping[str, Any]) -> Iterator[str]:
    """BM25 reads whole texts, and has neither index nor query vectors."""
    if "index" not in record:
        return
    found = {"doc_maxlen": record["index"]["encode"]["doc_maxlen"], "query_maxlen": record["queries"]["query_maxlen"]}
    for name, length in found.items():
        if length != getattr(rules, name):
            yield f"{name} {length}, it must be {getattr(rules, name)} unless the config overrides it"


def _ranking(rules: Rules, run: Rankings, record: Mapping[str, Any], depth: int) -> Iterator[str]:
    if record["settings"]["depth"] < depth:
        yield f"a run of depth {record['settings']['depth']}, too shallow to be scored at {depth}"
    if record["settings"]["self_match"] != rules.self_match:
        yield f"self_match {record['settings']['self_match']}, it must be {rules.self_match}"
    left = [query for query, ranking in run.items() if any(passage == query for passage, _ in ranking)]
    if rules.self_match != "none" and left:
        yield f"{len(left)} queries with themselves among their results, such as {left[:3]}"
