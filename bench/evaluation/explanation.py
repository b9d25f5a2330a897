"""What changed between two rankings of one query: passages that moved, and query tokens whose part of the score changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import DataError


@dataclass(frozen=True)
class Move:
    """A passage among the first results of either ranking; ranks from 1, rank and score None where it was not found."""

    passage: str
    rank: int | None
    other_rank: int | None
    score: float | None
    other_score: float | None

    @property
    def distance(self) -> float:
        """Return how far the passage moved; a passage that only one of the rankings has moved farther than any other."""
        if self.rank is None or self.other_rank is None:
            return float("inf")
        return abs(self.rank - self.other_rank)

    @property
    def fall(self) -> float:
        """Return how many ranks lower the passage stands than in the other ranking; infinite where one lacks it."""
        if self.rank is None or self.other_rank is None:
            return float("inf") if self.rank is None else float("-inf")
        return self.rank - self.other_rank


def moves(ranking: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]], depth: int) -> list[Move]:
    """Return the passages among the first ``depth`` of either ranking, the one that moved farthest first."""
    places = [{passage: (rank, score) for rank, (passage, score) in enumerate(run, start=1)} for run in (ranking, other)]
    shown = dict.fromkeys(passage for run in (ranking, other) for passage, _ in run[:depth])
    found = []
    for passage in shown:
        (rank, score), (other_rank, other_score) = (place.get(passage, (None, None)) for place in places)
        found.append(Move(passage, rank, other_rank, score, other_score))
    return sorted(found, key=lambda move: -move.distance)


def moved(ranking: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]], passages: Collection[str]) -> list[Move]:
    """Return those of some passages that do not have the same rank in both rankings, the one that fell farthest first."""
    found = moves(ranking, other, max(len(ranking), len(other)))
    return sorted((move for move in found if move.passage in passages and move.distance), key=lambda move: -move.fall)


def worst_queries(values: Mapping[str, float], reference: Mapping[str, float], most: int) -> list[str]:
    """Return the queries whose values by query are below those of the reference, at most ``most``, the largest loss first.

    Equal losses stand in the order of query ids. Raise DataError where the two cover different queries.
    """
    if values.keys() != reference.keys():
        raise DataError(f"the runs cover different queries, {len(values)} and {len(reference)}: evaluate both again")
    losses = {query: reference[query] - value for query, value in values.items()}
    return sorted((query for query, loss in losses.items() if loss > 0), key=lambda query: (-losses[query], query))[:most]


def contributions(query: np.ndarray, passage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of the score of equation 1 (arXiv 2112.01488), one for each query vector.

    query ``[query vectors, dim]``, passage ``[vectors, dim]``: positions ``[query vectors]`` of the passage vectors with the
    largest inner products, the first of equals, and these products ``[query vectors]``, whose sum is the score.
    """
    products = query @ passage.T
    best = products.argmax(axis=1)
    return best, products[np.arange(len(query)), best]
