"""How much of one ranking is in another: the effect of compression or of an engine, without judgements."""

from collections.abc import Sequence

from bench.errors import DataError
from bench.evaluation.runs import Rankings


def overlap(run: Rankings, reference: Rankings, depth: int) -> dict[str, float]:
    """By query, the share of the reference's best ``depth`` passages that are among the run's best ``depth``.

    Both rankings must stand in order. A query that the run lacks has 0. Raises DataError for a query of the run that the
    reference lacks, and where a ranking of the reference is shorter than ``depth``.
    """
    _check_strangers(run, reference)
    shares = {}
    for query, wanted in reference.items():
        if len(wanted) < depth:
            raise DataError(f"the reference ranks {len(wanted)} passages for query {query!r}: no overlap at {depth}")
        best = {passage for passage, _ in wanted[:depth]}
        shares[query] = sum(passage in best for passage, _ in run.get(query, ())[:depth]) / depth
    return shares


def rank_biased_overlap(run: Rankings, reference: Rankings, p: float = 0.9) -> dict[str, float]:
    """By query, the extrapolated rank-biased overlap of two rankings (Webber et al., TOIS 2010, equation 32).

    p: the share of readers who go on from each rank to the next; at 0.9 the first 10 ranks have 86 % of the weight. 1 for
    equal rankings, 0 for rankings without a common passage, and for a query that the run lacks. Both rankings must stand in
    order. Raises DataError for a query of the run that the reference lacks.
    """
    _check_strangers(run, reference)
    return {query: _extrapolated(run.get(query, ()), wanted, p) for query, wanted in reference.items()}


def _extrapolated(one: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]], p: float) -> float:
    short, long = sorted((one, other), key=len)
    if not short:
        return 0.0
    seen: set[str] = set()
    common, at_short, total = 0, 0, 0.0
    for depth in range(1, len(long) + 1):
        found = {passage for ranking in (short, long) for passage, _ in ranking[depth - 1 : depth]}
        common += len(found & seen) + (depth <= len(short) and len(found) == 1)
        seen |= found
        if depth <= len(short):
            at_short = common
        agreement = (common + at_short * max(0, depth - len(short)) / len(short)) / depth
        total += agreement * p**depth
    tail = (common - at_short) / len(long) + at_short / len(short)
    return (1 - p) / p * total + tail * p ** len(long)


def _check_strangers(run: Rankings, reference: Rankings) -> None:
    if strangers := sorted(set(run) - set(reference)):
        raise DataError(f"query {strangers[0]!r} is in the run but not in the reference ({len(strangers)} are not)")
