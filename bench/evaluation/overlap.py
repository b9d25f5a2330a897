"""The share of one ranking that is in another: the effect of compression or of an engine, without judgements."""

from bench.errors import DataError
from bench.evaluation.runs import Rankings


def overlap(run: Rankings, reference: Rankings, depth: int) -> dict[str, float]:
    """By query, the share of the reference's best ``depth`` passages that are among the run's best ``depth``.

    Both rankings must stand in order. A query that the run lacks has 0. Raises DataError for a query of the run that the
    reference lacks, and where a ranking of the reference is shorter than ``depth``.
    """
    if strangers := sorted(set(run) - set(reference)):
        raise DataError(f"query {strangers[0]!r} is in the run but not in the reference ({len(strangers)} are not)")
    shares = {}
    for query, wanted in reference.items():
        if len(wanted) < depth:
            raise DataError(f"the reference ranks {len(wanted)} passages for query {query!r}: no overlap at {depth}")
        best = {passage for passage, _ in wanted[:depth]}
        shares[query] = sum(passage in best for passage, _ in run.get(query, ())[:depth]) / depth
    return shares
