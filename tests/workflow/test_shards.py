"""Shards one by one: what is lost with one of them, and what is not."""

import json

MODEL = "build/pydocs-tiny/minilm"
FP16 = f"{MODEL}/fp16/index/manifest.json"
INDEX = f"{MODEL}/residual-2/index/manifest.json"


def planned(checkout, *words):
    counts = checkout.planned(*words)
    print(counts)
    return counts


def test_a_deleted_shard(checkout):
    for name in ("manifest.json", "vectors.npy", "doclens.npy"):
        (checkout.root / MODEL / "vectors" / "00001" / name).unlink()
    planned(checkout)
    planned(checkout, FP16)
    (checkout.root / MODEL / "codes" / "00001.npy").unlink()
    planned(checkout)
    raise AssertionError


def test_a_shard_that_fails_loses_no_other_and_is_the_only_one_made_when_the_run_goes_on(checkout):
    folder = checkout.root / MODEL / "vectors"
    for path in (checkout.root / FP16, *folder.glob("*/*")):
        path.unlink()
    (folder / "00000").rmdir()
    (folder / "00000").touch()  # where a folder cannot be made
    done = checkout.snakemake("--nocolor", FP16)
    assert done.returncode == 1
    assert json.loads((folder / "00001" / "manifest.json").read_text())["counts"]["passages"] == 100
    assert not (checkout.root / FP16).exists()
    (folder / "00000").unlink()
    planned(checkout, FP16)
    raise AssertionError
