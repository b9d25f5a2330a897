"""Downloads that a data set requires: address, size and digest of each file, read from the objects of ir_datasets."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ir_datasets.util.download import Download, LocalDownload

from bench.corpus import registry
from bench.errors import DataError

KINDS = ("docs", "queries", "qrels")


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to download.

    bytes: size of the file, None if ir_datasets does not know the size; places: paths where ir_datasets looks for the file,
    or for the content extracted from the file, before a download; here: True if all needed content of the file exists.
    """

    url: str
    bytes: int | None
    md5: str | None
    places: tuple[Path, ...]
    here: bool


def files(dataset_id: str, kinds: Sequence[str] = KINDS) -> list[File]:
    """Return the downloads for the passages, queries and judgements of a data set, including files that already exist."""
    dataset = registry.load(dataset_id)
    found: dict[str, File] = {}
    for kind in kinds:
        if getattr(dataset, f"has_{kind}")():
            for file in _below(getattr(dataset, f"{kind}_handler")(), (), set()):
                other = found.get(file.url, file)
                places = tuple(dict.fromkeys(other.places + file.places))
                found[file.url] = replace(file, places=places, here=file.here and other.here)
    return list(found.values())


def fetch(dataset_id: str, kinds: Sequence[str] = KINDS) -> None:
    """Download all missing files; ir_datasets verifies the digest of each file. Raise DataError if a download fails."""
    dataset = registry.load(dataset_id)
    with explained(dataset_id):
        for kind in kinds:
            if getattr(dataset, f"has_{kind}")():
                next(iter(getattr(dataset, f"{kind}_iter")()), None)


@contextlib.contextmanager
def explained(*dataset_ids: str) -> Iterator[None]:
    """Convert an error from reading incomplete data sets into a DataError that lists the paths of the missing files."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        missing = [file for dataset_id in dataset_ids for file in files(dataset_id) if not file.here]
        if not missing:
            raise
        named = "; ".join(f"{' or '.join(map(str, file.places))} (from {file.url})" for file in missing)
        reason = " ".join(str(error).split())[:300]
        raise DataError(
            f"{' and '.join(dataset_ids)} is not all here and could not be downloaded: expected {named}; "
            f"`bench fetch` gets it where there is a network ({type(error).__name__}: {reason})"
        ) from error


def _below(part: Any, places: tuple[Path, ...], seen: set[int]) -> Iterator[File]:
    """Yield the downloads that an ir_datasets object holds, through wrappers that unpack, cache or filter their content.

    Functions are not inspected: the functions that filter queries read judgements, which are inspected separately.
    """
    if id(part) in seen:
        return
    seen = seen | {id(part)}
    if isinstance(part, Download):
        yield _file(part, places)
    elif isinstance(part, dict | list | tuple):
        for item in part.values() if isinstance(part, dict) else part:
            yield from _below(item, places, seen)
    elif type(part).__module__.startswith("ir_datasets") and hasattr(part, "__dict__"):
        kept = [value for value in (vars(part).get("_path"), vars(part).get("_extract_path")) if isinstance(value, Path)]
        for item in vars(part).values():
            yield from _below(item, (*kept, *places), seen)


def _file(download: Download, places: tuple[Path, ...]) -> File:
    own = [Path(download._cache_path)] if download._cache_path else []
    local = [Path(mirror._path) for mirror in download.mirrors if isinstance(mirror, LocalDownload)]
    urls = [mirror.url for mirror in download.mirrors if hasattr(mirror, "url")]
    everywhere = tuple(dict.fromkeys((*places, *own, *local)))
    return File(
        url=urls[0] if urls else "its publisher, by hand",
        bytes=download._size_hint,
        md5=download.expected_md5,
        places=everywhere,
        here=any(place.exists() for place in everywhere),
    )
