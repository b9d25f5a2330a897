"""Numba with the compiled code of each version of our loops apart.

Numba itself keeps code beside the file of a function and asks when that file was changed; a function inlined from another
file may have changed since. So it is kept in a folder named by a digest of all files with compiled loops, below the
user's cache or ``NUMBA_CACHE_DIR``.
"""

import functools
import hashlib
import os
import tempfile
from pathlib import Path

import numba

HERE = Path(__file__).parent
SOURCES = (
    "lanes.py",
    "codec/loops.py",
    "index/inverted.py",
    "search/kernels/loops.py",
    "search/kernels/scoring.py",
)


def _folder() -> Path:
    digest = hashlib.sha256(b"".join((HERE / source).read_bytes() for source in SOURCES)).hexdigest()[:16]
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR) / digest
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = home if os.access(home if home.exists() else home.parent, os.W_OK) else Path(tempfile.gettempdir())
    return root / "colbertv2-bench" / digest


numba.config.CACHE_DIR = str(_folder())

compiled = functools.partial(numba.njit, nogil=True, cache=True, error_model="numpy")
inlined = numba.njit(inline="always", error_model="numpy")
