"""The config of the README, as a newcomer copies it."""

import shutil
from pathlib import Path

from bench.config.plan import load

ROOT = Path(__file__).resolve().parents[2]


def test_the_config_of_the_readme_makes_a_plan(tmp_path):
    shutil.copy(ROOT / "config" / "quick.yaml", tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "mine.yaml").write_text(text)
    found = load(tmp_path / "mine.yaml", ROOT / "config" / "datasets.yaml")
    assert sorted(entry.id for entry in found.entries.values()) == ["beir/scifact/test", "vaswani"]
    assert {(run.model, run.codec, run.preset) for run in found.runs} == {
        *(("mine", codec, "exact") for codec in ("fp16", "residual-2", "residual-1")),
        *(("mine", codec, "plaid") for codec in ("residual-2", "residual-1")),
    }
