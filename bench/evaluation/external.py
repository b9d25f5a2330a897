"""Runs of other systems: three formats, and what is held against queries and passages before a number is computed."""

import itertools
import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.config.datasets import SelfMatch
from bench.corpus.own import lines
from bench.corpus.texts import check_id
from bench.errors import DataError
from bench.evaluation.runs import Rankings, Run

Result = tuple[str, str, str, int | None, float]  # place, query, passage, rank where the file has one, score


def read(path: Path) -> Run:
    """Return rankings by query id, in the order of score and then of passage id.

    A file is JSON of ranx by its name (``{query: {passage: score}}``), else in TREC format (six fields) or TSV of MS MARCO
    (query, passage and rank, which gives the score). Raise DataError, with file and line, for a broken line, a score that is
    no finite number, a passage ranked twice, and ranks that contradict scores.
    """
    found: dict[str, dict[str, tuple[int | None, float]]] = {}
    for place, query, passage, rank, score in _json(path) if ".json" in path.suffixes[-2:] else _lines(path):
        if not math.isfinite(score):
            raise DataError(f"{place}: score {score} of passage {passage!r} for query {query!r} is not finite")
        ranking = found.setdefault(query, {})
        if passage in ranking:
            raise DataError(f"{place}: ranks passage {passage!r} twice for query {query!r}")
        ranking[passage] = rank, score
    return {query: _ordered(path, query, ranking) for query, ranking in found.items()}


def _ordered(path: Path, query: str, ranking: dict[str, tuple[int | None, float]]) -> list[tuple[str, float]]:
    ordered = sorted(ranking.items(), key=lambda item: (-item[1][1], item[0]))
    for (better, (first, high)), (worse, (second, low)) in itertools.pairwise(ordered):
        if first is not None and second is not None and high > low and first > second:
            raise DataError(
                f"{path}: ranks {worse!r} before {better!r} for query {query!r}, but scores {low:g} and {high:g}: a higher "
                f"score must mean a better result"
            )
    return [(passage, score) for passage, (_, score) in ordered]


def _lines(path: Path) -> Iterator[Result]:
    _, first = next(lines.lines(path))
    tab = "\t" if "\t" in first else None
    fields = len(first.split(tab))
    for number, line in lines.lines(path):
        place, cells = f"{path}:{number}", line.split(tab)
        if len(cells) != fields or fields not in (3, 6):
            raise DataError(
                f"{place}: {len(cells)} fields, expected QUERY Q0 PASSAGE RANK SCORE TAG of TREC on every line, or on every "
                f"line QUERY, PASSAGE and RANK of MS MARCO"
            )
        query, passage = cells[0], cells[2 if fields == 6 else 1]
        for name in (query, passage):
            check_id(name, set(), place)
        rank = _whole(cells[3 if fields == 6 else 2], place)
        yield place, query, passage, rank, _number(cells[4], place) if fields == 6 else -float(rank)


def _json(path: Path) -> Iterator[Result]:
    with lines.readable(path), lines.stream(path) as opened:
        data = opened.read()
    try:
        queries = json.loads(data, object_pairs_hook=lambda pairs: pairs)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error})") from error
    for query, ranking in _pairs(queries, path, "the run"):
        check_id(query, set(), str(path))
        for passage, score in _pairs(ranking, path, f"query {query!r}"):
            check_id(passage, set(), str(path))
            if isinstance(score, bool) or not isinstance(score, int | float):
                raise DataError(f"{path}: score {score!r} of passage {passage!r} for query {query!r} is not a number")
            yield str(path), query, passage, None, float(score)


def _pairs(value: Any, path: Path, what: str) -> list[tuple[str, Any]]:
    """Return the pairs of a JSON object that is not empty and has no key twice."""
    if not isinstance(value, list) or not value or not all(isinstance(pair, tuple) for pair in value):
        raise DataError(f"{path}: {what} is no mapping, or an empty one; expected {{query: {{passage: score}}}} as of ranx")
    keys = [key for key, _ in value]
    if len(set(keys)) != len(keys):
        raise DataError(f"{path}: {what} has the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return value


def _whole(text: str, place: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise DataError(f"{place}: rank {text!r} is not a whole number") from error


def _number(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"{place}: score {text!r} is not a number") from error


def taken(
    run: Rankings,
    source: Path,
    *,
    queries: Collection[str],
    sampled: bool,
    passages: Iterable[str],
    depth: int,
    self_match: SelfMatch,
) -> tuple[Run, dict[str, int]]:
    """Return the run as the protocol has it, cut at ``depth``, and counts.

    sampled: whether ``queries`` are a part of their set, so that others in the run are left out. Counts: queries,
    self_matches removed before the cut, left_out. Raise DataError for queries and passages that are unknown.
    """
    strange = sorted(set(run) - set(queries))
    if strange and not (sampled and len(strange) < len(run)):
        raise DataError(f"{source}: has {len(strange)} queries that the query set lacks, such as {strange[:3]}")
    kept = {query: ranking for query, ranking in run.items() if query in queries}
    unknown = {passage for ranking in kept.values() for passage, _ in ranking}
    unknown.difference_update(passage for passage in passages if passage in unknown)
    if unknown:
        raise DataError(
            f"{source}: ranks {len(unknown)} passages that the collection lacks, such as {sorted(unknown)[:3]}: it is a run "
            f"over another collection"
        )
    found = {query: _cut(ranking, query, depth, self_match) for query, ranking in kept.items()}
    removed = sum(query in dict(ranking) for query, ranking in kept.items()) if self_match == "removed" else 0
    return found, {"queries": len(found), "self_matches": removed, "left_out": len(strange)}


def _cut(ranking: Sequence[tuple[str, float]], query: str, depth: int, self_match: SelfMatch) -> list[tuple[str, float]]:
    return [item for item in ranking if self_match != "removed" or item[0] != query][:depth]


def depth_of(run: Rankings, given: int | None, source: Path) -> int:
    """Return the depth that a system was asked for, which is that of its longest ranking if it is not given.

    Raise DataError for a ranking longer than the given depth.
    """
    longest = max(map(len, run.values()))
    if given is not None and longest > given:
        raise DataError(f"{source}: a ranking of {longest} results, but the depth is said to be {given}")
    return longest if given is None else given
