import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.errors import SettingsError
from bench.evaluation import gpu_check, gpu_data
from bench.search.ranking import Ranking

ROOT = Path(__file__).parents[2]
MISSING = ("bm25s", "cyclopts", "faiss", "ir_datasets", "ir_measures", "pandas", "pydantic", "snakemake")


def test_rankings_are_equal_differ_by_ties_or_differ():
    expected = Ranking(np.array([3, 1, 2]), np.array([9.0, 8.0, 7.0], np.float32))
    swapped = Ranking(np.array([3, 2, 1]), expected.scores)
    lower = Ranking(expected.passages, np.array([9.0, 8.0, 6.9], np.float32))
    shorter = Ranking(expected.passages[:2], expected.scores[:2])
    kinds = [gpu_check._difference(found, expected) for found in (expected, swapped, lower, shorter)]
    assert kinds == ["equal", "ties", "different", "different"]


def test_made_vectors_are_unit_vectors_of_passages_and_queries_are_near_one_of_them():
    vectors, doclens = gpu_data.passages(50, 32, 1, "cpu")
    assert vectors.dtype == np.float16
    assert doclens.sum() == len(vectors)
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=2e-3)
    again, _ = gpu_data.passages(50, 32, 1, "cpu")
    np.testing.assert_array_equal(vectors, again)
    asked = gpu_data.queries(vectors, doclens, 3, 8, 2)
    assert asked.shape == (3, 8, 32)
    np.testing.assert_allclose(np.linalg.norm(asked, axis=2), 1, atol=1e-6)
    owners = np.repeat(np.arange(50), doclens)
    best = owners[(asked.reshape(-1, 32) @ vectors.astype(np.float32).T).argmax(axis=1)].reshape(3, 8)
    assert [len(set(row)) for row in best.tolist()] == [1, 1, 1]


def test_limits_are_operations_and_bytes_a_second():
    limits = gpu_check.limits_of("cpu")
    assert limits.operations > 1e6
    assert limits.bytes > 1e6


def test_an_unknown_device_is_refused():
    with pytest.raises(SettingsError, match="device 'tpu' is not one of"):
        gpu_check.refuse_without("tpu")


@pytest.mark.slow
def test_the_check_starts_where_the_packages_of_the_command_line_are_missing(tmp_path):
    for name in MISSING:
        (tmp_path / f"{name}.py").write_text("raise ImportError(__name__)")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("TRITON_INTERPRET", None)
    command = [sys.executable, "-m", "bench", "gpu-check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("bench gpu-check: SettingsError: Triton's kernels need")
