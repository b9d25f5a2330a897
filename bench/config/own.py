"""Query sets of the user's own files: what a config says of them, and what is found out about them before a job starts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, create_model

from bench.config.datasets import Choice, Entry, Overridable, check_sample, sample_deviation
from bench.config.settings import Count, Name, Natural, Settings, Unique
from bench.errors import DataError, SettingsError

DEFAULTS = {
    "query_maxlen": 32,
    "doc_maxlen": 300,
    "measures": ("nDCG@10",),
    "gains": "graded",
    "self_match": "none",
}  # of the protocol of BEIR, as far as it has one
_FIELDS: dict[str, Any] = {
    name: (
        Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation,
        Field(default=DEFAULTS[name], description=field.description),
    )
    for name, field in Overridable.model_fields.items()
}
_Defaults: Any = create_model("_Defaults", __base__=Choice, **_FIELDS)
BEIR = {"passages": "corpus.jsonl", "queries": "queries.jsonl", "judgements": "qrels/{split}.tsv"}
SUFFIXES = ("", ".gz", ".zst")
FOLDER = "models"  # beside the collections below build/
PLAIN = "[a-z0-9][a-z0-9-]*"


class Counts(Settings):
    """Counts that own data must have, so that a file which changed is noticed and none is read to make a plan."""

    passages: Count
    """Passages of the collection."""
    queries: Count
    """Queries, before a sample."""
    judgements: Natural
    """Judgements, 0 where there are none."""
    grades: Annotated[tuple[int, ...], Unique] = ()
    """Grades that the judgements may have."""


class _OwnSet(_Defaults):
    """What is said of own data beside the places of their files, which are relative to the config."""

    corpus: Name | None = None
    """Name of the collection; sets that give the same one share its index. The name of the set if absent."""
    template: str | None = None
    """Text of a passage by its columns; `{title} {text}` where there is a column title, else `{text}`, if absent."""
    query_template: str = "{text}"
    """Text of a query by its columns."""
    passage_id: str | None = None
    """Column with the id of a passage; `_id` or `id` if absent."""
    query_id: str | None = None
    """Column with the id of a query; `_id` or `id` if absent."""
    unknown_passages: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Largest share of the judgements whose passage may be missing from the collection; they are counted in any case."""
    generated: str | None = None
    """What made the queries or judgements, if not people; this text marks every row of the tables."""
    counts: Counts | None = None
    """Counts that the files must have; they are counted when the config is read if absent."""


class OwnFiles(_OwnSet):
    """Own data in files: JSONL, TSV (both also .gz or .zst), Parquet, or a folder of datasets.save_to_disk."""

    passages: str
    """File with the passages."""
    queries: str
    """File with the queries."""
    judgements: str | None = None
    """File with the judgements, in the format of TREC or in TSV; without it the set is searched and not evaluated."""
    judged_only: bool = False
    """Leave out the queries without judgements."""


class OwnFolder(_OwnSet):
    """Own data in a folder as BEIR has it: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv; queries that it judges are kept."""

    folder: str
    """The folder."""
    split: Name = "test"
    """Which of its judgements."""


OwnSet = OwnFiles | OwnFolder


class Files(Settings):
    """Files of a query set, by paths from here, and how they are read."""

    passages: Path
    """File with the passages."""
    queries: Path
    """File with the queries."""
    judgements: Path | None
    """File with the judgements, if there are any."""
    judged_only: bool
    """Whether queries without judgements are left out."""
    passage_id: str | None
    """Column with the id of a passage."""
    query_id: str | None
    """Column with the id of a query."""
    query_template: str
    """Text of a query by its columns."""
    unknown_passages: float
    """Largest share of judgements of passages that the collection lacks."""


class OwnEntry(Entry):
    """How a query set of own files is evaluated; without judgements it is only searched."""

    judgements: Natural
    """Judgements that the set must have, before a sample."""
    grades: tuple[int, ...]
    """Grades that its judgements have, none where there are no judgements."""
    files: Files
    """Where the data are."""


