"""Files that are either complete or absent: atomic writes, and folders that become valid with a manifest, written last."""

import contextlib
import hashlib
import json
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.lib.format import read_array as read_npy

from bench.errors import DamagedFileError, SettingsError

MANIFEST = "manifest.json"


def sha256_file(path: Path) -> str:
    """Return the SHA-256 hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 hex digest of a JSON value, independent of the order of its keys."""
    return hashlib.sha256(json_text(value).encode()).hexdigest()


def json_text(value: Any) -> str:
    """Return the canonical JSON text used on disk: sorted keys, indentation of two spaces, final newline, no NaN."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def make_folder(folder: Path) -> None:
    """Create a folder and its parents if they do not exist. Raise SettingsError if a file has the name of a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise SettingsError(f"{folder} cannot be a folder, since {error.filename} is a file; name another output") from error


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``. On success, flush the file to disk and rename it; on error, remove it.

    Raise SettingsError if a file has the name of a parent folder.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    write_text(path, json_text(value))


def read_json(path: Path) -> Any:
    """Return the parsed content of a JSON file. Raise DamagedFileError if the file is missing or invalid."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DamagedFileError(f"{path} is not valid JSON: {error}") from error


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one ``.npy`` file, without pickling."""
    with atomic(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.ascontiguousarray(array), allow_pickle=False)


@contextlib.contextmanager
def growing_array(path: Path, shape: tuple[int, ...], dtype: np.dtype | type) -> Iterator[np.ndarray]:
    """Yield a memory-mapped ``.npy`` array of known shape to fill in parts; an empty array is not memory-mapped."""
    with atomic(path) as temporary:
        if 0 in shape:
            array = np.empty(shape, dtype)
            with temporary.open("wb") as stream:
                np.save(stream, array, allow_pickle=False)
            yield array
        else:
            mapped = open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
            yield mapped
            mapped.flush()


def read_array(path: Path, *, mapped: bool = True) -> np.ndarray:
    """Return the array of a ``.npy`` file, memory-mapped by default. Raise DamagedFileError for an unreadable file."""
    try:
        if mapped:
            return open_memmap(path, mode="r")
        with path.open("rb") as stream:
            return read_npy(stream, allow_pickle=False)
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing") from error
    except (ValueError, EOFError, OSError) as error:
        raise DamagedFileError(f"{path} is not a readable .npy file: {error}") from error


def release(array: np.ndarray) -> None:
    """Release the pages of a memory-mapped array that were read or written so far; the content stays in the file."""
    whole: Any = array
    while whole is not None and not isinstance(whole, mmap.mmap):
        whole = getattr(whole, "base", None)
    if whole is not None:
        whole.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class Manifest:
    """The content of ``manifest.json``.

    kind and version determine which reader understands the folder; settings, inputs (digests of the source folders), counts
    and context describe the origin of the folder; files maps each file name to its bytes and sha256.
    """

    kind: str
    version: int
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    counts: Mapping[str, int]
    context: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]]

    @property
    def digest(self) -> str:
        """Identity of the content: kind, version and files of the folder, independent of time and code of its creation."""
        return digest_of({"kind": self.kind, "version": self.version, "files": dict(self.files)})

    def as_json(self) -> dict[str, Any]:
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


def _plain(value: Any) -> Any:
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


class FolderWriter:
    """Writer that registers the files of a folder; ``close`` writes the manifest that makes the folder valid.

    An old manifest is removed first, so that an interrupted writer leaves no folder that looks complete.
    """

    def __init__(self, folder: Path, kind: str, version: int):
        self.folder, self.kind, self.version = folder, kind, version
        self._names: set[str] = set()
        make_folder(folder)
        (folder / MANIFEST).unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Register the file ``name`` for the manifest and return its path."""
        self._names.add(name)
        return self.folder / name

    def array(self, name: str, array: np.ndarray) -> None:
        write_array(self.path(name), array)

    def close(
        self,
        *,
        settings: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        counts: Mapping[str, int] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Manifest:
        """Compute the digests of the registered files and write the manifest."""
        files = {
            name: {"bytes": (self.folder / name).stat().st_size, "sha256": sha256_file(self.folder / name)}
            for name in sorted(self._names)
        }
        manifest = Manifest(
            kind=self.kind,
            version=self.version,
            settings=settings or {},
            inputs=inputs or {},
            counts=counts or {},
            context=context or {},
            files=files,
        )
        write_json(self.folder / MANIFEST, manifest.as_json())
        return manifest


def read_manifest(folder: Path, kind: str, version: int, verb: str) -> Manifest:
    """Return the manifest of a folder of the given kind and version. Raise DamagedFileError for any other folder.

    verb: the ``bench`` command that creates such folders.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise DamagedFileError(f"{folder} has no {MANIFEST}: it is not a finished {kind} folder; rebuild it")
    raw = read_json(path)
    fields = set(Manifest.__dataclass_fields__)
    if not isinstance(raw, dict) or set(raw) != fields:
        found = sorted(raw) if isinstance(raw, dict) else type(raw).__name__
        raise DamagedFileError(f"{path} holds {found}, not the fields {sorted(fields)}; rebuild the folder")
    if raw["kind"] != kind:
        raise DamagedFileError(f"{path} describes a {raw['kind']!r} folder, but a {kind!r} folder was expected here")
    if raw["version"] != version:
        raise DamagedFileError(
            f"{path} has format version {raw['version']}, this code reads {version}; delete {folder} and rebuild it "
            f"(make results, or `bench {verb}`)"
        )
    return Manifest(**raw)


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare size and sha256 of every file with the manifest. Raise DamagedFileError for the first difference."""
    for name, expected in sorted(manifest.files.items()):
        path = folder / name
        if not path.exists():
            raise DamagedFileError(f"{path} is missing, but {folder / MANIFEST} lists it; rebuild the folder")
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise DamagedFileError(f"{path} has {size} bytes, its manifest says {expected['bytes']}; rebuild the folder")
        if (found := sha256_file(path)) != expected["sha256"]:
            raise DamagedFileError(f"{path} has sha256 {found}, its manifest says {expected['sha256']}; rebuild it")


def open_folder(folder: Path, kind: str, version: int, verb: str) -> Manifest:
    """Read the manifest of a folder and verify all its files: the standard way to open a folder."""
    manifest = read_manifest(folder, kind, version, verb)
    verify(folder, manifest)
    return manifest
