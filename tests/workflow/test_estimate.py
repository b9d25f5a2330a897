"""Estimates of a plan beside the run that it planned."""

import json

import pytest

from bench.config.estimate import costs, index_bytes, read_lengths
from bench.config.plan import load
from bench.config.stages import stages


def test_a_plan_of_the_run_estimates_its_vectors_its_shards_and_its_indexes(finished):
    found = {(cost.corpus, cost.model): cost for cost in costs(load_ci(finished), read_lengths())}
    cost = found["pydocs/tiny", "minilm"]
    folder = finished.root / "build" / "pydocs-tiny" / "minilm"
    shards = [json.loads(path.read_text()) for path in folder.glob("vectors/*/manifest.json")]
    assert cost.vectors == pytest.approx(sum(shard["counts"]["vectors"] for shard in shards), rel=0.02)
    assert cost.shards == pytest.approx(sum(bytes_of(shard) for shard in shards), rel=0.02)
    for codec in ("fp16", "residual-2"):
        manifest = json.loads((folder / codec / "index" / "manifest.json").read_text())
        assert cost.indexes[codec] == pytest.approx(bytes_of(manifest), rel=0.05)
        counts = manifest["counts"]
        assert index_bytes(codec, counts["passages"], counts["vectors"], 128) == pytest.approx(bytes_of(manifest), rel=0.05)
    codes = [path.stat().st_size for path in folder.glob("codes*/*/codes.npy")]
    assert cost.codes == pytest.approx(sum(codes), rel=0.05)


def test_what_a_job_reads_and_writes_is_estimated_within_5_percent(finished):
    (cost,) = (cost for cost in costs(load_ci(finished), read_lengths()) if cost.model == "minilm")
    settings = {"passages_per_shard": 100, "iterations": 4, "encoding": None}
    found = {stage.rule: stage for stage in stages(cost, "residual-2", **settings)}
    folder = finished.root / "build" / "pydocs-tiny" / "minilm"
    shard, centroids = size_of(folder / "vectors" / "00000"), size_of(folder / "centroids")
    codes, codec = size_of(folder / "codes" / "00000"), size_of(folder / "residual-2" / "codec")
    assert found["assign"].disk == pytest.approx(shard + centroids + codes, rel=0.05)
    assert found["centroids"].disk == pytest.approx(2 * shard + centroids, rel=0.05)
    index = size_of(folder / "residual-2" / "index")
    assert found["search"].disk == pytest.approx(index, rel=0.05)
    residuals = cost.parts["residual-2"]  # which are gone once the index is built
    read = size_of(finished.root / "build" / "pydocs-tiny" / "corpus") + 2 * codes + residuals + codec
    assert found["index"].disk == pytest.approx(read + index, rel=0.05)


def size_of(folder):
    return sum(path.stat().st_size for path in folder.iterdir() if not path.name.startswith("."))


def load_ci(finished):
    return load(finished.root / "config" / "ci.yaml", finished.root / "config" / "datasets.yaml")


def bytes_of(manifest):
    return sum(file["bytes"] for file in manifest["files"].values())
