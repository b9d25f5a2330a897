"""Training triples: a query, its relevant passage and hard negatives, as positions in one corpus and query set."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import DamagedFileError, DataError
from bench.files.storage import write_text
from bench.search.ranking import Ranking


@dataclass(frozen=True)
class Triple:
    """Positions of the query among the queries, and of passages in the corpus."""

    query: int
    positive: int
    negatives: tuple[int, ...]


def sample_queries(judged: int, count: int, seed: int) -> np.ndarray:
    """Positions of ``count`` training queries among ``judged``: every one once, in random order, before any comes again.

    Fewer are the first of more. Models that are compared should be trained on the same draw: two of 1,920 docstrings moved
    the RR@10 of one recipe by 0.011, more than what recipes differ by.
    """
    if judged == 0:
        raise DataError("the training set has no query with a relevant passage")
    rounds, rng = -(-count // judged), np.random.default_rng(seed)
    return np.concatenate([rng.permutation(judged) for _ in range(rounds)])[:count]


def draw_negatives(
    rankings: Sequence[Ranking], relevant: Sequence[set[int]], count: int, passages: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """``count`` negatives per query from its ranking, never a relevant passage; from the whole corpus where it is short."""
    drawn = []
    for ranking, excluded in zip(rankings, relevant, strict=True):
        pool = [passage for passage in ranking.passages.tolist() if passage not in excluded]
        if len(pool) < count:
            if passages < count + len(excluded):
                raise DataError(f"a corpus of {passages} passages is too small for {count} negatives per query")
            others = (int(passage) for passage in rng.permutation(passages))
            pool += [passage for passage in others if passage not in excluded and passage not in pool][: count - len(pool)]
        drawn.append(tuple(int(passage) for passage in rng.choice(pool, count, replace=False)) if count else ())
    return drawn


def write_triples(path: Path, triples: Sequence[Triple], inputs: Mapping[str, str]) -> None:
    """One JSON line of where the triples come from, then ``[query, positive, negative, ...]`` a line."""
    rows = [json.dumps(dict(inputs)), *(json.dumps([t.query, t.positive, *t.negatives]) for t in triples)]
    write_text(path, "\n".join(rows) + "\n")


def read_triples(path: Path) -> tuple[list[Triple], dict[str, str]]:
    """Triples and digests of their corpus and queries; raises DamagedFileError for a ragged or broken file."""
    try:
        inputs, *rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        triples = [Triple(query, positive, tuple(negatives)) for query, positive, *negatives in rows]
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing") from error
    except (ValueError, TypeError) as error:
        raise DamagedFileError(f"{path} is not a file of triples: {error}") from error
    if len({len(triple.negatives) for triple in triples}) != 1:
        raise DamagedFileError(f"{path} is empty or has rows of different widths")
    return triples, inputs
