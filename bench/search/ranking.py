"""Rankings, and the one tie rule: score descending, then passage id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.config.datasets import SelfMatch
from bench.errors import DataError


@dataclass(frozen=True)
class Ranking:
    """The passages found for one query, best first: positions in the index ``[found]`` and scores ``[found]`` float32."""

    passages: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.passages)


def select(passages: np.ndarray, scores: np.ndarray, k: int, id_rank: np.ndarray) -> np.ndarray:
    """Ascending positions of the k best of the given passages (all where there are fewer), by score, then passage id."""
    if len(scores) <= k:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    kept = scores > least
    ties = np.flatnonzero(scores == least)
    kept[ties[np.argsort(id_rank[passages[ties]])[: k - np.count_nonzero(kept)]]] = True
    return np.flatnonzero(kept)


def top(passages: np.ndarray, scores: np.ndarray, k: int, id_rank: np.ndarray) -> Ranking:
    """The k best of the given passages (fewer where there are fewer), equal scores in the order of passage ids."""
    kept = select(passages, scores, k, id_rank)
    passages, scores = passages[kept], scores[kept]
    order = np.lexsort((id_rank[passages], -scores))
    return Ranking(passages[order], scores[order])


def check_self_match(self_match: SelfMatch, queries: Iterable[str], ids: Iterable[str]) -> None:
    """Raise DataError where no passage may have the id of a query, and one has."""
    if self_match == "absent" and (both := sorted(set(queries).intersection(ids))):
        raise DataError(
            f"{len(both)} queries have the id of a passage, such as {both[:3]}, where the protocol expects none: another "
            f"version of the data, or self_match is removed"
        )


def results(
    ranking: Ranking, ids: Sequence[str], query: str, depth: int, self_match: SelfMatch
) -> tuple[list[tuple[str, float]], int]:
    """Passage ids and scores of the first ``depth`` results, and how many self-matches were dropped before the cut."""
    found = [(ids[passage], float(score)) for passage, score in zip(ranking.passages, ranking.scores, strict=True)]
    kept = [item for item in found if self_match != "removed" or item[0] != query]
    return kept[:depth], len(found) - len(kept)
