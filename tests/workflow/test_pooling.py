"""Pool factors in the DAG: shards are merged and never encoded again, and only what a factor makes is made anew."""

import json

import pytest

from bench.cli import main
from tests.workflow.test_workflow import REPORT

ITEM = "{models: [minilm], codecs: [opq-8x4], presets: [exact]}"
MODEL = "build/pydocs-tiny/minilm"
RUN = f"{MODEL}/fp16.pool-2/exact/pydocs-tiny"
REPORTS = ("tables", "figures", "codecs_report", "protocol_report", "published", "records")


def test_another_factor_merges_stored_shards_and_makes_what_follows_for_every_codec(tree, tmp_path):
    factors = {}
    for pool in ("[1]", "[1, 2]", "[1, 2, 3]"):
        config = tmp_path / "pool.yaml"
        item = f"{{models: [minilm], codecs: [fp16, residual-2, opq-8x4], pool: {pool}, presets: [exact]}}"
        config.write_text(f"extends: {tree.root}/config/ci.yaml\nbaseline: null\nlatency: null\ngrid: [{item}]\n")
        factors[pool] = tree.planned(config=str(config))
    one, two, three = factors.values()
    more = {"merge": 2, "index_uncompressed": 1, "centroids": 2, "assign": 4, "fit": 2, "compress": 4, "index": 2}
    more |= {"size": 3, "search": 3, "evaluate": 3}
    assert {rule: count - one.get(rule, 0) for rule, count in two.items() if count != one.get(rule)} == more
    assert {rule: count - two[rule] for rule, count in three.items() if count != two[rule]} == more


@pytest.mark.slow
def test_a_factor_that_is_added_reruns_nothing_but_reports_and_a_pooled_run_names_its_factor(checkout, monkeypatch, capsys):
    checkout.edit("config/ci.yaml", ITEM, "{models: [minilm], codecs: [fp16], pool: [2], presets: [exact]}\n  - " + ITEM)
    own = {"merge": 2, "index_uncompressed": 1, "size": 1, "search": 1, "evaluate": 1}
    assert checkout.planned() == {**own, **dict.fromkeys(REPORTS, 1), **REPORT}
    made = (f"{RUN}/metrics.json", f"{MODEL}/fp16.pool-2/size.json")
    done = checkout.snakemake("--nocolor", *made)
    assert done.returncode == 0, done.stderr[-4000:]
    metrics, size = (json.loads((checkout.root / name).read_text()) for name in made)
    whole = json.loads((checkout.root / MODEL / "fp16/size.json").read_text())
    assert metrics["codec"] == size["codec"] == "fp16.pool-2"
    assert metrics["run"]["index"]["encode"]["pool"] == size["settings"]["encode"]["pool"] == 2
    assert size["passages"] == whole["passages"] == 200
    assert 0.48 < size["vectors"] / whole["vectors"] < 0.5
    plain = json.loads((checkout.root / MODEL / "fp16/exact/pydocs-tiny/metrics.json").read_text())
    queries = (record["run"]["inputs"]["queries"] for record in (metrics, plain))
    assert len(set(queries)) == 1
    monkeypatch.chdir(checkout.root)
    assert main(["show", f"{RUN}/metrics.json"]) == 0
    shown = capsys.readouterr().out
    assert dict(line.split(maxsplit=1) for line in shown.splitlines() if " " in line)["run.index.encode.pool"] == "2"
    assert f"--codec fp16.pool-2 --preset exact --output {RUN}/metrics.json" in shown
