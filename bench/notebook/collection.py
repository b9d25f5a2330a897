"""Texts indexed by a model, and searched."""

import functools
import html
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.codec.names import UNCOMPRESSED, parse
from bench.config import presets
from bench.config.settings import derived_seed
from bench.corpus.texts import Text, open_passages, write_passages
from bench.errors import DataError, SettingsError
from bench.index import index as indexes
from bench.index import pipeline
from bench.index.build import build_uncompressed
from bench.index.shards import open_shard, write_shard
from bench.notebook.model import Model
from bench.search.engines import open_engine

ITERATIONS = 8  # of k-means
SHOWN = 100  # characters of a text in a table


@dataclass(frozen=True)
class Hit:
    """A passage of a ranking; rank from 1, score: MaxSim (arXiv 2112.01488, equation 1)."""

    rank: int
    id: str
    score: float
    text: str


@dataclass(frozen=True, repr=False)
class Results(Sequence[list[Hit]]):
    """Rankings by query id, in the order asked; indexed by position."""

    rankings: Mapping[str, list[Hit]]
    queries: Mapping[str, str]

    @property
    def run(self) -> dict[str, dict[str, float]]:
        """``{query id: {passage id: score}}``, as ``bench.evaluate`` takes it."""
        return {query: {hit.id: hit.score for hit in hits} for query, hits in self.rankings.items()}

    def __len__(self) -> int:
        return len(self.rankings)

    def __getitem__(self, position: Any) -> Any:
        return list(self.rankings.values())[position]

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for query, hits in self.rankings.items():
            for hit in hits:
                short = hit.text if len(hit.text) <= SHOWN else hit.text[:SHOWN] + " …"
                yield self.queries[query], str(hit.rank), f"{hit.score:.3f}", hit.id, short

    def __repr__(self) -> str:
        return "\n".join("  ".join(row) for row in self._rows())

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("query", "rank", "score", "id", "text"))
        rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._rows())
        return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


class SearchIndex:
    """An index, the model that its queries are encoded by, and the texts of its passages."""

    def __init__(self, folder: Path, model: Model, threads: int):
        self.folder, self.model, self.threads = folder, model, threads
        self.index = indexes.open_index(folder / "index")
        if self.index.dim != model.dim:
            raise DataError(f"{folder} has vectors of dim {self.index.dim}, the model's have {model.dim}: give its own")
        corpus = open_passages(folder / "corpus")
        self.texts = [text.text for text in corpus.slice(0, len(corpus))]

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        counts, codec = self.index.manifest.counts, self.index.manifest.settings["codec"]
        size = sum(file["bytes"] for file in self.index.manifest.files.values())
        return (
            f"SearchIndex({counts['passages']} passages, {counts['vectors']} vectors, codec={codec!r}, "
            f"{size / counts['vectors']:.1f} bytes a vector, model={self.model.source!r})"
        )

    def search(
        self,
        queries: str | Sequence[str] | Mapping[str, str],
        k: int = 10,
        engine: Literal["exact", "colbertv2", "plaid"] = "exact",
        **values: Any,
    ) -> Results:
        """The k best passages of each query, by score and then id; fewer where there are fewer.

        queries: one text, several (their ids are their positions), or texts by id; values: those of the engine, such as
        ``nprobe`` and ``ncandidates``. Raises SettingsError for values that the engine does not have or that score fewer
        than k passages.
        """
        named = {"0": queries} if isinstance(queries, str) else queries
        texts = dict(named) if isinstance(named, Mapping) else {str(place): text for place, text in enumerate(named)}
        if k < 1:
            raise SettingsError(f"k {k} of search must be at least 1")
        if not texts:
            raise SettingsError("search was given no query; give a text, or several")
        preset = presets.parse({"engine": engine, **values}, "search")
        preset.check_depth(min(k, len(self)), "search")
        opened = open_engine(preset, self.index, threads=self.threads)
        rankings = opened.search(self.model.encode_queries(list(texts.values())), k)
        found = {
            query: [
                Hit(place + 1, self.index.ids[passage], float(score), self.texts[passage])
                for place, (passage, score) in enumerate(zip(ranking.passages, ranking.scores, strict=True))
            ]
            for query, ranking in zip(texts, rankings, strict=True)
        }
        return Results(found, texts)


def build_index(
    model: Model,
    texts: Sequence[str],
    ids: Sequence[str] | None = None,
    *,
    codec: str = "residual-2",
    folder: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    seed: int = 0,
) -> SearchIndex:
    """Encode texts and index their token vectors with a codec: ``fp16`` for uncompressed ones, ``residual-2`` and so on.

    ids: of the passages, their positions if absent; folder: where the index is kept, new or empty, a temporary one if
    absent; threads: all that there are if absent; seed: of k-means and of the sample that it takes. Raises SettingsError
    for an unknown codec or a folder in use, DataError for ids that repeat, have white space, or are not one a text.
    """
    name = parse(codec, "build_index")
    names = [str(place) for place in range(len(texts))] if ids is None else list(ids)
    _check(texts, names)
    place = Path(tempfile.mkdtemp(prefix="bench-index-")) if folder is None else Path(folder)
    if place.exists() and any(place.iterdir()):
        raise SettingsError(f"folder {place} of build_index is not empty; name a new one, or open it with bench.open_index")
    count = threads or os.cpu_count() or 1
    vectors, doclens = model.encode_passages(texts)
    corpus = write_passages(place / "corpus", map(Text, names, texts), settings={}, context={})
    work = place / "work"
    write_shard(work / "shard", vectors, doclens)
    shards = [open_shard(work / "shard")]
    if name is None:
        settings, inputs = {"codec": UNCOMPRESSED}, {"corpus": corpus.digest}
        build_uncompressed(place / "index", shards, names, settings=settings, inputs=inputs)
    else:
        steps = functools.partial(pipeline.build, seed=derived_seed(seed, codec), iterations=ITERATIONS, threads=count)
        steps(place / "index", shards, names, codec=name, work=work)
    shutil.rmtree(work)
    return SearchIndex(place, model, count)


def open_index(folder: str | os.PathLike[str], model: Model, *, threads: int | None = None) -> SearchIndex:
    """Open an index that ``build_index`` wrote; raises DamagedFileError where a file is missing or changed."""
    return SearchIndex(Path(folder), model, threads or os.cpu_count() or 1)


def _check(texts: Sequence[str], ids: Sequence[str]) -> None:
    if isinstance(texts, str) or not len(texts):
        raise DataError("build_index was given no texts; give a list of at least one")
    if len(texts) != len(ids):
        raise DataError(f"build_index was given {len(ids)} ids for {len(texts)} texts; give one for each")
    seen: set[str] = set()
    for name in ids:
        if name in seen or not name or re.search(r"\s", name):
            raise DataError(f"id {name!r} of build_index repeats, is empty or has white space, which no run file can hold")
        seen.add(name)
