"""N-way tuples drawn from scored pairs (arXiv 2112.01488, section 3.2): a positive, and others of the mined passages.

ColBERTv2 samples from the top 500 of the student's search, and its teacher says which of them is best. Each query has a
random stream of its own, so the number of shards changes no tuple.
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
    """How tuples are drawn from one mining."""

    depth: Count
    """Rank of the mined ranking down to which passages are drawn."""
    seed: Natural
    """Seed of the uniform sampling."""


def check(drawing: Drawing, mined_depth: int) -> None:
    """Raise SettingsError for values that cannot be."""
    if drawing.depth > mined_depth:
        raise SettingsError(f"depth {drawing.depth} does not lie between 1 and the mined depth {mined_depth}; mine deeper")
    if drawing.nway > drawing.depth:
        raise SettingsError(
            f"nway {drawing.nway} does not lie between 2 and the depth {drawing.depth} of the passages drawn from"
        )


def draw(queries: Iterable[QueryPairs], ids: Sequence[str], drawing: Drawing, tally: Counter[str]) -> Iterator[Row]:
    """A tuple for each query that has a positive and enough other passages, ids of passages by position.

    tally: counts on the way relevant passages of the mined ranking that were not the positive (false positives, excluded
    or kept as negatives), queries without positive, and queries with too few other passages.
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
    """Which of a query's pairs is the positive; of equal scores the first one counts, as the student ranks them."""
    if drawing.positive == "labelled":
        allowed = np.flatnonzero(pairs.relevant)
    else:
        allowed = np.arange(min(pairs.found, drawing.depth))
    return int(allowed[np.argmax(pairs.scores[allowed])]) if len(allowed) else None


def counted(rows: Iterable[Row], tally: Counter[str]) -> Iterator[Row]:
    """The same rows; tally counts passages that the teacher gives more than the positive, and tuples that have one."""
    tally.update({ABOVE: 0, NOT_BEST: 0})
    for row in rows:
        first, *others = row.scores or [0.0]
        above = sum(score > first for score in others)
        tally[ABOVE] += above
        tally[NOT_BEST] += above > 0
        yield row
