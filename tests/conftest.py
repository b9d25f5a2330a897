"""What every test needs: a home of its own for ir_datasets, set before anything imports it, and the tiny model."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

pytest_plugins = [f"tests.fixtures_{name}" for name in ("device", "model", "index", "training", "layouts")]

_HOME = tempfile.mkdtemp(prefix="bench-ir-datasets-")
os.environ["IR_DATASETS_HOME"] = _HOME


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """What one worker takes at a time: a file; first all tests that share a run of the workflow."""

    def shares_run(item):
        return "finished" in item.fixturenames

    items.sort(key=lambda item: not shares_run(item))
    for item in items:
        group = "finished" if shares_run(item) else item.path.relative_to(Path(__file__).parent).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_unconfigure():
    shutil.rmtree(_HOME, ignore_errors=True)
