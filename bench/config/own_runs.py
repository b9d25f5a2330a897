"""Runs of other systems that a config puts into Table 1."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bench.config.datasets import Entry
from bench.config.settings import Count, Settings
from bench.config.training import Reference
from bench.config.yaml import Place
from bench.errors import SettingsError

EXTERNAL = "external"  # what the tables call the codec of a run of another system, and records its engine
Title = Annotated[str, Field(pattern=r"^[^\s/|=-][^/|=\n\t]*$")]


class OwnRun(Settings):
    """A run of another system; its path is relative to the config."""

    file: str
    """File in the format of TREC, in TSV as MS MARCO has it, or in JSON as ranx has it; each also .gz or .zst."""
    queries: str
    """Id of a query set of the config."""
    model: Title
    """What the tables call the model."""
    search: Title
    """What the tables call the search."""
    depth: Count | None = None
    """Depth to which the system was asked for results; the longest of its rankings if absent."""
    against: Reference | None = None
    """Model of the grid whose exhaustive search over uncompressed vectors it is paired with; no test if absent."""


@dataclass(frozen=True, kw_only=True)
class External:
    """A run of another system: its file by a path from here, and the entry of its queries."""

    file: Path
    entry: Entry
    settings: OwnRun


def resolve(
    given: Mapping[str, OwnRun],
    entries: Mapping[str, Entry],
    references: Sequence[tuple[str, str]],
    source: str,
    folder: Callable[[Place], Path],
) -> dict[str, External]:
    """The runs of a config by name. ``references``: model and query set of each exact run over uncompressed vectors.

    Raises SettingsError for a file that is missing, a query set that the config lacks or that has no judgements, a model
    that it cannot be paired with, and two runs with one row.
    """
    by_id = {entry.id: entry for entry in entries.values()}
    found: dict[str, External] = {}
    rows: dict[Any, str] = {}
    for name, run in given.items():
        where = f"runs.{name} in {source}"
        entry = by_id.get(run.queries)
        if entry is None or not entry.judgements:
            judged = sorted(each.id for each in by_id.values() if each.judgements)
            raise SettingsError(f"{where}: queries {run.queries!r} is not one of the judged query sets {judged}")
        models = sorted(model for model, queries in references if queries == entry.name)
        if run.against is not None and run.against not in models:
            raise SettingsError(f"{where}: against {run.against!r} is not run as fp16 by the preset exact; these: {models}")
        file = folder(("runs", name)) / run.file
        if not file.is_file():
            raise SettingsError(f"{where}: the file {file} does not exist")
        if (other := rows.setdefault((entry.id, run.model, run.search), name)) != name:
            raise SettingsError(f"{where}: has the queries, model and search of runs.{other}, which would be one row")
        found[name] = External(file=file, entry=entry, settings=run)
    return found
