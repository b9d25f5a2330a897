"""Folders opened: the manifest, the names that it must list, and the digests of the files."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.errors import DamagedFileError
from bench.files import stamps
from bench.files.storage import MANIFEST, OWN, Manifest, digest_of, read_json, sha256_file


def read_manifest(folder: Path, kind: str, version: int, verb: str, files: Collection[str] = ()) -> Manifest:
    """Return the manifest of a folder of the given kind and version. Raise DamagedFileError for any other folder.

    verb: the ``bench`` command that creates such folders; files: names that the manifest must list.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise DamagedFileError(f"{folder} has no {MANIFEST}: it is not a finished {kind} folder; rebuild it")
    manifest = parse_manifest(read_json(path), path)
    if manifest.kind != kind:
        raise DamagedFileError(f"{path} describes a {manifest.kind!r} folder, but a {kind!r} folder was expected here")
    if manifest.version != version:
        raise DamagedFileError(
            f"{path} has format version {manifest.version}, this code reads {version}; delete {folder} and rebuild it "
            f"(make results, or `bench {verb}`)"
        )
    check_listed(folder, manifest, files)
    return manifest


def check_listed(folder: Path, manifest: Manifest, files: Collection[str]) -> None:
    """Raise DamagedFileError if a manifest does not list one of the files."""
    if absent := sorted(set(files) - set(manifest.files)):
        raise DamagedFileError(f"{folder / MANIFEST} does not list {absent[0]}, which such a folder has; rebuild it")


def parse_manifest(raw: Any, path: Path) -> Manifest:
    """Return the manifest in a JSON value. Raise DamagedFileError for another shape or an edited content."""
    names = set(Manifest.__dataclass_fields__)
    if not isinstance(raw, dict) or set(raw) != names | {OWN}:
        found = sorted(raw) if isinstance(raw, dict) else type(raw).__name__
        raise DamagedFileError(f"{path} holds {found}, not the fields {sorted(names | {OWN})}; rebuild the folder")
    own = raw.pop(OWN)
    if own != digest_of(raw):
        raise DamagedFileError(f"{path} was changed after it was written: its sha256 is not {own!r}; rebuild the folder")
    mappings = {name: raw[name] for name in names - {"kind", "version"}}
    if not (isinstance(raw["kind"], str) and _is_count(raw["version"])):
        raise DamagedFileError(f"{path} has kind {raw['kind']!r} and version {raw['version']!r}; rebuild the folder")
    if wrong := sorted(name for name, value in mappings.items() if not isinstance(value, dict)):
        raise DamagedFileError(f"{path}: {wrong[0]} is {raw[wrong[0]]!r}, expected a mapping; rebuild the folder")
    if wrong := sorted(name for name, value in raw["counts"].items() if not _is_count(value)):
        raise DamagedFileError(f"{path}: count {wrong[0]} is {raw['counts'][wrong[0]]!r}; rebuild the folder")
    for name, entry in raw["files"].items():
        plain = name not in ("", ".", "..") and "/" not in name and "\0" not in name
        if not plain or not isinstance(entry, dict) or set(entry) != {"bytes", "sha256"} or not _is_count(entry["bytes"]):
            raise DamagedFileError(f"{path}: file {name!r} is {entry!r}, expected bytes and sha256; rebuild the folder")
    said: dict[str, Any] = {name: _Fields(raw[name], f"{name} of {path}") for name in mappings}
    return Manifest(kind=raw["kind"], version=raw["version"], **said)


class _Fields(dict):
    """What a manifest says under one of its names; what it does not say is refused and never a KeyError."""

    def __init__(self, values: Mapping[str, Any], where: str):
        super().__init__(values)
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise DamagedFileError(f"{self._where} do not say {key!r}, which such a folder has; rebuild it")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Compare the presence and size of every file with the manifest. Raise DamagedFileError for the first difference."""
    for name, expected in sorted(manifest.files.items()):
        path = folder / name
        if not path.is_file():
            raise DamagedFileError(f"{path} is missing, but {folder / MANIFEST} lists it; rebuild the folder")
        if (size := path.stat().st_size) != expected["bytes"]:
            raise DamagedFileError(f"{path} has {size} bytes, its manifest says {expected['bytes']}; rebuild the folder")


@contextlib.contextmanager
def verified(folder: Path, manifest: Manifest) -> Iterator[frozenset[str]]:
    """Compare size and sha256 of the files of a manifest with it. Raise DamagedFileError for the first difference.

    Yield the names of the files that were hashed: all but large ones that were opened before and not written since
    (``bench.files.stamps``). What their content must be is checked in the block; a block that raises leaves nothing noted.
    """
    check_sizes(folder, manifest)
    known = stamps.read(folder)
    noted, hashed = dict(known), set()
    for name, expected in sorted(manifest.files.items()):
        path, large = folder / name, expected["bytes"] >= stamps.LARGE
        before, settled = stamps.stamp(path, manifest.digest), stamps.settled(path)
        if large and known.get(name) == before:
            continue
        if (found := sha256_file(path)) != expected["sha256"]:
            raise DamagedFileError(f"{path} has sha256 {found}, its manifest says {expected['sha256']}; rebuild it")
        hashed.add(name)
        if large and settled:
            noted[name] = before
    yield frozenset(hashed)
    if noted != known:
        stamps.write(folder, noted)


def open_folder(folder: Path, kind: str, version: int, verb: str, files: Collection[str] = ()) -> Manifest:
    """Read the manifest of a folder and verify all its files: the standard way to open a folder."""
    manifest = read_manifest(folder, kind, version, verb, files)
    with verified(folder, manifest):
        return manifest
