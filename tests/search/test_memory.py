import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.config.presets import ColBERTv2Preset, ExactPreset, PlaidPreset
from bench.index.index import open_index
from bench.search.engines import open_engine

MEASURED = """
import sys
from pathlib import Path

import numpy as np

from bench.index.index import open_index
from bench.search import colbertv2, exact, plaid
from bench.search.kernels import cpu
from bench.search.engines import open_engine
from bench.config import presets


def private():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


preset = getattr(presets, sys.argv[2]).model_validate_json(sys.argv[3])
queries = np.random.default_rng(0).standard_normal((100, 32, 16)).astype(np.float32)
before = private()
engine = open_engine(preset, open_index(Path(sys.argv[1])))
engine.search(queries[:5], 100)
few = private()
engine.search(queries, 100)
print(before, few, private())
"""
PRESETS = [
    ExactPreset(),
    ColBERTv2Preset(nprobe=4, ncandidates=256),
    PlaidPreset(ncells=4, centroid_score_threshold=0.3, ndocs=1024),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_index):
    folder = tmp_path_factory.mktemp("memory")
    small_index(folder, np.full(1500, 20), nbits=2, centroids=1024)
    return folder / "index"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="private memory is read from /proc")
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.engine)
def test_searching_takes_bounded_private_memory_however_many_the_queries(folder, preset):
    index = open_index(folder)
    open_engine(preset, index).search(np.ones((1, 32, 16), np.float32), 100)  # compiles: the other process only loads
    command = [sys.executable, "-c", MEASURED, str(folder), type(preset).__name__, preset.model_dump_json()]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    before, few, many = map(int, done.stdout.split())
    vectors = len(index.compressed.codes)
    assert few - before < 64e6 + 8 * vectors
    assert many - few < 4e6
