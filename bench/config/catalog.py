"""The catalogue of published checkpoints: ``catalog.yaml`` beside this module."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bench.config import yaml
from bench.config.settings import Count, Dim, Revision, Settings

PATH = Path(__file__).with_name("catalog.yaml")


class CatalogEntry(Settings):
    """A published checkpoint."""

    name: str
    """Hub id."""
    revision: Revision | None = None
    """Commit of the hub repository, where it is known."""
    dim: Dim
    """Dimensions of a token vector."""
    query_maxlen: Count | None = None
    """Tokens of a query in its training, where they are known."""
    doc_maxlen: Count | None = None
    """Tokens of a passage in its training, where they are known."""
    licence: str | None = None
    """SPDX name of the licence, where it is known."""


@cache
def entries() -> Mapping[str, CatalogEntry]:
    """Return the entries by name. Raise SettingsError for a value that is wrong."""
    document = yaml.read(PATH)
    return {name: CatalogEntry.parse(values, document, (name,)) for name, values in document.values.items()}
