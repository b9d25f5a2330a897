"""Runs against judgements: quality, and paired comparison."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.config.datasets import Gains
from bench.config.measures import measure as parsed
from bench.errors import DataError
from bench.evaluation import quality
from bench.evaluation.comparison import Difference
from bench.evaluation.comparison import compare as paired
from bench.evaluation.equivalence import Equivalence, Verdict, equivalence, verdict
from bench.evaluation.runs import read_run

Run = Mapping[str, Mapping[str, float]] | str | os.PathLike[str]
Qrels = Mapping[str, Mapping[str, int]] | str | os.PathLike[str]


@dataclass(frozen=True, repr=False)
class Quality(quality.Quality):
    """mean by measure; per_query values by measure and query id; counts of queries and of tied results."""

    def __repr__(self) -> str:
        judged = self.counts["judged"]
        return "\n".join([*(f"{name} {value:.4f}" for name, value in self.mean.items()), f"{judged} judged queries"])

    def _repr_html_(self) -> str:
        return str(pd.DataFrame({"mean": self.mean}).to_html(float_format="{:.4f}".format))


@dataclass(frozen=True)
class Comparison(Difference):
    """Run a less run b by one measure, paired by query; equivalence: None without a margin."""

    measure: str
    equivalence: Equivalence | None
    verdict: Verdict


def evaluate(
    run: Run, qrels: Qrels, measures: Sequence[str], *, depth: int | None = None, gains: Gains = "graded"
) -> Quality:
    """Score a run against judgements by measures in the texts of ir_measures, such as ``nDCG@10``.

    run: ``{query id: {passage id: score}}`` or a file in TREC format; qrels: ``{query id: {passage id: grade}}`` or a file;
    depth: results that count, the deepest cutoff if absent. A judged query that the run lacks counts as 0, and ties are
    broken by passage id. Raises SettingsError for a measure that cannot be computed.
    """
    rankings = _rankings(run)
    cutoffs = [parsed(name, "evaluate").params.get("cutoff", 0) for name in measures]
    found = quality.evaluate(rankings, _judgements(qrels), measures, depth or max(cutoffs, default=1), gains)
    return Quality(found.mean, found.per_query, found.counts)


def compare(run_a: Run, run_b: Run, qrels: Qrels, measure: str, *, margin: float | None = None, seed: int = 0) -> Comparison:
    """Compare run a with run b by one measure, paired by judged query.

    margin: the largest difference that does not matter, set beforehand; with it the verdict may be *equivalent*. seed: of
    the bootstrap and of the randomization test. Raises SettingsError for a margin or a measure that cannot be, DataError
    for runs without a judged query between them.
    """
    judged = _judgements(qrels)
    a, b = (evaluate(run, judged, [measure]).per_query[measure] for run in (run_a, run_b))
    if not a:
        raise DataError("there is no judged query to compare the runs by; give the judgements of their queries")
    differences = np.array([a[query] - b[query] for query in sorted(a)])
    tested = None if margin is None else equivalence(differences, margin)
    found = paired(differences, np.random.default_rng(seed))
    words = verdict(found.mean, found.p, tested.p if tested else None)
    return Comparison(**vars(found), measure=measure, equivalence=tested, verdict=words)


def _rankings(run: Run) -> dict[str, list[tuple[str, float]]]:
    if isinstance(run, Mapping):
        return {query: list(scores.items()) for query, scores in run.items()}
    return read_run(Path(run))


def _judgements(qrels: Qrels) -> Mapping[str, Mapping[str, int]]:
    if isinstance(qrels, Mapping):
        return qrels
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(Path(qrels).read_text(encoding="utf-8").splitlines(), start=1):
        try:
            query, _, passage, grade = line.split()
            found.setdefault(query, {})[passage] = int(grade)
        except ValueError as error:
            raise DataError(f"{qrels}:{number}: {line!r} is not QUERY 0 PASSAGE GRADE of a TREC qrels file") from error
    return found
