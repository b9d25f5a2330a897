import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.index.index import open_index

MEASURED = """
import sys
from pathlib import Path

import numpy as np

from bench.index.index import open_index
from bench.search import colbertv2, exact, plaid
from bench.search.kernels import cpu
from bench.search.engines import open_engine
from bench.config.presets import ColBERTv2Preset, ExactPreset, PlaidPreset


def private():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


presets = {
    "exact": ExactPreset(),
    "colbertv2": ColBERTv2Preset(nprobe=4, ncandidates=256),
    "plaid": PlaidPreset(ncells=4, centroid_score_threshold=0.3, ndocs=1024),
}
queries = np.random.default_rng(0).standard_normal((300, 32, 16)).astype(np.float32)
before = private()
engine = open_engine(presets[sys.argv[2]], open_index(Path(sys.argv[1])))
engine.search(queries[:5], 100)
few = private()
engine.search(queries, 100)
print(before, few, private())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="private memory is read from /proc")
@pytest.mark.parametrize("engine", ["exact", "colbertv2", "plaid"])
def test_searching_takes_bounded_private_memory_however_many_the_queries(tmp_path_factory, small_index, engine):
    folder = tmp_path_factory.mktemp("memory")
    small_index(folder, np.full(1500, 20), nbits=2, centroids=1024)
    command = [sys.executable, "-c", MEASURED, str(folder / "index"), engine]
    subprocess.run(command, check=True, capture_output=True)  # compiles, so that the next process only loads
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    before, few, many = map(int, done.stdout.split())
    vectors = len(open_index(folder / "index").compressed.codes)
    assert few - before < 64e6 + 8 * vectors
    assert many - few < 4e6
