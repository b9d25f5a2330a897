"""Write a model in the layout of another program, so that PyLate or colbert-ai loads it with the same vectors."""

import os
import shutil
from pathlib import Path
from typing import Literal

from bench.config.settings import Count
from bench.encoder import loading
from bench.encoder.export import LAYOUTS
from bench.errors import SettingsError
from bench.files.storage import make_folder
from bench.verbs.common import prepare_torch


def export(
    model: Path,
    *,
    layout: Literal["pylate", "official"],
    query_maxlen: Count | None = None,
    doc_maxlen: Count | None = None,
    output: Path,
) -> None:
    """Write a model in the layout of another program, so that PyLate or colbert-ai loads it with the same vectors.

    :param model: Model folder, or a checkpoint in any layout that is read.
    :param layout: pylate: of PyLate and sentence-transformers; official: of colbert-ai.
    :param query_maxlen: Tokens of a query, where the model does not say.
    :param doc_maxlen: Tokens of a passage, where the model does not say.
    :param output: Folder to write, which must not be there yet.
    """
    prepare_torch(threads=1)
    if output.exists():
        raise SettingsError(f"--output {output} of the command line is there already; name a new folder")
    encoder, lengths = loading.load(model)
    given = {"query_maxlen": query_maxlen, "doc_maxlen": doc_maxlen}
    lengths = {name: lengths.get(name) if value is None else value for name, value in given.items()}
    if unknown := [name for name, value in lengths.items() if value is None]:
        raise SettingsError(f"{model} does not say its {unknown[0]}; give --{unknown[0].replace('_', '-')}")
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    make_folder(partial)
    try:
        LAYOUTS[layout](encoder, lengths, partial)
        partial.rename(output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    print(f"{output}: {encoder.dim} dimensions, {lengths}, in the layout {layout}")
