"""Power loss, as far as system calls show it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.torture.flushed import build_traced, lost


def why_not():
    """Why nothing can be traced here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"tracing is not permitted: {done.stderr.strip()[:100]}"


@pytest.mark.slow
def test_files_and_folders_of_every_kind_are_on_the_disk_before_their_manifest_has_its_name(tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    events = build_traced(tmp_path / "made", tmp_path / "log")
    found = {}
    for path in (tmp_path / "made").rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        found[manifest["kind"]] = found.get(manifest["kind"], []) + lost(events, path.parent, list(manifest["files"]))
    kinds = {"codec", "codes", "centroids", "corpus", "index", "model", "queries", "query-vectors", "residuals", "tuples"}
    assert found == {kind: [] for kind in kinds | {"vectors"}}


FOLDER = Path("/x/f")
GOOD = [
    ("flushed", Path("/x")),
    ("written", FOLDER / "a.npy"),
    ("flushed", FOLDER / "a.npy"),
    ("renamed", FOLDER / "a.npy"),
    ("flushed", FOLDER / "a.npy"),
    ("flushed", FOLDER),
    ("written", FOLDER / "manifest.json"),
    ("flushed", FOLDER / "manifest.json"),
    ("renamed", FOLDER / "manifest.json"),
    ("flushed", FOLDER),
]


def test_each_missing_flush_is_found():
    assert lost(GOOD, FOLDER, ["a.npy"]) == []
    for number, said in (
        (0, "name of the folder"),
        (4, "a.npy is written"),
        (5, "names of files"),
        (7, "before it is"),
        (9, "name of the manifest"),
    ):
        assert any(said in each for each in lost(GOOD[:number] + GOOD[number + 1 :], FOLDER, ["a.npy"])), said
    assert lost(GOOD[:8], FOLDER, ["a.npy"]) == ["its manifest was never named"]
