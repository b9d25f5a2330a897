"""What the jobs of each stage take: beside arithmetic by hand, and the page of the documents that shows it."""

import re

import pytest

from bench.cli import main
from bench.config.estimate import Cost, Length
from bench.config.stages import SECONDS, stages, stops
from bench.errors import SettingsError
from bench.files.provenance import ROOT

PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
RULES = ["corpus", "encode", "centroids", "assign", "compress", "index", "search"]
COST = Cost(
    corpus="c",
    model="m",
    passages=1000,
    length=Length(vectors=50, source="s"),
    dim=64,
    vectors=50_000,
    shards=50_000 * 128 + 4000,
    codes=50_000 * 2,
    parts={"residual-2": 50_000 * 16},
    indexes={"residual-2": 1_000_000, "fp16": 7_000_000},
)


def by_rule(**changes):
    settings = {"passages_per_shard": 250, "iterations": 3, "encoding": 0.25} | changes
    return {stage.rule: stage for stage in stages(COST, "residual-2", **settings)}


def test_a_shard_moves_itself_its_codes_and_all_centroids_by_hand():
    found = by_rule()["assign"]
    centroids = 2048 * 64 * 4 + 2500 * 64 * 2  # 16 sqrt(50,000) is 3,578; 5 % of 1,000 passages of 50 vectors are held out
    assert found.jobs == 4
    assert found.disk == centroids + (6_404_000 + 100_000) / 4
    assert found.moved == 4 * found.disk
    assert found.memory == 2 * 2048 * 64 * 4
    assert found.hours == pytest.approx(SECONDS["assign"] * 50_000 / 2 / 3600)  # half of the dimensions that were measured
    assert found.longest == found.hours / 4


def test_every_job_that_encodes_fetches_the_whole_collection():
    few, many = by_rule(passages_per_shard=500)["encode"], by_rule(passages_per_shard=10)["encode"]
    text = few.disk - 6_404_000 / 2
    assert text == pytest.approx(1000 * (30 + 6 * 47 / 1.152), rel=0.001)
    assert (many.jobs, many.moved) == (100, pytest.approx(100 * text + 6_404_000, rel=0.001))
    assert few.hours == many.hours == 0.25
    assert by_rule(encoding=None)["encode"].longest is None


def test_iterations_of_k_means_take_8_16_and_32_vectors_of_a_centroid_but_no_more_than_there_are():
    assert by_rule()["centroids"].hours == pytest.approx(SECONDS["centroids"] * (2048 * 24 + 50_000) / 2 / 3600)


def test_one_job_reads_all_parts_of_an_index():
    found = by_rule()["index"]
    assert found.jobs == 1
    parts = COST.codes + COST.parts["residual-2"] + COST.indexes["residual-2"]
    assert parts < found.moved == found.disk < parts + COST.shards  # vectors themselves it does not read


def test_uncompressed_vectors_have_no_such_stages():
    with pytest.raises(SettingsError, match=r"codec fp16 has no stages of compression"):
        stages(COST, "fp16", passages_per_shard=250, iterations=3, encoding=None)


def test_what_the_design_refuses_is_named_with_what_would_do():
    assert stops(COST, 2) == []
    assert stops(COST, 1) == ["1,000 shards, most are 500: encode.passages_per_shard of 2 or more is needed"]


@pytest.mark.parametrize(
    ("words", "collection"),
    [
        (["config/msmarco.yaml"], "msmarco-passage"),
        (["config/lotte.yaml"], "lotte/pooled/test"),
        (["config/wikipedia.yaml"], "dpr-w100"),
        (["config/msmarco.yaml", "--passages", "1000000000"], "msmarco-passage"),
    ],
)
def test_the_tables_of_the_page_are_what_the_command_prints(words, collection, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["plan", *words, "--jobs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [cells(line) for line in lines if re.match(rf"\| {collection} +\| official +\| ({'|'.join(RULES)}) ", line)]
    assert [row[2] for row in rows] == RULES
    shown = [cells(line) for line in PAGE.splitlines() if line.startswith("|")]
    assert [row[1:] for row in rows if row[2:] not in shown] == []


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]
