"""Where the loss is, over the files that the workflow keeps: Table 8, reconstruction, and the worst queries."""

import json

import numpy as np
import pandas as pd
import pytest

from bench.cli import main
from bench.evaluation.runs import read_run
from bench.index.index import open_index

MODEL = "build/pydocs-tiny/minilm"
REFERENCE = f"{MODEL}/fp16/exact/pydocs-tiny"
RUN = f"{MODEL}/residual-2/exact/pydocs-tiny"


@pytest.fixture
def rebuilt(finished):
    return json.loads((finished.root / f"{MODEL}/reconstruction/pydocs-tiny.json").read_text())


@pytest.fixture
def worst(finished):
    return json.loads((finished.root / "results/ci/worst_queries.json").read_text())


def test_table_8_has_the_losses_of_table_1_and_both_parts_add_up(finished):
    quality = pd.read_csv(finished.root / "results/ci/table1_quality.csv").set_index(["model", "codec", "preset"])
    losses = pd.read_csv(finished.root / "results/ci/table8_loss.csv")
    runs = [("minilm", "residual-2", "exact"), ("denoised", "residual-2", "exact"), ("minilm", "residual-2", "colbertv2")]
    runs += [("minilm", "residual-2", "plaid"), ("minilm", "opq-8x4", "exact")]
    assert list(losses[["model", "codec", "preset"]].itertuples(index=False, name=None)) == runs
    for row in losses.itertuples():
        assert row.difference == quality.loc[(row.model, row.codec, row.preset), "difference"]
        assert row.codec_loss + row.engine_loss == pytest.approx(row.difference)
        assert 0.5 < row.RBO <= 1
    codecs = pd.read_csv(finished.root / "results/ci/table7_codecs.csv").set_index(["model", "codec", "preset"])
    for row in losses.itertuples():
        assert losses.loc[row.Index, "overlap@10"] == codecs.loc[(row.model, row.codec, row.preset), "overlap@10"]


def test_the_errors_of_a_codec_are_those_of_its_index(finished, rebuilt):
    assert [row["codec"] for row in rebuilt["codecs"]] == ["residual-2", "opq-8x4"]
    assert rebuilt["counts"]["passages"] == 200  # all, since they are fewer than the sample
    assert rebuilt["counts"]["pairs"] == 500
    plain, coded = (open_index(finished.root / MODEL / codec / "index") for codec in ("fp16", "residual-2"))
    assert rebuilt["counts"]["vectors"] == len(plain.raw)
    errors = np.square(plain.vectors(slice(None)) - coded.vectors(slice(None))).sum(axis=1)
    found = rebuilt["codecs"][0]
    assert found["measured"]["squared_error"] == pytest.approx(errors.mean(), rel=1e-5)
    assert found["bits"] == {"code": 16, "residual": 256}
    covariance = np.cov(plain.vectors(slice(None)).astype(float), rowvar=False, bias=True)
    assert rebuilt["variance"] == pytest.approx(np.trace(covariance))
    assert found["bound"]["cosine"] > rebuilt["codecs"][1]["bound"]["cosine"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reference": f"{MODEL}/residual-2/index"}, "is compressed as residual-2: give the fp16 index"),
        ({"run": f"{RUN}/run.trec.gz"}, f"{RUN}/run.trec.gz was not searched in {MODEL}/fp16/index"),
        ({"indexes": f"{MODEL}/fp16/index"}, "is uncompressed: there is nothing to compare"),
        ({"indexes": "build/pydocs-tiny/denoised/residual-2/index"}, "are of different passages or models"),
    ],
)
def test_what_cannot_be_compared_is_refused(finished, rebuilt, tmp_path, monkeypatch, capsys, changed, message):
    monkeypatch.chdir(finished.root)
    assert main(command(rebuilt, tmp_path, **changed)) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def command(record, folder, **changed):
    indexes = [f"{MODEL}/{row['codec']}/index" for row in record["codecs"]]
    inputs = {
        "reference": f"{MODEL}/fp16/index",
        "queries": f"{MODEL}/queries/pydocs-tiny",
        "run": f"{REFERENCE}/run.trec.gz",
    }
    names = {name: record[name] for name in ("dataset", "model")}
    given = {**inputs, **record["settings"], **names, "output": folder / "again.json", **changed}
    given.setdefault("indexes", indexes)
    words = []
    for name, value in given.items():
        words += [f"--{name}", *(value if isinstance(value, list) else [str(value)])]
    return ["reconstruction", *words]


def test_the_worst_queries_lost_what_their_records_say(finished, worst):
    found = [row for row in worst if (row["model"], row["codec"]) == ("minilm", "residual-2")]
    values, before = (
        json.loads((finished.root / folder / "metrics.json").read_text())["per_query"]["RR@10"]
        for folder in (RUN, REFERENCE)
    )
    losses = sorted((before[query] - value for query, value in values.items() if before[query] > value), reverse=True)
    assert [row["reference_value"] - row["value"] for row in found] == losses[:10]
    assert 0 < len(found) <= 10
    for row in found:
        assert (row["value"], row["reference_value"]) == (values[row["query"]], before[row["query"]])
        assert (row["queries"], row["measure"], row["preset"], row["engine"]) == ("pydocs/tiny", "RR@10", "exact", "exact")
        assert row["text"]


def test_the_ranks_and_the_tokens_of_a_worst_query_are_those_of_its_runs(finished, worst):
    row = next(row for row in worst if (row["model"], row["codec"]) == ("minilm", "residual-2"))
    rankings = [dict(read_run(finished.root / folder / "run.trec.gz")[row["query"]]) for folder in (RUN, REFERENCE)]
    for move in row["moved"]:
        ranks = [list(ranking).index(move["passage"]) + 1 for ranking in rankings]
        assert [move["rank"], move["reference_rank"]] == ranks
        assert ranks[0] != ranks[1]
    assert row["moved"][0]["rank"] > row["moved"][0]["reference_rank"]
    assert {part["passage"] for part in row["tokens"]} == {row["moved"][0]["passage"]}
    for name, ranking in zip(("value", "reference_value"), rankings, strict=True):
        assert sum(part[name] for part in row["tokens"]) == pytest.approx(ranking[row["moved"][0]["passage"]], abs=0.002)
    changes = [part["change"] for part in row["tokens"]]
    assert changes == sorted(changes)


def test_the_worst_queries_against_a_lexical_run_are_refused(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(finished.root)
    words = [
        "--against",
        "build/pydocs-tiny/bm25/pydocs-tiny/run.trec.gz",
        "--most",
        "3",
        "--output",
        str(tmp_path / "w.json"),
    ]
    assert main(["worst", "--runs", f"{RUN}/run.trec.gz", *words]) == 1
    assert "was not searched by token vectors" in capsys.readouterr().err


def test_a_run_that_was_evaluated_otherwise_has_no_worst_queries(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(finished.root)
    record = json.loads((finished.root / RUN / "metrics.json").read_text())
    (tmp_path / "metrics.json").write_text(json.dumps({**record, "measures": record["measures"][::-1]}))
    words = ["--against", f"{REFERENCE}/run.trec.gz", "--most", "3", "--output", str(tmp_path / "w.json")]
    assert main(["worst", "--runs", str(tmp_path / "run.trec.gz"), *words]) == 1
    assert "were not evaluated alike: evaluate both again" in capsys.readouterr().err
