"""Room on a disk: reserved before anything is written, and refused with what is missing.

Writing into a memory-mapped file that has no blocks yet ends a process by SIGBUS once the disk is full.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.errors import DiskFullError

FULL = (errno.ENOSPC, errno.EDQUOT)
UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL)


def check_free(folder: Path, size: int, what: str) -> None:
    """Raise DiskFullError if the disk of an existing folder has fewer than ``size`` bytes free."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DiskFullError(
            f"{what} takes {size:,} bytes, the disk of {folder} has {free:,} free: {size - free:,} bytes are missing; make "
            "room, or name an output on another disk"
        )


def reserve(descriptor: int, size: int, path: Path) -> None:
    """Give a file ``size`` bytes with blocks behind them. Raise DiskFullError if the disk has too few.

    A file system that cannot reserve blocks is asked for what is free instead.
    """
    check_free(path.parent, size, str(path))
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        os.ftruncate(descriptor, size)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the error of a full disk or an exhausted quota, while ``path`` is written, into DiskFullError."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        free = shutil.disk_usage(path.parent).free
        raise DiskFullError(
            f"{path} cannot be written whole ({error.strerror}): its disk has {free:,} bytes free; make room, or name an "
            "output on another disk"
        ) from error
