"""What of a data set has to be downloaded: files by address, size and digest, as ir_datasets' own objects describe them."""

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
    """A download.

    bytes: its size, None where ir_datasets does not know it; places: where ir_datasets looks, before it downloads, for the
    file or for what it takes out of it; here: whether all that is needed of it is there.
    """

    url: str
    bytes: int | None
    md5: str | None
    places: tuple[Path, ...]
    here: bool


def files(dataset_id: str, kinds: Sequence[str] = KINDS) -> list[File]:
    """Downloads that the passages, queries and judgements of a data set are made from, with those that are here already."""
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
    """Download whatever is missing; ir_datasets compares each file with its digest. Raises DataError where that fails."""
    dataset = registry.load(dataset_id)
    with explained(dataset_id):
        for kind in kinds:
            if getattr(dataset, f"has_{kind}")():
                next(iter(getattr(dataset, f"{kind}_iter")()), None)


@contextlib.contextmanager
def explained(*dataset_ids: str) -> Iterator[None]:
    """Turn an error from reading data sets that are not all here into a DataError with the places of their files."""
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
    """Downloads that an object of ir_datasets holds, through whatever unpacks, caches or filters what is in them.

    Functions are not looked into: those that filter queries read judgements, which are looked at for themselves.
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
