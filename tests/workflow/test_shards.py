"""Shards one by one: what is lost with one of them, and what is not."""

import json
import shutil

import pytest

SHARDS = "build/pydocs-tiny/minilm/vectors"
INDEX = "build/pydocs-tiny/minilm/fp16/index"
KILLS_SHARD_0 = """
import os, sys
if "encode" in sys.orig_argv and "--shard 0 " in " ".join(sys.orig_argv):
    os._exit(137)
"""


def test_a_deleted_shard_is_made_again_with_what_follows_and_no_other_shard_or_model(checkout):
    (checkout.root / SHARDS / "00001" / "vectors.npy").unlink()
    counts = checkout.planned()
    assert counts["encode"] == 1
    assert (counts["centroids"], counts["assign"], counts["compress"]) == (2, 4, 4)
    assert (counts["index"], counts["index_uncompressed"], counts["search"]) == (2, 1, 5)
    assert not {"train", "distill", "mine", "encode_queries", "corpus"} & set(counts)


@pytest.mark.slow
def test_a_shard_that_fails_loses_no_other_is_the_only_one_made_again_and_both_go_where_none_is_kept(checkout):
    folder = checkout.root / SHARDS
    for path in (checkout.root / INDEX, *folder.iterdir()):
        shutil.rmtree(path)
    killer = checkout.root / "sitecustomize.py"
    killer.write_text(KILLS_SHARD_0)
    done = checkout.snakemake("--nocolor", INDEX)
    assert done.returncode == 1
    assert json.loads((folder / "00001" / "manifest.json").read_text())["counts"]["passages"] == 100
    assert not (folder / "00000" / "manifest.json").exists()
    assert not (checkout.root / INDEX).exists()
    killer.unlink()
    assert checkout.planned(INDEX) == {"encode": 1, "index_uncompressed": 1}
    checkout.edit("config/ci.yaml", "precision: float32}", "precision: float32, keep_vectors: false}")
    done = checkout.snakemake("--nocolor", INDEX)
    assert done.returncode == 0, done.stderr
    assert json.loads((checkout.root / INDEX / "manifest.json").read_text())["counts"]["passages"] == 200
    assert list(folder.glob("*/vectors.npy")) == []
