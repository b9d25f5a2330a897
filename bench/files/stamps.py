"""Which large files of a folder were hashed in the state that they are in.

Hashing takes seconds a gigabyte, and an index is opened by every job that searches it. A file of ``LARGE`` bytes or more is
therefore hashed when a folder is first opened, and again as soon as the system says that it is another file or was written
(another inode, size, or time of change), or the manifest is another one. A copy is another file, so that it is hashed once.
What costs a pass over a large file, such as a search for NaN, is done when the file is hashed. Where the folder cannot be
written, nothing is noted and every opening hashes. Bits that change on a disk without a write are found by ``bench verify``,
which ignores what was noted.
"""

import contextlib
import contextvars
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = ".hashed.json"
LARGE = 2**24
SETTLED = 2.0  # seconds; a file that was written since may be written again within one tick of its time of change

Stamps = dict[str, list[int | str]]
_ignored = contextvars.ContextVar("_ignored", default=False)


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """Take every file for one that was never hashed."""
    token = _ignored.set(True)
    try:
        yield
    finally:
        _ignored.reset(token)


def stamp(path: Path, folder: str) -> list[int | str]:
    """Return what stays the same of a file as long as nobody writes it, and the digest of its folder."""
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, folder]


def settled(path: Path) -> bool:
    """Whether a file is so old that another write would change its time of change."""
    return time.time() - path.stat().st_ctime > SETTLED


def read(folder: Path) -> Stamps:
    """Return the stamps of a folder by file name, none if there are none that can be read."""
    if _ignored.get():
        return {}
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(folder: Path, stamps: Mapping[str, list[int | str]]) -> None:
    """Note the stamps, where the folder can be written."""
    temporary = folder / f"{NAME}.{os.getpid()}.partial"
    with contextlib.suppress(OSError):
        temporary.write_text(json.dumps(dict(stamps)), encoding="utf-8")
        temporary.replace(folder / NAME)
