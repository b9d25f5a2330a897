"""A folder that one process writes at a time. The lock ends with the process, also if the process is killed."""

import fcntl
import os
import weakref
from pathlib import Path

from bench.errors import BusyError

NAME = ".writing"


def hold(folder: Path, owner: object) -> weakref.finalize:
    """Lock a folder until the result is called, or ``owner`` or this process is gone.

    Raise BusyError if another writer has the folder.
    """
    path = folder / NAME
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise BusyError(f"{folder} is being written by another process: wait for it, or name another output") from error
        if _is(path, descriptor):
            return weakref.finalize(owner, _release, path, descriptor)
        os.close(descriptor)  # the writer before removed the file that was opened here


def check(folder: Path, held: weakref.finalize) -> None:
    """Raise BusyError if the folder that ``hold`` locked was removed since, and perhaps made again by another writer."""
    kept = held.peek()
    if kept is None or not _is(*kept[2]):
        raise BusyError(f"{folder} was removed while it was written, and may be another process's now: write it again")


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _release(path: Path, descriptor: int) -> None:
    if _is(path, descriptor):
        path.unlink()
    os.close(descriptor)