def resolve(set_id: str, given: OwnSet, source: str, folder: Path) -> OwnEntry:
    """The entry of own data, whose paths are relative to ``folder``.

    Raises SettingsError for an id that is no name of a folder, for a file that is missing or has
    not the columns it must have, and for a sample that cannot be.
    """
    where = f"queries.{set_id} in {source}"
    if not re.fullmatch(PLAIN, set_id) or FOLDER in (set_id, given.corpus):
        raise SettingsError(
            f"{where} gives own files: name set and corpus by small letters, digits and hyphens, not {FOLDER}"
        )
    files = _files(given, folder, where)
    try:
        counts, template = given.counts or _counted(files), given.template or _template(files)
    except DataError as error:
        raise SettingsError(f"{where}: {error}") from error
    plain = given.part(Choice)
    if plain["ids"] is not None:
        plain["ids"] = str(folder / plain["ids"])
    chosen = {key: value for key, value in plain.items() if value is not None}
    deviations = {"protocol": f"of {Path(source).name}"}
    deviations |= sample_deviation(chosen, {**chosen, "queries": counts.queries}, {})
    deviations |= {"queries": f"generated by {given.generated}"} if given.generated else {}
    entry = OwnEntry(
        id=set_id,
        dataset=set_id,
        corpus=given.corpus or set_id,
        template=template,
        **counts.model_dump(),
        **plain,
        **given.part(Overridable),
        source={"files": source},
        deviations=deviations,
        files=files,
    )
    check_sample(entry, where)
    if entry.sample is not None and not entry.judgements:
        raise SettingsError(f"{where} asks for a sample, which is drawn from judged queries, but gives no judgements")
    return entry


def _files(given: OwnSet, folder: Path, where: str) -> Files:
    found: dict[str, Path | None]
    if isinstance(given, OwnFolder):
        names = {name: file.format(split=given.split) for name, file in BEIR.items()}
        found = {name: _present(folder / given.folder / file, where) for name, file in names.items()}
    else:
        named = {name: getattr(given, name) for name in BEIR}
        found = {name: folder / file if file is not None else None for name, file in named.items()}
    judged_only = isinstance(given, OwnFolder) or given.judged_only
    if judged_only and found["judgements"] is None:
        raise SettingsError(f"{where}: judged_only keeps the judged queries, but there are no judgements")
    shared = ("passage_id", "query_id", "query_template", "unknown_passages")
    return Files.model_validate({**found, "judged_only": judged_only, **{name: getattr(given, name) for name in shared}})


def _present(path: Path, where: str) -> Path:
    found = [path.with_name(path.name + suffix) for suffix in SUFFIXES]
    present = [each for each in found if each.is_file()]
    if len(present) != 1:
        said = f"both {present[0]} and {present[1]}; keep one" if present else f"no {path}, plain, .gz or .zst"
        raise SettingsError(f"{where}: the folder has {said}")
    return present[0]


def _template(files: Files) -> str:
    from bench.corpus.own.files import template_of

    return template_of(files.passages, files.passage_id)


def _counted(files: Files) -> Counts:
    from bench.corpus.own import tables
    from bench.corpus.own.files import Judgements

    judged = list(Judgements(files.judgements)) if files.judgements else []
    queries = len({query for query, _, _ in judged}) if files.judged_only else tables.count(files.queries, files.query_id)
    return Counts(
        passages=tables.count(files.passages, files.passage_id),
        queries=queries,
        judgements=len(judged),
        grades=tuple(sorted({grade for _, _, grade in judged})),
    )


def inputs(*paths: Path | None) -> Iterator[str]:
    """Files that a job depends on, of the given files and folders."""
    from bench.corpus.own import tables

    for path in paths:
        yield from map(str, tables.files(path) if path else ())
