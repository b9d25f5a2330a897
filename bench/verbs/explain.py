"""Explain what changed between two runs for one query: passages that moved, and the tokens that made them move."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.config.settings import Count
from bench.evaluation.explanation import Move, moves
from bench.verbs.common import prepare_torch
from bench.verbs.sides import Asked, Part, beside

MISSING = "-"
TEXT = 160


def explain(*, run: Path, against: Path, query: str, depth: Count = 10, passages: Count = 2) -> None:
    """Explain what changed between two runs for one query: passages that moved, and the tokens that made them move.

    :param run: run.trec.gz where the workflow wrote it, in build/corpus/model/codec/preset/queries.
    :param against: Another one, by the same model for the same queries.
    :param query: Id of the query.
    :param depth: First results of both runs that are shown.
    :param passages: Passages that are shown token by token, those that moved farthest.
    """
    one, other = beside(run, against)
    prepare_torch(threads=1)
    asked = Asked(one)
    text, grades = asked.query(query)
    found = moves(one.ranking(query), other.ranking(query), depth)
    print(f"{query}: {text}\n")
    print(_table([_moved(move, grades) for move in found]))
    for move in found[:passages]:
        excerpt = " ".join(asked.passage(move.passage).split())[:TEXT]
        print(f"\n{move.passage}: {excerpt}\n")
        print(_table(_token_rows(asked.parts(query, move.passage, one.index, other.index))))


def _moved(move: Move, grades: dict[str, int]) -> dict[str, str]:
    values = {"run": move.rank, "against": move.other_rank, "score": move.score, "score against": move.other_score}
    shown = {
        name: MISSING if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        for name, value in values.items()
    }
    return {"passage": move.passage, "grade": str(grades.get(move.passage, MISSING)), **shown}


def _token_rows(parts: Sequence[Part]) -> list[dict[str, str]]:
    """Return a row for each query token, the one whose part of the score changed most first, and a row for the score."""
    rows = [
        _row(part.token, f"{part.match} {part.value:.3f}", f"{part.other_match} {part.other_value:.3f}", part.change)
        for part in sorted(parts, key=lambda part: -abs(part.change))
    ]
    value, other = sum(part.value for part in parts), sum(part.other_value for part in parts)
    return [*rows, _row("score", f"{value:.3f}", f"{other:.3f}", value - other)]


def _row(token: str, run: str, against: str, change: float) -> dict[str, str]:
    return {"query token": token, "run": run, "against": against, "change": f"{change:+.3f}"}


def _table(rows: Sequence[dict[str, str]]) -> str:
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
