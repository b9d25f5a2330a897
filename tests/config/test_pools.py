"""Pool factors in a config: what is planned with each of them, under which names, at what cost, and what is refused."""

import copy
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cli import main
from bench.config import datasets, estimate, pools, rates, seeds, yaml
from bench.config.benchmark import Benchmark
from bench.config.gpu_hours import Device, tasks
from bench.config.plan import load, resolve
from bench.config.stages import stages
from bench.errors import SettingsError
from bench.files.provenance import ROOT
from workflow.jobs import Jobs
from workflow.report_jobs import ReportJobs


class Wildcards(SimpleNamespace):
    """Attributes that are items as well, as those of a rule."""

    def __iter__(self):
        return iter(vars(self).items())


CI = yaml.read(ROOT / "config" / "ci.yaml").values
KNOWN = datasets.read(ROOT / "config" / "datasets.yaml")
ITEM = {"models": ["minilm"], "codecs": ["fp16", "residual-2", "opq-8x4"], "presets": ["exact"]}
FREE = {"baseline": None, "latency": None, "rates": None}


def plan(**changes):
    values = {name: value for name, value in {**copy.deepcopy(CI), **changes}.items() if value is not ...}
    return resolve(Benchmark.parse(values, "x.yaml"), "x.yaml", KNOWN)


def pooled(*factors, **changes):
    return plan(**FREE, grid=[{**ITEM, "pool": list(factors)}], **changes)


@given(st.sampled_from(["fp16", "opq-16x4t", ""]), st.integers(1, 99), st.none() | st.integers(0, 9))
def test_a_name_gives_back_its_codec_its_factor_and_its_seed(codec, factor, seed):
    name = pools.named(codec, factor)
    assert (name == codec) == (factor == 1)
    assert pools.split(name) == (codec, factor)
    if seed is not None:
        seeded = seeds.named(name, seed)
        assert pools.split(seeded) == (seeds.named(codec, seed), factor)
        assert seeds.split(seeded) == (name, seed)


def test_a_grid_without_factors_is_one_of_factor_1_and_has_none_in_its_names():
    assert plan() == plan(grid=[{**item, "pool": [1]} for item in copy.deepcopy(CI["grid"])])
    assert [run.codec for run in pooled(1).runs] == ITEM["codecs"]


def test_every_codec_is_planned_at_every_factor_without_another_encoding():
    found = pooled(1, 3)
    assert [run.codec for run in found.runs] == [*ITEM["codecs"], "fp16.pool-3", "residual-2.pool-3", "opq-8x4.pool-3"]
    assert {run.model for run in found.runs} == {"minilm"}
    assert list(found.models) == ["minilm"]


def test_the_factor_stands_before_the_seed_and_uncompressed_vectors_have_no_seed_of_their_own():
    loaded = {"checkpoint": {"name": "colbert-ir/colbertv2.0", "revision": "c" * 40, "dim": 128}}
    grid = [{"models": ["loaded"], "codecs": ["fp16", "residual-2"], "pool": [2], "presets": ["exact"]}]
    found = plan(**FREE, seed=..., seeds=[1, 7], models={"loaded": loaded}, teachers={}, grid=grid)
    names = [run.codec for run in found.runs]
    assert names == ["fp16.pool-2", "residual-2.pool-2.seed-1", "residual-2.pool-2.seed-7"]
    assert found.runs[-1].row == ("loaded", "residual-2.pool-2", 7)
    assert len({found.seed_for("fit", "c", "loaded", name) for name in names[1:]}) == 2


def test_rules_read_merged_shards_where_their_codec_or_their_centroids_say_so():
    jobs = Jobs(pooled(1, 2))
    at = {"corpus": "pydocs-tiny", "model": "minilm", "shard": "00001"}
    folder = "build/pydocs-tiny/minilm"

    def w(**wildcards):
        return Wildcards(**at, **wildcards)

    merged = [
        f"{folder}/vectors.pool-2/00001/{name}" for name in ("manifest.json", "doclens.npy", "vectors.npy", "tokens.npy")
    ]
    assert jobs.shard(w(codec="opq-8x4.pool-2")) == jobs.shard(w(times="-x4.pool-2.seed-3")) == merged
    assert jobs.encoded(w(pool="2")) == jobs.shard(w(codec="residual-2")) == jobs.shard(w(times=""))
    assert f"{folder}/vectors/00001/uncut.npy" in jobs.encoded(w(pool="2"))
    assert jobs.lengths(w(codec="fp16.pool-2"))[-1] == merged[1]
    centroids = jobs.with_centroids("centroids{times}")
    assert [centroids(w(codec=codec)) for codec in ("residual-2.pool-2", "opq-8x4.pool-2.seed-3")] == [
        "centroids.pool-2",
        "centroids-x4.pool-2.seed-3",
    ]
    assert "--times 4" in jobs.centroids(w(times="-x4.pool-2"))
    assert "--codec opq-8x4 " in jobs.fit(w(codec="opq-8x4.pool-2"))
    assert {path.split("/")[3] for path in jobs.kept_shards()} == {"vectors", "vectors.pool-2"}
    assert [run.codec for run in ReportJobs(pooled(1, 2)).lossy()] == ["residual-2", "opq-8x4"]


