"""Numba with a cache of compiled code for each version of the loops, which all clones of that version share.

Numba caches code by the path of a function's file and its time of change. It does not notice a change in another file from
which a function is inlined, and it compiles a copy of the source tree again. This module therefore keeps the code in a
folder that is named by a digest of all files with compiled loops, below the user's cache or ``NUMBA_CACHE_DIR``.
"""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numba
from numba.core import caching

HERE = Path(__file__).parents[1]
SOURCES = (
    "machine/simd.py",
    "codec/loops.py",
    "codec/token_loops.py",
    "index/inverted.py",
    "search/kernels/loops.py",
    "search/kernels/grouped_loops.py",
    "search/kernels/scoring.py",
)
NUMBAS_OWN = "UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator"


def _folder() -> Path:
    digest = hashlib.sha256(b"".join((HERE / source).read_bytes() for source in SOURCES)).hexdigest()[:16]
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR) / digest
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = home if os.access(home if home.exists() else home.parent, os.W_OK) else Path(tempfile.gettempdir())
    return root / "colbertv2-bench" / digest


_FOLDER = _folder()


class Locator(caching.InTreeCacheLocator):
    """Where numba keeps the code of the loops of this package; the code of other packages stays where it is."""

    def __init__(self, py_func: Callable, py_file: str):
        super().__init__(py_func, py_file)
        self._cache_path = str(_FOLDER / Path(py_file).parent.relative_to(HERE))

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> "Locator | None":
        return super().from_function(py_func, py_file) if Path(py_file).is_relative_to(HERE) else None


numba.config.CACHE_LOCATOR_CLASSES = f"{__name__}.Locator,{numba.config.CACHE_LOCATOR_CLASSES or NUMBAS_OWN}"

compiled = functools.partial(numba.njit, nogil=True, cache=True, error_model="numpy")
inlined = numba.njit(inline="always", error_model="numpy")
