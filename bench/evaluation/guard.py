"""The conditions of the protocol that a run must meet before a number is computed from it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.config import pools
from bench.config.datasets import Gains, SelfMatch
from bench.config.own_runs import EXTERNAL
from bench.config.settings import Count, Settings, explained
from bench.errors import DataError, SettingsError
from bench.evaluation.runs import Rankings
from bench.files.storage import Manifest

LEXICAL = ("bm25", "text")  # how the tables name the model and the codec of BM25


class Rules(Settings):
    """The conditions for a query set, from the protocol or from the overrides of a config."""

    passages: Count
    """Passages of the collection."""
    queries: Count
    """Queries of the set."""
    judgements: Count
    """Judgements of the set."""
    kept: Count
    """Queries that are searched."""
    query_maxlen: Count
    """Tokens of a query."""
    doc_maxlen: Count
    """Tokens of a passage."""
    gains: Gains
    """Gain of a relevant passage."""
    self_match: SelfMatch
    """A result with the query's own id."""


def parse(given: Mapping[str, str]) -> Rules:
    """Return rules from names and values as text. Raise SettingsError for a missing, unknown or misspelled rule."""
    try:
        return Rules.model_validate(given)
    except ValidationError as error:
        raise SettingsError(explained(error, "--protocol of the command line")) from error


def check_names(run: Path, record: Mapping[str, Any], model: str, codec: str) -> None:
    """Refuse names of model and codec that contradict the record of a run, unless it was made by hand."""
    if "digest" not in record:
        return
    engine = record["settings"]["engine"]
    external = engine == EXTERNAL
    searched = EXTERNAL if external else _codec(record["index"]) if "index" in record else LEXICAL[1]
    if searched != codec or (not external and ("index" not in record) != (model == LEXICAL[0])):
        raise SettingsError(
            f"--model {model} --codec {codec} of the command line: {run} was searched by {engine} over {searched}"
        )


def _codec(index: Mapping[str, Any]) -> str:
    return pools.named(index["codec"], pools.of(index))


def check(rules: Rules, run: Rankings, record: Mapping[str, Any], queries: Manifest, depth: int) -> None:
    """Refuse a run that breaks the protocol.

    record: the record of the run; queries: the manifest of its query folder; depth: the depth of the evaluation. Raise
    DataError that lists every broken rule.
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
    """Check the maximum lengths. BM25 reads whole texts and has neither an index nor query vectors."""
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
