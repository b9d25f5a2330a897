"""Access to data sets by ir_datasets id; the embedded data sets are added to the registry of ir_datasets."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ir_datasets
from ir_datasets.datasets.base import Dataset
from ir_datasets.formats import JsonlDocs, JsonlQueries, TrecQrels

from bench.corpus import pydocs
from bench.errors import DataError


class _Extracted:
    """A file of an embedded subset, extracted on first use; takes the place of a download object of ir_datasets."""

    def __init__(self, subset: str, name: str):
        self._subset, self._name = subset, name

    def path(self, force: bool = True) -> Path:
        home = ir_datasets.util.home_path() / "pydocs"
        return (pydocs.extract(self._subset, home) if force else home / self._subset) / self._name

    @contextlib.contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        with self.path().open("rb") as stream:
            yield stream


def _register() -> None:
    for subset in pydocs.SUBSETS:
        dataset_id = f"pydocs/{subset}"
        if dataset_id not in ir_datasets.registry:
            pairs, qrels = _Extracted(subset, "pairs.jsonl"), _Extracted(subset, "qrels.txt")
            ir_datasets.registry.register(
                dataset_id,
                Dataset(
                    JsonlDocs(pairs, mapping={"doc_id": "id", "text": "passage"}, namespace=dataset_id, lang="en"),
                    JsonlQueries(pairs, mapping={"query_id": "id", "text": "query"}, lang="en"),
                    TrecQrels(qrels, {1: "the docstring that the summary was taken from"}),
                ),
            )


def load(dataset_id: str) -> Any:
    """Return the ir_datasets data set with the given id. Raise DataError for an unknown id."""
    _register()
    try:
        return ir_datasets.load(dataset_id)
    except KeyError as error:
        known = ", ".join(f"pydocs/{subset}" for subset in pydocs.SUBSETS)
        raise DataError(
            f"{dataset_id!r} is not an ir_datasets id; embedded here: {known}; "
            f"all others are listed by `ir_datasets list` and on the ir_datasets site"
        ) from error


def metadata_counts(dataset_id: str) -> dict[str, int]:
    """Return the counts of docs, queries and qrels in the offline metadata of ir_datasets; unknown counts are omitted."""
    metadata = load(dataset_id).metadata()
    return {kind: value["count"] for kind, value in metadata.items() if "count" in value}


def metadata_grades(dataset_id: str) -> list[int] | None:
    """Return the grades of judgements in the offline metadata, ascending, or None if the metadata have no grades."""
    relevance = load(dataset_id).metadata().get("qrels", {}).get("fields", {}).get("relevance", {})
    return sorted(int(grade) for grade in relevance["counts_by_value"]) if "counts_by_value" in relevance else None


def template(corpus: str) -> str:
    """Return the text that ``default_text()`` builds from a passage of this collection, with field names in braces."""
    doc = load(corpus).docs_cls()
    return str(doc(*(f"{{{name}}}" for name in doc._fields)).default_text())


def docs_parent(dataset_id: str) -> str:
    """Return the id of the collection that ``dataset_id`` searches; query sets of one collection share one index."""
    load(dataset_id)
    return ir_datasets.docs_parent_id(dataset_id)
