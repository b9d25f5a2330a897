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
    """What one worker takes at a time: a file, and all tests of the workflow, which share a run of it and take longest."""
    folder = Path(__file__).parent
    items.sort(key=lambda item: item.path.parent != folder / "workflow")
    for item in items:
        first, *more = item.path.relative_to(folder).parts
        item.add_marker(pytest.mark.xdist_group("workflow" if first == "workflow" else "/".join((first, *more))))


def pytest_unconfigure():
    shutil.rmtree(_HOME, ignore_errors=True)
