"""Two runs of one model beside each other, with the folders that the workflow keeps beside a run."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.config import pools
from bench.corpus.texts import Queries, open_passages, open_queries
from bench.encoder import checkpoint
from bench.encoder.inputs import Inputs
from bench.errors import DataError, SettingsError
from bench.evaluation.explanation import contributions
from bench.evaluation.runs import open_run
from bench.index.index import Index, open_index
from bench.search.queries import open_query_vectors


class Side:
    """One run, and the folders that the workflow keeps beside it.

    Raise SettingsError for a run that was not searched by token vectors, or by merged ones; DataError where the index is
    another one than it was searched in.
    """

    def __init__(self, run: Path):
        self.run = run
        self.rankings, record = open_run(run)
        if "index" not in record:
            raise SettingsError(f"{run} was not searched by token vectors: there are no tokens to explain it by")
        if (factor := pools.of(record["index"])) != pools.NONE:
            raise SettingsError(
                f"{run} was searched by merged vectors (pool {factor}), none of one token: give one of pool 1"
            )
        self.common = {name: record["inputs"][name] for name in ("corpus", "model", "queries")}
        self.encode = {
            "query_maxlen": record["queries"]["query_maxlen"],
            "doc_maxlen": record["index"]["encode"]["doc_maxlen"],
        }
        codec, name = run.parents[2], run.parent.name
        model, corpus = codec.parent, codec.parents[1]
        self.vectors, self.queries = model / "queries" / name, corpus / "queries" / name
        self.corpus, self.model = corpus / "corpus", corpus.parent / "models" / model.name
        self.index = open_index(codec / "index")
        if self.index.manifest.digest != record["inputs"]["index"]:
            raise DataError(f"{codec / 'index'} is not the index that {run} was searched in: search again")

    def ranking(self, query: str) -> Sequence[tuple[str, float]]:
        if query not in self.rankings:
            raise DataError(f"{self.run} has no results for query {query!r}; it has {len(self.rankings)} queries")
        return self.rankings[query]


@dataclass(frozen=True)
class Part:
    """The part of a query token in the score of a passage: the passage token that it matches, and the inner product, in a
    run and in the one that it is compared with.
    """

    token: str
    match: str
    value: float
    other_match: str
    other_value: float

    @property
    def change(self) -> float:
        return self.value - self.other_value


class Asked:
    """Texts, judgements, vectors and tokens of the queries and passages of a run."""

    def __init__(self, side: Side):
        self.side, self.texts = side, open_passages(side.corpus)
        self.queries: Queries = open_queries(side.queries)
        self.query_texts: Mapping[str, str] = {found.id: found.text for found in self.queries.texts}
        self._vectors = open_query_vectors(side.vectors)
        self._place = {name: number for number, name in enumerate(side.index.ids)}

    @functools.cached_property
    def _inputs(self) -> Inputs:
        return checkpoint.load(self.side.model)[0].inputs

    def query(self, query: str) -> tuple[str, dict[str, int]]:
        """Return the text of a query and the grades of its judged passages."""
        if query not in self.query_texts:
            raise DataError(f"query {query!r} is not among the {len(self.query_texts)} of {self.side.queries}")
        return self.query_texts[query], dict(self.queries.qrels.get(query, {}))

    def passage(self, passage: str) -> str:
        """Return the text of a passage."""
        (found,) = self.texts.at([self._place[passage]])
        return found.text

    def parts(self, query: str, passage: str, index: Index, other: Index) -> list[Part]:
        """Return the parts of the score of a passage in two indexes, one for each query vector.

        Raise DataError where the model folder gives other tokens than there are vectors.
        """
        rows = self._vectors.vectors[self._vectors.ids.index(query)]
        vectors, place = rows[rows.any(axis=1)], np.array([self._place[passage]])
        asked = self._inputs.names(self._inputs.queries([self.query_texts[query]], self.side.encode["query_maxlen"])[0][0])
        ids = self._inputs.passages([self.passage(passage)], self.side.encode["doc_maxlen"]).ids
        named = self._inputs.names(ids[self._inputs.kept(ids)])
        if len(asked) != len(vectors) or len(named) != int(index.doclens[place[0]]):
            raise DataError(
                f"{passage} or its query has other tokens than vectors: the model folder is not the one that encoded it"
            )
        (best, values), (others, other_values) = (
            contributions(vectors, each.vectors(each.positions(place))) for each in (index, other)
        )
        return [
            Part(token, named[best[number]], float(values[number]), named[others[number]], float(other_values[number]))
            for number, token in enumerate(asked)
        ]


def beside(run: Path, against: Path) -> tuple[Side, Side]:
    """Return both sides. Raise SettingsError for runs of different models, passages or queries."""
    one, other = Side(run), Side(against)
    if one.common != other.common:
        raise SettingsError(f"--run {run} and --against {against} are of different models, passages or queries")
    return one, other
