"""Rankings in the order of score, descending, and then of passage id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import DataError

if TYPE_CHECKING:
    from bench.config.datasets import SelfMatch


@dataclass(frozen=True)
class Ranking:
    """Passages found for one query, the best first: positions ``[found]`` in the index and scores ``[found]`` float32."""

    passages: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.passages)


def select(passages: np.ndarray, scores: np.ndarray, k: int, id_rank: np.ndarray) -> np.ndarray:
    """Return ascending positions of the k best of the given passages, by score, then passage id; all if there are fewer."""
    if len(scores) <= k:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    kept = scores > least
    ties = np.flatnonzero(scores == least)
    kept[ties[np.argsort(id_rank[passages[ties]])[: k - np.count_nonzero(kept)]]] = True
    return np.flatnonzero(kept)


def top(passages: np.ndarray, scores: np.ndarray, k: int, id_rank: np.ndarray) -> Ranking:
    """Return the k best of the given passages, or all if there are fewer; equal scores are in the order of passage ids."""
    kept = select(passages, scores, k, id_rank)
    passages, scores = passages[kept], scores[kept]
    order = np.lexsort((id_rank[passages], -scores))
    return Ranking(passages[order], scores[order])


def check_self_match(self_match: "SelfMatch", queries: Iterable[str], ids: Iterable[str]) -> None:
    """Raise DataError if a passage has the id of a query, where the protocol excludes this."""
    if self_match == "absent" and (both := sorted(set(queries).intersection(ids))):
        raise DataError(
            f"{len(both)} queries have the id of a passage, such as {both[:3]}, where the protocol expects none: another "
            f"version of the data, or self_match is removed"
        )


def results(
    ranking: Ranking, ids: Sequence[str], query: str, depth: int, self_match: "SelfMatch"
) -> tuple[list[tuple[str, float]], int]:
    """Return ids and scores of the first ``depth`` results, and the number of self-matches dropped before the cut-off."""
    found = [(ids[passage], float(score)) for passage, score in zip(ranking.passages, ranking.scores, strict=True)]
    kept = [item for item in found if self_match != "removed" or item[0] != query]
    return kept[:depth], len(found) - len(kept)
