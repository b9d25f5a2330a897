"""Files that come with the package: the workflow, the configs, the printed numbers."""

import functools
import importlib.metadata
from pathlib import Path

from bench.errors import DamagedFileError
from bench.files.provenance import ROOT

DISTRIBUTION = "colbertv2-bench"
WORKFLOW = "Snakefile"


@functools.cache
def shipped() -> Path:
    """Return the folder of these files: that of the clone, or where an installed wheel has put them.

    Raise DamagedFileError for an installation without them.
    """
    if (ROOT / WORKFLOW).is_file():
        return ROOT
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == WORKFLOW:
            return Path(str(file.locate())).resolve().parent
    raise DamagedFileError(f"{ROOT} has no {WORKFLOW}, nor does the installed {DISTRIBUTION}: install it again")


def config_path(given: Path) -> Path:
    """Return a config file, or that of the same name which comes with the package where there is none here."""
    return given if given.exists() or given.parent != Path() else _existing(shipped() / "config" / given.name, given)


def _existing(path: Path, otherwise: Path) -> Path:
    return path if path.exists() else otherwise
