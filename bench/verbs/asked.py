"""Flags of the verbs that search an index with a question."""

from pathlib import Path
from typing import Any, Literal

from bench.config.presets import EngineFlags
from bench.config.settings import Count, Settings
from bench.notebook.collection import SearchIndex
from bench.notebook.places import open_place


class AskedEngine(EngineFlags):
    """The settings of all engines, exhaustive search if none is named."""

    engine: Literal["exact", "colbertv2", "plaid", "grouped", "flat"] = "exact"
    """Engine that searches."""

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class Place(Settings):
    """What belongs to the index."""

    model: Path | None = None
    """Model folder or checkpoint of the questions; the one beside the index if absent."""
    corpus: Path | None = None
    """Corpus folder with the texts; the one beside the index if absent."""
    query_maxlen: Count | None = None
    """Tokens of a question; what the model says if absent."""

    def open(self, index: Path, threads: int) -> SearchIndex:
        return open_place(index, threads=threads, **self.model_dump())
