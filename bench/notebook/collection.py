"""Texts indexed by a model, and searched."""

import functools
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from bench.codec.names import UNCOMPRESSED, parse
from bench.config import pools, presets
from bench.config.settings import derived_seed
from bench.corpus.texts import Text, open_passages, write_passages
from bench.encoder.encode import Encoded
from bench.encoder.pooling import pooled
from bench.errors import DataError, SettingsError
from bench.index import index as indexes
from bench.index import pipeline
from bench.index.build import build_uncompressed
from bench.index.shards import open_shard, write_shard
from bench.notebook.matching import Match, matches
from bench.notebook.model import Model
from bench.notebook.results import Hit, Results
from bench.search.engines import open_engine

ITERATIONS = 8  # of k-means


class SearchIndex:
    """An index, the model that its queries are encoded by, and the texts of its passages.

    Raise DataError where they do not belong to each other.
    """

    def __init__(self, index: Path, corpus: Path, model: Model, threads: int):
        self.folder, self.model, self.threads = index, model, threads
        self.index, self.passages = indexes.open_index(index), open_passages(corpus)
        if self.index.dim != model.dim:
            raise DataError(f"{index} has vectors of dim {self.index.dim}, the model's have {model.dim}: give its own")
        stated = self.index.manifest.inputs.get("corpus", self.passages.manifest.digest)
        if len(self.passages) != len(self.index) or stated != self.passages.manifest.digest:
            raise DataError(f"{index} was not made from the {len(self.passages)} passages of {corpus}: give its own")
        encoded = self.index.manifest.settings.get("encode", {})
        self.doc_maxlen: int = encoded.get("doc_maxlen", model.doc_maxlen)
        self._place = {name: number for number, name in enumerate(self.index.ids)}

    def explain(self, question: str, hit: Hit) -> list[Match]:
        """Which token of a passage each token of a question matches, by the vectors of this index."""
        vectors = self.model.encode_queries([question])[0]
        place = self.index.positions(np.array([self._place[hit.id]]))
        lengths = self.model.query_maxlen, self.doc_maxlen
        query = vectors[vectors.any(axis=1)]
        unmerged = None
        if pools.of(self.index.manifest.settings) != pools.NONE:
            unmerged = self.model.encode_measured([hit.text], self.doc_maxlen).vectors.astype(np.float32)
        return matches(self.model.encoder.inputs, question, query, hit.text, self.index.vectors(place), *lengths, unmerged)

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
        queries: str | Sequence[str] | Mapping[str, str] | pd.DataFrame,
        k: int = 10,
        engine: Literal["exact", "colbertv2", "plaid", "grouped"] = "exact",
        **values: Any,
    ) -> Results:
        """The k best passages of each query, by score and then id; fewer where there are fewer.

        queries: one text, several (their ids are their positions), texts by id, or a frame with the columns ``id`` and
        ``text``; values: those of the engine, such as
        ``nprobe`` and ``ncandidates``. Raises SettingsError for values that the engine does not have or that score fewer
        than k passages.
        """
        named = {"0": queries} if isinstance(queries, str) else queries
        if isinstance(named, pd.DataFrame):
            named = dict(zip(*columns(named, "search"), strict=True))
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
                Hit(place + 1, self.index.ids[passage], float(score), text.text)
                for place, (passage, score, text) in enumerate(
                    zip(ranking.passages, ranking.scores, self.passages.at(ranking.passages), strict=True)
                )
            ]
            for query, ranking in zip(texts, rankings, strict=True)
        }
        return Results(found, texts, self.explain)


def build_index(
    model: Model,
    texts: Sequence[str] | pd.DataFrame,
    ids: Sequence[str] | None = None,
    *,
    codec: str = "residual-2",
    pool: int = pools.NONE,
    folder: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    seed: int = 0,
) -> SearchIndex:
    """Encode texts and index their token vectors with a codec: ``fp16`` for uncompressed ones, ``residual-2`` and so on.

    texts: several, or a frame with the columns ``id`` and ``text``; ids: of the passages, their positions if absent; pool:
    one of so many vectors is kept after near ones of a passage are merged; folder: where the index is kept, new or empty, a
    temporary one if absent; threads: all that there are if absent; seed: of k-means and of the sample that it takes. Raises
    SettingsError for an unknown codec, a pool below 1 or a folder in use, DataError for ids that repeat, have white space,
    or are not one a text.
    """
    name = parse(codec, "build_index")
    if pool < pools.NONE:
        raise SettingsError(
            f"pool {pool} of build_index must be at least {pools.NONE}, which leaves the vectors as they are"
        )
    if isinstance(texts, pd.DataFrame):
        if ids is not None:
            raise SettingsError("build_index was given ids beside a frame, which has a column id; leave them away")
        ids, texts = columns(texts, "build_index")
    names = [str(place) for place in range(len(texts))] if ids is None else list(ids)
    _check(texts, names)
    place = Path(tempfile.mkdtemp(prefix="bench-index-")) if folder is None else Path(folder)
    if place.exists() and any(place.iterdir()):
        raise SettingsError(f"folder {place} of build_index is not empty; name a new one, or open it with bench.open_index")
    count = threads or os.cpu_count() or 1
    vectors, doclens, tokens = _vectors(model.encode_measured(texts), pool)
    corpus = write_passages(place / "corpus", map(Text, names, texts), settings={}, context={})
    work = place / "work"
    write_shard(work / "shard", vectors, doclens, None, tokens)
    shards = [open_shard(work / "shard")]
    settings: dict[str, Any] = {"encode": {"doc_maxlen": model.doc_maxlen, **({"pool": pool} if pool > pools.NONE else {})}}
    if name is None:
        settings, inputs = {**settings, "codec": UNCOMPRESSED}, {"corpus": corpus.digest}
        build_uncompressed(place / "index", shards, names, settings=settings, inputs=inputs)
    else:
        steps = functools.partial(pipeline.build, seed=derived_seed(seed, codec), iterations=ITERATIONS, threads=count)
        steps(place / "index", shards, names, codec=name, work=work, settings=settings)
    shutil.rmtree(work)
    return SearchIndex(place / "index", place / "corpus", model, count)


def open_index(folder: str | os.PathLike[str], model: Model, *, threads: int | None = None) -> SearchIndex:
    """Open an index that ``build_index`` wrote; raises DamagedFileError where a file is missing or changed."""
    place = Path(folder)
    return SearchIndex(place / "index", place / "corpus", model, threads or os.cpu_count() or 1)


def _vectors(encoded: Encoded, pool: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return vectors, their numbers by passage, and their token ids, merged by ``pool``."""
    if pool == pools.NONE:
        return encoded.vectors, encoded.doclens, encoded.tokens
    found = pooled(encoded.vectors, encoded.doclens, pool)
    return found.vectors, found.doclens, None if encoded.tokens is None else encoded.tokens[found.members]


def columns(frame: pd.DataFrame, where: str) -> tuple[list[str], list[str]]:
    """Return the ids and texts of a frame. Raise DataError where it lacks a column or a text is missing."""
    if missing := [name for name in ("id", "text") if name not in frame.columns]:
        raise DataError(
            f"the frame given to {where} has no column {missing[0]!r}; it has {[str(it) for it in frame.columns]}"
        )
    if frame["text"].isna().any() or frame["id"].isna().any():
        raise DataError(f"the frame given to {where} has rows without id or text; drop them, or fill them in")
    return frame["id"].astype(str).tolist(), frame["text"].astype(str).tolist()


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
