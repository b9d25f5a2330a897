"""What every test needs: a home of its own for ir_datasets, set before anything imports it, and the tiny model."""

import os
import shutil
import tempfile

pytest_plugins = [f"tests.fixtures_{name}" for name in ("device", "model", "index", "training", "layouts")]

_HOME = tempfile.mkdtemp(prefix="bench-ir-datasets-")
os.environ["IR_DATASETS_HOME"] = _HOME


def pytest_unconfigure():
    shutil.rmtree(_HOME, ignore_errors=True)
