"""What every test needs: a home of its own for ir_datasets, set before anything imports it, and the tiny model."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

pytest_plugins = [f"tests.fixtures_{name}" for name in ("browser", "device", "model", "index", "training", "layouts")]

_MADE = "BENCH_TESTS_HOME" not in os.environ  # the workers of a run share the home of the process that started them
if _MADE:
    os.environ["BENCH_TESTS_HOME"] = tempfile.mkdtemp(prefix="bench-ir-datasets-")
os.environ["IR_DATASETS_HOME"] = _HOME = os.environ["BENCH_TESTS_HOME"]


def pytest_itemcollected(item):
    """What one worker takes at a time: a file, or one of the tests that look at a finished run of the workflow.

    Not in ``pytest_collection_modifyitems``: pytest-xdist reads the groups there, before any conftest.
    """
    group = item.nodeid if _needs_run(item) else item.path.relative_to(Path(__file__).parent).as_posix()
    item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_modifyitems(items):
    """The workflow is run by the first test, while other workers take those that do not need it."""
    needing = [item for item in items if _needs_run(item)]
    items[:] = [*needing[:1], *(item for item in items if not _needs_run(item)), *needing[1:]]


def _needs_run(item):
    return "finished" in item.fixturenames


def pytest_unconfigure():
    if _MADE:
        shutil.rmtree(_HOME, ignore_errors=True)
