"""Sampling of n-way tuples from scored pairs (arXiv 2112.01488, section 3.2): a positive and other mined passages.

ColBERTv2 samples from the top 500 of the student's search, and the teacher determines the best passage. Each query has its
own random stream, so the number of shards does not change the tuples.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from bench.config.settings import Count, Natural
from bench.config.training import TupleRecipe
from bench.errors import SettingsError
from bench.training.scores import QueryPairs
from bench.training.tuples import Row

FALSE_EXCLUDED = "false_positives_excluded"
FALSE_KEPT = "false_positives_kept"
WITHOUT_POSITIVE = "queries_without_positive"
SHORT = "queries_short"
UNGROUPED = "queries_ungrouped"
ABOVE = "above_positive"
NOT_BEST = "positives_not_best"


class Drawing(TupleRecipe):
    """Settings for sampling tuples from one mining run."""

    depth: Count
    """Rank of the mined ranking down to which passages are drawn."""
    seed: Natural
    """Seed of the uniform sampling."""


def check(drawing: Drawing, mined_depth: int) -> None:
    """Raise SettingsError if ``depth`` exceeds the mined depth or ``nway`` exceeds ``depth``."""
    if drawing.depth > mined_depth:
        raise SettingsError(f"depth {drawing.depth} does not lie between 1 and the mined depth {mined_depth}; mine deeper")
    if drawing.nway > drawing.depth:
        raise SettingsError(
            f"nway {drawing.nway} does not lie between 2 and the depth {drawing.depth} of the passages drawn from"
        )


def draw(queries: Iterable[QueryPairs], ids: Sequence[str], drawing: Drawing, tally: Counter[str]) -> Iterator[Row]:
    """Yield a tuple for each query that has a positive and enough other passages.

    ids: passage ids by position; tally: counter of the relevant mined passages that are not the positive (false positives,
    excluded or kept as negatives), of queries without positive, and of queries with too few other passages.
    """
    tally.update(dict.fromkeys((FALSE_EXCLUDED, FALSE_KEPT, WITHOUT_POSITIVE, SHORT), 0))
    for number, pairs in enumerate(queries):
        positive = find_positive(pairs, drawing)
        if positive is None:
            tally[WITHOUT_POSITIVE] += 1
            continue
        others = np.arange(min(pairs.found, drawing.depth))
        others = others[others != positive]
        false = pairs.relevant[others]
        if drawing.positive == "labelled":
            others = others[~false]
        if len(others) < drawing.nway - 1:
            tally[SHORT] += 1
            continue
        if drawing.sampling == "uniform":
            others = np.random.default_rng([drawing.seed, number]).permutation(others)
        chosen = np.concatenate([[positive], others[: drawing.nway - 1]])
        tally[FALSE_EXCLUDED] += int(false.sum()) if drawing.positive == "labelled" else 0
        tally[FALSE_KEPT] += int(pairs.relevant[chosen[1:]].sum())
        passages = [ids[position] for position in pairs.passages[chosen].tolist()]
        yield Row(pairs.query, passages, pairs.scores[chosen].tolist())


def find_positive(pairs: QueryPairs, drawing: Drawing) -> int | None:
    """Return the index of a query's positive pair, or None; the first of equal scores is used, in the student's order."""
    if drawing.positive == "labelled":
        allowed = np.flatnonzero(pairs.relevant)
    else:
        allowed = np.arange(min(pairs.found, drawing.depth))
    return int(allowed[np.argmax(pairs.scores[allowed])]) if len(allowed) else None


def counted(rows: Iterable[Row], tally: Counter[str]) -> Iterator[Row]:
    """Yield the same rows. Count passages that the teacher scores above the positive, and tuples with such a passage."""
    tally.update({ABOVE: 0, NOT_BEST: 0})
    for row in rows:
        first, *others = row.scores or [0.0]
        above = sum(score > first for score in others)
        tally[ABOVE] += above
        tally[NOT_BEST] += above > 0
        yield row
