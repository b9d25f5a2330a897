"""Write a model or an index in the layout of another program, so that PyLate or colbert-ai opens it."""

from pathlib import Path
from typing import Literal

from bench.config.settings import Count
from bench.encoder import loading
from bench.encoder.export import LAYOUTS
from bench.errors import SettingsError
from bench.index import colbert_ai
from bench.index.index import open_index
from bench.verbs.common import new_folder, prepare_torch, refuse_existing

INDEX = "colbert-ai"


def export(
    source: Path,
    output: Path,
    *,
    layout: Literal["pylate", "official", "colbert-ai"],
    query_maxlen: Count | None = None,
    doc_maxlen: Count | None = None,
    checkpoint: str | None = None,
) -> None:
    """Write a model or an index in the layout of another program, so that PyLate or colbert-ai opens it.

    :param source: Model folder or a checkpoint in any layout that is read; for the layout colbert-ai, an index folder.
    :param output: Folder to write, which must not be there yet.
    :param layout: Of a model: pylate, of PyLate and sentence-transformers; official, of colbert-ai. Of an index: colbert-ai.
    :param query_maxlen: Tokens of a query, where the model does not say.
    :param doc_maxlen: Tokens of a passage, where the model does not say.
    :param checkpoint: Of an index: where colbert-ai's searcher finds the model of the queries.
    """
    prepare_torch(threads=1)
    refuse_existing(output)
    given = {"query_maxlen": query_maxlen, "doc_maxlen": doc_maxlen}
    _check(layout, given, checkpoint)
    with new_folder(output) as folder:
        said = _index(source, folder, checkpoint) if layout == INDEX else _model(source, folder, layout, given)
    print(f"{output}: {said}, in the layout {layout}")


def _check(layout: str, lengths: dict[str, int | None], checkpoint: str | None) -> None:
    """Raise SettingsError for flags that the layout does not use."""
    unused = {"checkpoint": checkpoint} if layout != INDEX else lengths
    if named := [f"--{name.replace('_', '-')}" for name, value in unused.items() if value is not None]:
        raise SettingsError(f"{named[0]} of the command line is not used by the layout {layout}; leave it away")


def _model(source: Path, folder: Path, layout: str, given: dict[str, int | None]) -> str:
    encoder, lengths = loading.load(source)
    lengths = {name: lengths.get(name) if value is None else value for name, value in given.items()}
    if unknown := [name for name, value in lengths.items() if value is None]:
        raise SettingsError(f"{source} does not say its {unknown[0]}; give --{unknown[0].replace('_', '-')}")
    LAYOUTS[layout](encoder, lengths, folder)
    return f"{encoder.dim} dimensions, {lengths}"


def _index(source: Path, folder: Path, checkpoint: str | None) -> str:
    index = open_index(source)
    encoded = index.manifest.settings.get("encode", {})
    config = {"doc_maxlen": encoded.get("doc_maxlen"), "checkpoint": checkpoint}
    chunks = colbert_ai.write(index, folder, {name: value for name, value in config.items() if value is not None})
    return f"{len(index)} passages, {int(index.offsets[-1])} vectors in {chunks} chunks"
