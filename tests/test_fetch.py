"""Downloads of a config up front: listed with their sizes before the first of them starts."""

import shutil
from pathlib import Path

import pytest

from bench.cli import main
from bench.corpus import downloads
from bench.encoder import base, hub, official
from bench.files.provenance import ROOT

DATASETS = str(ROOT / "config" / "datasets.yaml")


@pytest.fixture
def asked(monkeypatch):
    """What is downloaded, in order; nothing is."""
    found = []
    monkeypatch.setattr(downloads, "fetch", lambda name, kinds: found.append((name, tuple(kinds))))
    monkeypatch.setattr(base, "locate", lambda each, weights, also: found.append((each.name, tuple(weights))))
    monkeypatch.setattr(hub, "is_here", lambda each, weights: False)
    monkeypatch.setattr(hub, "size", lambda each, weights, also: None)
    return found


def fetch(name, *words):
    return main(["fetch", str(ROOT / "config" / f"{name}.yaml"), "--datasets", DATASETS, *words])


def test_a_dry_run_lists_files_sizes_and_places_and_downloads_nothing(asked, capsys):
    assert fetch("msmarco", "--dry-run") == 0
    out = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line.startswith("| ")]
    listed = {Path(row[0]).name: row[2] for row in rows[1:]}
    assert listed == {
        "collectionandqueries.tar.gz": "1,057.7",
        "queries.tar.gz": "18.9",
        "qrels.dev.tsv": "1.2",
        "msmarco-test2019-queries.tsv.gz": "0.0",
        "2019qrels-pass.txt": "0.2",
        "msmarco-test2020-queries.tsv.gz": "0.0",
        "2020qrels-pass.txt": "0.2",
        "colbertv2.0": "unknown",
    }
    assert "8 of 8 to download, 1,078.2 MB and 1 of unknown size; " in out
    assert asked == []


def test_weights_are_listed_with_the_size_that_the_hub_says(asked, capsys, monkeypatch):
    monkeypatch.setattr(hub, "size", lambda each, weights, also: 438_000_000)
    assert fetch("beir-small", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "438.0" in out
    assert "6 of 6 to download, 607.5 MB; " in out


def test_every_data_set_and_all_weights_are_fetched_after_the_list(asked):
    assert fetch("beir-small") == 0
    assert ("beir/scifact/test", downloads.KINDS) in asked
    assert ("beir/scifact", ("docs",)) in asked
    assert ("beir/arguana", downloads.KINDS) in asked
    assert asked[-1] == ("colbert-ir/colbertv2.0", official.WEIGHTS)
    assert len(asked) == 5 + 3 + 1  # arguana and scidocs are query set and collection under one id


def test_what_training_reads_is_fetched_too(asked):
    assert fetch("msmarco-train") == 0
    assert ("msmarco-passage/train/triples-small", ("docpairs",)) in asked
    assert ("msmarco-passage/train/judged", downloads.KINDS) in asked
    assert [name for name, _ in asked if name in ("bert-base-uncased", "cross-encoder/ms-marco-MiniLM-L-6-v2")] == [
        "bert-base-uncased",
        "cross-encoder/ms-marco-MiniLM-L-6-v2",
    ]


def test_a_disk_that_is_too_small_is_refused_before_the_first_download(asked, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 0, 10**9))
    assert fetch("msmarco") == 1
    assert "1,078.2 MB do not fit in " in capsys.readouterr().err
    assert asked == []


def test_a_config_on_embedded_data_downloads_nothing(asked, capsys):
    assert fetch("quick") == 0
    assert capsys.readouterr().out.endswith("downloads nothing: its data and weights come with packages\n")
    assert asked == []
