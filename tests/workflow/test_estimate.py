"""Estimates of a plan beside the run that it planned."""

import json

import pytest

from bench.config.estimate import costs, index_bytes, read_lengths
from bench.config.plan import load


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


def load_ci(finished):
    return load(finished.root / "config" / "ci.yaml", finished.root / "config" / "datasets.yaml")


def bytes_of(manifest):
    return sum(file["bytes"] for file in manifest["files"].values())
