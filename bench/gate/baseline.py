"""Baselines: accepted facts, the tolerances that they are compared by, and the commit that made them."""

import subprocess
from pathlib import Path

from pydantic import ValidationError

from bench.config.settings import explained
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.gate import facts
from bench.gate.facts import Facts
from bench.gate.tolerances import Tolerances


def read(path: Path) -> tuple[Facts, Tolerances]:
    """Return accepted facts and their tolerances.

    Raises DamagedFileError or DataError for a file that is none, SettingsError for tolerances that cannot be, or a margin
    of a measure that no row has.
    """
    found, body = facts.read(path)
    if "tolerances" not in body:
        raise DamagedFileError(f"{path} has no tolerances: it is no baseline; make one with bench accept")
    try:
        tolerances = Tolerances.model_validate(body["tolerances"])
    except ValidationError as error:
        raise SettingsError(explained(error, f"tolerances of {path}")) from error
    measures = sorted({measure for row in found.rows["quality"].values() for measure in row["per_query"]})
    if unknown := sorted(set(tolerances.margins) - set(measures)):
        raise SettingsError(f"tolerances.margins of {path} names {unknown[0]!r}, which no row has; the rows have {measures}")
    return found, tolerances


def write(path: Path, found: Facts) -> str:
    """Write a baseline with the tolerances of the one that is there, if any, and return the commit that it is of.

    Raises DataError for facts without a row, or a work tree that is no git repository or has changes that are not committed.
    """
    if not found.rows["quality"]:
        raise DataError(f"{found.source} has no row of quality: there is nothing to accept")
    tolerances = read(path)[1] if path.exists() else Tolerances()
    commit = _commit(path)
    made = Facts(found.rows, {**found.made, "commit": commit}, found.source)
    facts.write(path, made, tolerances=tolerances.model_dump())
    return commit


def _commit(path: Path) -> str:
    """Return the commit of the work tree; the baseline itself may differ from it."""
    try:
        root = Path(_git("rev-parse", "--show-toplevel"))
        changed = [line[3:] for line in _git("status", "--porcelain").splitlines()]
        commit = _git("rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError) as error:
        raise DataError("this is no git work tree with a commit, which a baseline must name; accept in a clone") from error
    resolved = path.resolve()
    if dirty := [name for name in changed if (root / name.strip('"')).resolve() != resolved]:
        raise DataError(
            f"the work tree has changes that are not committed, such as {dirty[0]}: commit them, run, then accept"
        )
    return commit


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.rstrip("\n")
