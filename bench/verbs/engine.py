"""Flags of the verbs that search an index with query vectors."""

from pathlib import Path
from typing import Any

from bench.config import presets
from bench.config.presets import EngineFlags, Preset
from bench.config.settings import Count, Settings
from bench.errors import DataError
from bench.index.index import Index, open_index
from bench.search.kernels.backends import Backend
from bench.search.queries import QueryVectors, open_query_vectors


class SearchFlags(Settings):
    """The index, the query vectors and the depth of a search."""

    index: Path
    """Index folder."""
    queries: Path
    """Folder of query vectors."""
    depth: Count
    """Passages per ranking."""
    kernels: Backend = "cpu"
    """What searches a compressed index."""

    def open(self) -> tuple[Index, QueryVectors]:
        """Return index and query vectors. Raise DataError if different models made them."""
        index, queries = open_index(self.index), open_query_vectors(self.queries)
        if index.manifest.inputs["model"] != queries.manifest.inputs["model"]:
            raise DataError(f"{self.index} and {self.queries} were encoded by different models")
        return index, queries


def preset_given(engine: EngineFlags, depth: int) -> Preset:
    """Return the preset of the flags. Raise SettingsError if it cannot fill a ranking of the given depth."""
    preset = presets.parse(engine.model_dump(exclude_none=True), "the command line")
    preset.check_depth(depth, "the command line")
    return preset


def provenance(index: Index, queries: QueryVectors) -> dict[str, Any]:
    """Return the settings, counts and digests of index and query vectors for a record."""
    return {
        "index": {**index.manifest.settings, "counts": dict(index.manifest.counts)},
        "queries": dict(queries.manifest.settings),
        "inputs": {**index.manifest.inputs, **queries.manifest.inputs, "index": index.manifest.digest},
    }
