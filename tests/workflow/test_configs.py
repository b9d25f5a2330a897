"""The configs of the paper are planned whole: no network, no data, in seconds, with as many jobs as a scheduler takes."""

import pytest

from bench.config.data import MOST_SHARDS
from bench.config.datasets import read, slug
from bench.files.provenance import ROOT

JOBS = {  # collections, query sets, runs, and shards of 100,000 passages (of 5,000 in the small ones)
    "msmarco": {"corpus": 1, "queries": 4, "search": 36, "encode": 89, "compress": 4 * 89, "index": 4, "latency": 4},
    "beir": {"corpus": 25, "queries": 25, "search": 50, "encode": 266, "compress": 266, "index": 25},
    "beir-small": {"corpus": 5, "queries": 5, "search": 35, "encode": 23, "compress": 2 * 23, "index": 10, "bm25": 5},
    "lotte": {"corpus": 12, "queries": 24, "search": 48, "encode": 110, "compress": 110, "index": 12},
    "lotte-small": {"corpus": 3, "queries": 6, "search": 24, "encode": 98, "compress": 2 * 98, "index": 6, "bm25": 6},
    "figure3": {"corpus": 3, "queries": 3, "search": 36, "encode": 117, "compress": 2 * 117, "index": 6, "latency": 36},
    "paper": {"corpus": 39, "queries": 55, "search": 138, "encode": 676, "compress": 943, "index": 42, "latency": 4},
}
LARGE = ("msmarco", "beir", "lotte", "paper")
MOST_JOBS = 3000
MOST_SECONDS = 60  # of CPU, three times what it takes: a plan whose time grows with the square of its jobs takes more


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in JOBS])
def test_a_config_is_planned_without_network_or_data_and_prints_its_jobs_per_rule(tree, tmp_path, monkeypatch, name):
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    counts = tree.planned(config=f"config/{name}.yaml")
    assert {rule: counts[rule] for rule in JOBS[name]} == JOBS[name]
    assert counts["assign"] == counts["encode"]
    assert counts["search"] + counts.get("bm25", 0) == counts["evaluate"]
    assert counts["convert"] == 1
    assert not {"train", "distill", "project"} & set(counts)
    assert sum(counts.values()) < MOST_JOBS
    assert tree.seconds < MOST_SECONDS
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_the_most_shards_that_a_plan_allows_fit_in_one_command_of_a_shell():
    corpus = max((slug(keys["corpus"]) for keys in read(ROOT / "config" / "datasets.yaml").sets.values()), key=len)
    made = ("vectors/00000", "codes/00000", "residual-2/residuals/00000")
    names = [f"build/{corpus}/a-model-of-20-letters/{name}" for name in made]
    assert 60_000 < MOST_SHARDS * sum(len(name) + 1 for name in names) < 131_072  # MAX_ARG_STRLEN of Linux