REFUSED = {
    "0": ([0], "grid.0.pool.0: 0: input should be greater than or equal to 1"),
    "a fraction": ([1.5], "grid.0.pool.0: 1.5: input should be a valid integer"),
    "true": ([True], "grid.0.pool.0: True: input should be a valid integer"),
    "a factor twice": ([1, 2, 2], "grid.0.pool: names 2 twice"),
    "no factor": ([], r"grid.0.pool: \[\]: .* at least 1"),
    "a number alone": (2, "grid.0.pool: 2: input should be a valid"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_factor_is_refused_that_is(case):
    pool, message = REFUSED[case]
    with pytest.raises(SettingsError, match=message) as caught:
        plan(grid=[{**ITEM, "pool": pool}])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"models": ["pooled"], "codecs": ["fp16"], "presets": ["flat"], "pool": [1, 2]},
            r"grid.0 in x.yaml: pool 2, but model 'pooled' has one vector per passage: use pool 1",
        ),
        ({**ITEM, "models": ["bm25"], "pool": [2]}, r"grid.0 in x.yaml names the unknown models \['bm25'\]"),
        ({**ITEM, "codecs": ["residual-2.pool-2"]}, "codec 'residual-2.pool-2' in grid.0 in x.yaml is not one of"),
    ],
)
def test_what_has_no_token_vectors_has_no_factor_and_a_codec_has_it_in_the_setting_alone(item, message):
    with pytest.raises(SettingsError, match=message):
        plan(**FREE, grid=[item])


def test_timings_and_comparisons_of_codecs_name_codecs_without_their_factors():
    latency = {"threads": [1], "queries": 20, "codecs": ["residual-2"]}
    grid = [{**ITEM, "pool": [1, 2]}]
    rated = {"depths": [10], "against": {"opq-8x4": "residual-2"}}
    found = plan(grid=grid, baseline=None, latency=latency, rates=rated)
    assert [run.codec for run in found.latency.runs] == ["residual-2", "residual-2.pool-2"]
    found = plan(grid=grid, baseline=None, latency={**latency, "pool": [2]}, rates=None)
    assert [run.codec for run in found.latency.runs] == ["residual-2.pool-2"]
    with pytest.raises(SettingsError, match=r"latency in x.yaml names the pool \[3\].*these it has: \[1, 2\]"):
        plan(grid=grid, baseline=None, latency={**latency, "pool": [3]}, rates=None)


def test_vectors_after_merging_are_estimated_within_a_part_in_a_thousand():
    """Measured by ``bench merge``: minilm, 4,607 passages of pydocs/test with 306,966 vectors (docs/codecs.md)."""
    for factor, measured in ((2, 152_318), (3, 100_793), (4, 75_012)):
        assert 4607 * estimate.pooled_mean(306_966 / 4607, factor) == pytest.approx(measured, rel=1e-3)
    assert estimate.pooled_mean(3.0, 50) == 1.0  # a passage keeps at least one


def test_a_plan_counts_merged_vectors_beside_those_that_are_encoded_once(capsys):
    found = pooled(2)
    whole, half = estimate.costs(found, estimate.read_lengths())
    assert (whole.pool, half.pool) == (1, 2)
    assert (whole.indexes, whole.merged_from, half.merged_from) == ({}, 0, whole.shards)
    assert half.vectors == pytest.approx(whole.vectors / 2, rel=0.02)
    assert half.indexes["fp16"] == pytest.approx(estimate.index_bytes("fp16", 200, half.vectors, 128))
    assert estimate.peaks([whole, half], True) == estimate.peaks([whole, half], False) == half.peak
    rules = [stage.rule for stage in stages(half, "residual-2", passages_per_shard=100, iterations=4, encoding=None)]
    assert rules == ["merge", "centroids", "assign", "compress", "index", "search"]
    known = rates.read(rates.RATES)
    device = Device(card=known.card("h100", ""), networks=known.networks, share=0.8, at_once=1000)
    assert [task.stage for task in tasks(found, [whole, half], device)].count("encode") == 1
    assert [task.stage for task in tasks(found, [whole, half], device)].count("exact") == 3
    assert main(["plan", str(ROOT / "config" / "pooling.yaml"), "--jobs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if line.startswith("| cranfield ") and "pool 3" in line and " yes " in line]
    assert "64,348" in row
    assert sum("| merge " in line for line in lines) == 4  # of two collections and two factors


def test_the_example_compares_every_factor_with_all_vectors():
    found = load(ROOT / "config" / "pooling.yaml", ROOT / "config" / "datasets.yaml")
    factors = {(run.corpus, pools.split(run.codec)) for run in found.runs}
    codecs = ("fp16", "residual-2", "opq-16x4")
    assert factors == {(c, (codec, k)) for c in ("pydocs-test", "cranfield") for codec in codecs for k in (1, 2, 3)}
