"""What a table of the paper asks a config to run."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.config.plan import load
from bench.errors import SettingsError
from bench.files.provenance import ROOT
from workflow.paper_jobs import PaperJobs


@pytest.fixture(scope="module")
def plan():
    return load(ROOT / "config/paper.yaml", ROOT / "config/datasets.yaml")


@pytest.fixture(scope="module")
def jobs(plan):
    return PaperJobs(plan, ROOT / "results/published.csv")


@pytest.mark.parametrize(
    ("table", "metrics", "sizes", "latencies"),
    [
        ("table4", 2, 0, 0),
        ("table5a", 13, 0, 0),
        ("table5b", 14, 0, 0),
        ("table7", 12, 0, 0),
        ("compression", 0, 0, 0),
        ("sizes", 0, 3, 0),
        ("plaid-table1", 0, 2, 0),
        ("plaid-table3", 2, 0, 2),
    ],
)
def test_a_table_asks_for_the_records_that_it_has_cells_for_and_no_others(jobs, table, metrics, sizes, latencies):
    w = SimpleNamespace(table=table)
    assert (len(jobs.metrics(w)), len(jobs.sizes(w)), len(jobs.latencies(w))) == (metrics, sizes, latencies)


def test_the_records_are_named_by_their_place_in_the_build(jobs):
    folder = "build/msmarco-passage/official/residual-2"
    runs = [f"{folder}/colbertv2-msmarco/msmarco-passage-dev-{name}/metrics.json" for name in ("small", "local-eval")]
    assert sorted(jobs.metrics(SimpleNamespace(table="table4"))) == sorted(runs)
    assert f"{folder}/size.json" in jobs.sizes(SimpleNamespace(table="sizes"))
    (_, plaid) = sorted(jobs.latencies(SimpleNamespace(table="plaid-table3")))
    assert plaid == f"{folder}/plaid-1000/msmarco-passage-dev-small/threads-1/latency.json"


def test_figure_3_is_refused_where_nothing_is_timed(jobs, plan):
    assert jobs.figure3(None) == "results/paper/figure3_latency.png"
    with pytest.raises(
        SettingsError, match=r"config/paper.yaml times no run: give it the key latency, or take config/figure3"
    ):
        PaperJobs(replace(plan, latency=None), jobs.numbers).figure3(None)


def test_the_grid_of_figure_3_is_the_one_of_the_paper():
    plan = load(ROOT / "config/figure3.yaml", ROOT / "config/datasets.yaml")
    found = {(run.codec, plan.presets[run.preset].nprobe, plan.presets[run.preset].ncandidates) for run in plan.runs}
    grid = {(nprobe, nprobe * 2**power) for nprobe in (1, 2, 4) for power in (12, 14)}
    assert found == {(codec, *values) for codec in ("residual-1", "residual-2") for values in grid}
    assert len(plan.latency.runs) == len(plan.runs) == 36
