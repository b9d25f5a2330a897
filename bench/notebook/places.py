"""An index with the model and the texts that belong to it, wherever the workflow or a notebook has put them."""

import os
from pathlib import Path

from bench.encoder.checkpoint import VERSION
from bench.errors import DataError, SettingsError
from bench.files.opening import read_manifest
from bench.files.storage import MANIFEST
from bench.notebook.collection import SearchIndex
from bench.notebook.model import load_model


def open_place(
    index: Path,
    *,
    model: Path | None = None,
    corpus: Path | None = None,
    query_maxlen: int | None = None,
    threads: int | None = None,
) -> SearchIndex:
    """Open an index with its model and corpus.

    index: the folder of a notebook's index, which has its corpus beside it, or one of the workflow,
    ``build/CORPUS/MODEL/CODEC/index``. Raise SettingsError where a folder is not named and not there either, DataError for
    a model or a corpus that the index was not made from.
    """
    inside = (index / "index" / MANIFEST).is_file()
    place = index / "index" if inside else index
    if not (place / MANIFEST).is_file():
        raise SettingsError(f"{index} is no index: it has neither {MANIFEST} nor index/{MANIFEST}")
    root = place.resolve()
    guessed = index / "corpus" if inside else root.parents[2] / "corpus"
    texts = _found("corpus", corpus, guessed)
    weights = _found("model", model, root.parents[3] / "models" / root.parents[1].name)
    opened = SearchIndex(place, texts, load_model(weights, query_maxlen=query_maxlen), threads or os.cpu_count() or 1)
    stated = opened.index.manifest.inputs.get("model")
    if stated and (weights / MANIFEST).is_file() and read_manifest(weights, "model", VERSION, "convert").digest != stated:
        raise DataError(f"{index} was encoded by another model than {weights}; give the right one as --model")
    return opened


def _found(flag: str, given: Path | None, guessed: Path) -> Path:
    folder = given or guessed
    if not folder.is_dir():
        where = "is no folder" if given else f"is not given, and {guessed} is no folder"
        raise SettingsError(f"--{flag} {given or ''} of the command line {where}".replace("  ", " "))
    return folder
