"""The package as a wheel in an environment of its own: own data and another system's run, in a folder without a clone."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own-data"
CONFIG = """
extends: quick.yaml
name: mine
depth: 10
queries:
  tea: {passages: passages.jsonl, queries: questions.tsv, judgements: judgements.tsv, measures: [RR@10, nDCG@10]}
grid: [{models: [minilm], codecs: [fp16, residual-2], presets: [exact]}, {models: [pooled], codecs: [fp16], presets: [flat]}]
runs:
  theirs: {file: theirs.tsv, queries: tea, model: another system, search: by hand, against: minilm, depth: 10}
baseline: null
latency: null
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The ``bench`` of a fresh environment that has the wheel, and sees the dependencies of this one."""
    folder = tmp_path_factory.mktemp("installed")
    kept = ("bench", "workflow", "config", "profiles", "results", "Snakefile", "README.md", "pyproject.toml")
    (folder / "source").mkdir()
    for name in kept:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / "source" / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source")]
    subprocess.run(wheel, check=True, capture_output=True)
    shutil.rmtree(folder / "source")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    (built,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(built)], check=True, capture_output=True)
    place = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True, text=True
    ).stdout.strip()
    others = [path for path in sys.path if path.endswith("site-packages")]
    Path(place, "dependencies.pth").write_text("\n".join(others))
    return folder / "venv" / "bin" / "bench"


def called(installed, folder, *words):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([installed, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_an_installed_wheel_says_its_version_and_plans_a_config_of_the_package_or_of_this_folder(installed, tmp_path):
    assert called(installed, tmp_path, "--version").stdout == "0.1.0\n"
    done = called(installed, tmp_path, "run", "ci.yaml", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "index_uncompressed" in done.stdout
    refused = called(installed, tmp_path, "run", "nosuch.yaml")
    assert (refused.returncode, refused.stderr) == (
        1,
        "bench run: SettingsError: config file nosuch.yaml does not exist\n",
    )
    assert list(tmp_path.glob("build/*")) == []


@pytest.mark.slow
def test_own_data_and_a_run_of_another_system_are_in_table_1_of_a_folder_without_a_clone(installed, tmp_path):
    for file in EXAMPLE.iterdir():
        if file.suffix != ".yaml":
            shutil.copy2(file, tmp_path)
    (tmp_path / "mine.yaml").write_text(CONFIG)
    ids = [line.partition("\t")[0] for line in (EXAMPLE / "judgements.tsv").read_text().splitlines()[1:]]
    best = dict.fromkeys(ids)
    for line in (EXAMPLE / "judgements.tsv").read_text().splitlines()[1:]:
        query, passage, _ = line.split("\t")
        best[query] = best[query] or passage
    (tmp_path / "theirs.tsv").write_text("".join(f"{query}\t{passage}\t1\n" for query, passage in best.items()))
    done = called(installed, tmp_path, "run", "mine.yaml", "--cores", "2")
    assert done.returncode == 0, done.stderr[-3000:]
    with (tmp_path / "results" / "mine" / "table1_quality.csv").open() as stream:
        rows = {(row["model"], row["codec"]): row for row in csv.DictReader(stream)}
    assert {("minilm", "fp16"), ("minilm", "residual-2"), ("pooled", "fp16")} <= set(rows)
    (theirs,) = [row for (_, codec), row in rows.items() if codec == "external"]
    assert float(theirs["RR@10"]) == 1.0
    assert (tmp_path / "results" / "mine" / "report.html").stat().st_size > 10_000
