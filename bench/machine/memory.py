"""Address space of a process (``ulimit -v``): asked for before a library is loaded that hangs or aborts without it."""

import errno
import importlib.abc
import resource
import sys
from collections.abc import Sequence
from types import ModuleType

EVERY = 200_000_000  # bytes of a process that only reads its flags
NEEDED = {"numba": 600_000_000, "torch": 1_400_000_000}  # bytes of a process that has loaded the library and little data
SAID = (
    "failed to map segment",
    "annot allocate memory",
    "can't allocate memory",
    "nable to allocate",
    "not enough memory",
    "bad_alloc",
    "can't start new thread",
)  # by libraries that raise something else than MemoryError


def limit() -> int | None:
    """Return the bytes of address space that this process may take, None if there is no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def guard() -> None:
    """Refuse a limit that is too low for the command line now, and for a library at its import, with MemoryError."""
    if limit() is None:
        return
    _check("each command", EVERY)
    if not any(isinstance(finder, _Border) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Border())


def is_short(error: BaseException) -> bool:
    """Return whether an error, of whatever class, says that memory is short."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError | ImportError | OSError) and any(said in str(error) for said in SAID)


def explained(error: BaseException) -> str:
    """Return one line on an error of short memory: what was said, the limit if there is one, and what to do."""
    said = " ".join(str(error).split())[:200] or "not enough memory"
    allowed = limit()
    own = "" if allowed is None or "ulimit -v" in said else f"; this process may take {_gb(allowed)} (ulimit -v)"
    return f"{said}{own}; give the process more memory, or ask for less at a time"


class _Border(importlib.abc.MetaPathFinder):
    """Asked before every import; finds nothing itself."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:  # noqa: ARG002
        if fullname in NEEDED:
            _check(f"a command that loads {fullname}", NEEDED[fullname])


def _check(what: str, needed: int) -> None:
    allowed = limit()
    if allowed is not None and allowed < needed:
        raise MemoryError(f"{what} needs {_gb(needed)} of address space, this process may take {_gb(allowed)} (ulimit -v)")


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
