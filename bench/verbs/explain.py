"""Explain what changed between two runs for one query: passages that moved, and the tokens that made them move."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.config.settings import Count
from bench.corpus.texts import Passages, open_passages, open_queries
from bench.encoder import checkpoint
from bench.encoder.inputs import Inputs
from bench.errors import DataError, SettingsError
from bench.evaluation.explanation import Move, contributions, moves
from bench.evaluation.runs import read_run
from bench.files.storage import read_json
from bench.index.index import Index, open_index
from bench.search.queries import open_query_vectors
from bench.verbs.common import prepare_torch

MISSING = "-"
TEXT = 160


def explain(*, run: Path, against: Path, query: str, depth: Count = 10, passages: Count = 2) -> None:
    """Explain what changed between two runs for one query: passages that moved, and the tokens that made them move.

    :param run: run.trec.gz where the workflow wrote it, in build/corpus/model/codec/preset/queries.
    :param against: Another one, by the same model for the same queries.
    :param query: Id of the query.
    :param depth: First results of both runs that are shown.
    :param passages: Passages that are shown token by token, those that moved farthest.
    """
    one, other = _Side(run), _Side(against)
    if one.common != other.common:
        raise SettingsError(f"--run {run} and --against {against} are of different models, passages or queries")
    prepare_torch(threads=1)
    text, grades, vectors = one.asked(query)
    found = moves(one.ranking(query), other.ranking(query), depth)
    print(f"{query}: {text}\n")
    print(_table([_moved(move, grades) for move in found]))
    encoder, _ = checkpoint.load(one.model)
    tokens = _Tokens(encoder.inputs, one)
    for move in found[:passages]:
        excerpt = " ".join(tokens.passages[move.passage].split())[:TEXT]
        print(f"\n{move.passage}: {excerpt}\n")
        print(_table(_token_rows(text, vectors, tokens, move.passage, one.index, other.index)))


class _Side:
    """One run, and the folders that the workflow keeps beside it."""

    def __init__(self, run: Path):
        self.run, record = run, read_json(run.with_name("run.json"))
        if "index" not in record:
            raise SettingsError(f"{run} was not searched by token vectors: there are no tokens to explain it by")
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
        rankings = read_run(self.run)
        if query not in rankings:
            raise DataError(f"{self.run} has no results for query {query!r}; it has {len(rankings)} queries")
        return rankings[query]

    def asked(self, query: str) -> tuple[str, dict[str, int], np.ndarray]:
        """Return text, grades of judged passages, and vectors ``[query vectors, dim]`` of a query."""
        asked, encoded = open_queries(self.queries), open_query_vectors(self.vectors)
        texts = {found.id: found.text for found in asked.texts}
        if query not in texts:
            raise DataError(f"query {query!r} is not among the {len(texts)} of {self.queries}")
        rows = encoded.vectors[encoded.ids.index(query)]
        return texts[query], dict(asked.qrels.get(query, {})), rows[rows.any(axis=1)]


@dataclass
class _Tokens:
    """Tokens of the vectors of queries and passages."""

    inputs: Inputs
    side: _Side

    def __post_init__(self) -> None:
        self.place = {name: number for number, name in enumerate(self.side.index.ids)}
        self.passages = _Texts(open_passages(self.side.corpus), self.place)

    def of_query(self, text: str) -> list[str]:
        ids, _ = self.inputs.queries([text], self.side.encode["query_maxlen"])
        return self._named(ids[0])

    def of_passage(self, passage: str) -> list[str]:
        ids = np.array(self.inputs.passages([self.passages[passage]], self.side.encode["doc_maxlen"])[0])
        return self._named(ids[self.inputs.kept(ids)])

    def _named(self, ids: np.ndarray) -> list[str]:
        return [str(token) for token in self.inputs.tokenizer.convert_ids_to_tokens(ids.tolist())]


@dataclass
class _Texts:
    """Texts of passages by id."""

    corpus: Passages
    place: dict[str, int]

    def __getitem__(self, passage: str) -> str:
        (found,) = self.corpus.at([self.place[passage]])
        return found.text


def _moved(move: Move, grades: dict[str, int]) -> dict[str, str]:
    values = {"run": move.rank, "against": move.other_rank, "score": move.score, "score against": move.other_score}
    shown = {
        name: MISSING if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        for name, value in values.items()
    }
    return {"passage": move.passage, "grade": str(grades.get(move.passage, MISSING)), **shown}


def _token_rows(
    text: str, query: np.ndarray, tokens: _Tokens, passage: str, index: Index, other: Index
) -> list[dict[str, str]]:
    """Return a row for each query token, the one whose part of the score changed most first, and a row for the score."""
    named, asked, place = tokens.of_passage(passage), tokens.of_query(text), np.array([tokens.place[passage]])
    parts = [contributions(query, side.vectors(side.positions(place))) for side in (index, other)]
    if len(asked) != len(query) or len(named) != int(index.doclens[place[0]]):
        raise DataError(
            f"{passage} or its query has other tokens than vectors: the model folder is not the one that encoded it"
        )
    change = parts[0][1] - parts[1][1]
    rows = [
        {
            "query token": asked[number],
            **{
                title: f"{named[best[number]]} {value[number]:.3f}"
                for title, (best, value) in zip(("run", "against"), parts, strict=True)
            },
            "change": f"{change[number]:+.3f}",
        }
        for number in np.argsort(-np.abs(change), kind="stable")
    ]
    sums = {title: f"{value.sum():.3f}" for title, (_, value) in zip(("run", "against"), parts, strict=True)}
    return [*rows, {"query token": "score", **sums, "change": f"{change.sum():+.3f}"}]


def _table(rows: Sequence[dict[str, str]]) -> str:
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
