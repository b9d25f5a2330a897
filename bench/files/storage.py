"""Files that are either complete or absent: atomic writes, and folders that become valid with a manifest, written last."""

import contextlib
import hashlib
import json
import math
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import header_data_from_array_1_0, open_memmap, write_array_header_1_0
from numpy.lib.format import read_array as read_npy

from bench.errors import DamagedFileError, SettingsError
from bench.files import lock, space, stamps
from bench.machine.memory import is_short

MANIFEST = "manifest.json"
OWN = "sha256"  # of the manifest itself


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
    """Create a folder and its parents if they do not exist, and flush their names to disk.

    Raise SettingsError if a file has the name of a folder.
    """
    absent = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise SettingsError(f"{folder} cannot be a folder, since {error.filename} is a file; name another output") from error
    for each in absent:
        flush(each.parent)


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``. On success, flush the file to disk and rename it; on error, remove it.

    The file has the mode of every new file, whatever wrote it. Raise SettingsError if a file has the name of a parent
    folder, and DiskFullError if the disk is full.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with space.explained(path):
            temporary.touch()
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)
            flush(temporary)
            temporary.replace(path)
            flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until the disk has the content of a file, or the names of a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    write_text(path, json_text(value))


def read_json(path: Path) -> Any:
    """Return the parsed content of a JSON file. Raise DamagedFileError if the file is missing or invalid."""
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text, parse_constant=_no_number)
        if "\\ud" in text.lower():  # half a surrogate pair may stand as such an escape alone
            json_text(value).encode()
        return value
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing") from error
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} is not valid JSON: {error}") from error


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number")


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file that this harness wrote. Raise DamagedFileError if it is missing or not text."""
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing") from error
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"{path} is not text in UTF-8: {error}") from error


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one ``.npy`` file, without pickling."""
    with growing_array(path, array.shape, array.dtype) as out:
        out[...] = array


@contextlib.contextmanager
def growing_array(path: Path, shape: tuple[int, ...], dtype: np.dtype | type) -> Iterator[np.ndarray]:
    """Yield a memory-mapped ``.npy`` array of known shape to fill in parts; an empty array is not memory-mapped.

    Its room on the disk is reserved first. Raise DiskFullError if there is too little, and ValueError for Python objects.
    """
    kind = np.dtype(dtype)
    if kind.hasobject:
        raise ValueError(f"{path} cannot hold Python objects: arrays are written with allow_pickle=False")
    with atomic(path) as temporary:
        with temporary.open("wb") as stream:
            write_array_header_1_0(stream, header_data_from_array_1_0(np.empty((0,), kind)) | {"shape": shape})
            stream.flush()
            start = stream.tell()
            space.reserve(stream.fileno(), start + math.prod(shape) * kind.itemsize, path)
        if 0 in shape:
            yield np.empty(shape, kind)
        else:
            mapped = np.memmap(temporary, kind, "r+", start, shape)
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
    except Exception as error:  # numpy reads a header as Python, which raises anything
        if is_short(error):
            raise MemoryError(f"{path}: {error}") from error
        raise DamagedFileError(f"{path} is not a readable .npy file: {' '.join(str(error).split())[:200]}") from error


def release(array: np.ndarray) -> None:
    """Release the pages of a memory-mapped array that were read or written so far; the content stays in the file."""
    whole: Any = array
    while whole is not None and not isinstance(whole, mmap.mmap):
        whole = getattr(whole, "base", None)
    if whole is not None:
        whole.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class Manifest:
    """The content of ``manifest.json``, which holds beside these fields ``sha256``, a digest of all of them.

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
        fields = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        return {**fields, OWN: digest_of(fields)}

    def check_counts(self, folder: Path, **found: int) -> None:
        """Raise DamagedFileError if a count differs from what the files hold."""
        for name, count in found.items():
            if self.counts.get(name) != count:
                raise DamagedFileError(
                    f"{folder / MANIFEST} says {self.counts.get(name, 'nothing')} of {name}, the files hold {count}; "
                    "rebuild the folder"
                )


def _plain(value: Any) -> Any:
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


class FolderWriter:
    """Writer that registers the files of a folder; ``close`` writes the manifest that makes the folder valid.

    An old manifest is removed first, so that an interrupted writer leaves no folder that looks complete. A second writer of
    the folder is refused with BusyError until the first one is closed or gone.
    """

    def __init__(self, folder: Path, kind: str, version: int):
        self.folder, self.kind, self.version = folder, kind, version
        self._names: set[str] = set()
        make_folder(folder)
        with space.explained(folder / MANIFEST):
            self._release = lock.hold(folder, self)
        self._mode = (folder / lock.NAME).stat().st_mode
        for left in (folder / MANIFEST, folder / stamps.NAME, *folder.glob(".*.partial")):  # partial: of a killed writer
            left.unlink(missing_ok=True)

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
        """Flush the registered files, compute their digests and write the manifest.

        Raise BusyError if the folder was removed meanwhile.
        """
        try:
            lock.check(self.folder, self._release)
            manifest = Manifest(
                kind=self.kind,
                version=self.version,
                settings=settings or {},
                inputs=inputs or {},
                counts=counts or {},
                context=context or {},
                files={name: self._finished(self.folder / name) for name in sorted(self._names)},
            )
            flush(self.folder)
            flush(self.folder.parent)
            write_json(self.folder / MANIFEST, manifest.as_json())
        finally:
            self._release()
        return manifest

    def _finished(self, path: Path) -> dict[str, Any]:
        """Return size and digest of a file on the disk, readable by all who can read other new files."""
        path.chmod(self._mode)
        flush(path)
        return {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
