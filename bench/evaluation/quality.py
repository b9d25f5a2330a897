"""Quality of a run: ir_measures under the protocol's rules.

Ties are broken once, by score and then passage id, and the measures see strictly decreasing scores; a judged query
that is missing from the run counts as 0; a measure deeper than the run is refused.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ir_measures

from bench.config.datasets import Gains
from bench.config.measures import check_depth, measure
from bench.errors import DataError
from bench.evaluation.runs import Rankings

GAINS: Mapping[str, Callable[[int], int]] = {
    "graded": lambda grade: max(grade, 0),
    "binary": lambda grade: int(grade > 0),
}
Qrels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Quality:
    """Mean and per_query values by measure; counts of queries and of results with tied scores."""

    mean: dict[str, float]
    per_query: dict[str, dict[str, float]]
    counts: dict[str, int]


def evaluate(run: Rankings, qrels: Qrels, measures: Sequence[str], depth: int, gains: Gains = "graded") -> Quality:
    """Score a run, cut at ``depth``, against judgements ``{query: {passage: grade}}``.

    gains: "graded", a relevant passage gains its grade, or "binary", it gains 1; a grade below 1 gains nothing in either.
    Means are over all judged queries. Counts: judged, in_run, scored (both), short (fewer than ``depth`` results),
    unjudged (in the run only), results, tied (results whose score another result of the same query has). Raise DataError
    where no query is judged.
    """
    check_depth(measures, depth, "this evaluation")
    if not qrels:
        raise DataError("there is no judged query: a mean over none is no number; give the judgements of these queries")
    ranked = {query: _ranked(ranking, depth) for query, ranking in sorted(run.items()) if query in qrels}
    parsed = {name: measure(name, "this evaluation") for name in measures}
    gain = GAINS[gains]
    judged = {query: {p: gain(grade) for p, grade in judged.items()} for query, judged in sorted(qrels.items())}
    per_query = {name: dict.fromkeys(judged, 0.0) for name in measures}
    names = {value: name for name, value in parsed.items()}
    if ranked:
        for value in ir_measures.iter_calc(list(parsed.values()), judged, ranked):
            per_query[names[value.measure]][value.query_id] = float(value.value)
    return Quality(
        mean={name: sum(values.values()) / len(values) for name, values in per_query.items()},
        per_query=per_query,
        counts={
            "judged": len(judged),
            "in_run": len(run),
            "scored": len(ranked),
            "short": sum(len(run.get(query, ())) < depth for query in judged),
            "unjudged": len(set(run) - set(judged)),
            "results": sum(min(len(ranking), depth) for ranking in run.values()),
            "tied": sum(_tied(ranking[:depth]) for ranking in run.values()),
        },
    )


def _ranked(ranking: Sequence[tuple[str, float]], depth: int) -> dict[str, float]:
    """Return strictly decreasing scores in the order of score, descending, and passage id."""
    ordered = sorted(ranking, key=lambda item: (-item[1], item[0]))[:depth]
    return {passage: float(depth - position) for position, (passage, _) in enumerate(ordered)}


def _tied(ranking: Sequence[tuple[str, float]]) -> int:
    return sum(times for times in Counter(score for _, score in ranking).values() if times > 1)
