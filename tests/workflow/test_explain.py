"""What moved between two runs, token by token, over the files that the workflow keeps."""

import re
from pathlib import Path

import pytest

from bench.cli import main
from bench.errors import SettingsError
from bench.evaluation.runs import read_run
from bench.verbs import sides

MINILM = "build/pydocs-tiny/minilm"
RUNS = {name: f"{MINILM}/{name}/exact/pydocs-tiny/run.trec.gz" for name in ("fp16", "residual-2")}


@pytest.fixture
def explained(finished, monkeypatch, capsys):
    monkeypatch.chdir(finished.root)

    def run(query, run=RUNS["residual-2"], against=RUNS["fp16"], *more):
        code = main(["explain", "--run", run, "--against", against, "--query", query, *more])
        return code, capsys.readouterr()

    return run


@pytest.fixture
def query(finished):
    return sorted(read_run(finished.root / RUNS["fp16"]))[7]


def test_the_tokens_of_a_passage_add_up_to_its_score_in_both_runs(finished, explained, query):
    code, (out, _) = explained(query, *RUNS.values(), "--depth", "5", "--passages", "3")
    assert code == 0
    scores = [dict(read_run(finished.root / path)[query]) for path in RUNS.values()]
    tables = re.findall(
        r"^(\S+): .*?^\| score +\| ([\d.]+) +\| ([\d.]+) ", out.partition("\n\n")[2], re.MULTILINE | re.DOTALL
    )
    assert len(tables) == 3
    for passage, *sums in tables:
        for total, found in zip(sums, scores, strict=True):
            assert float(total) == pytest.approx(found[passage], abs=0.002)


def test_every_passage_of_the_first_results_is_listed_with_both_ranks(finished, explained, query):
    _, (out, _) = explained(query, *RUNS.values(), "--depth", "3")
    first = {passage for path in RUNS.values() for passage, _ in read_run(finished.root / path)[query][:3]}
    listed = out.partition("\n\n")[2].partition("\n\n")[0].splitlines()[2:]
    assert {line.split()[1] for line in listed} == first


def test_a_query_without_results_a_lexical_run_and_another_model_are_refused(explained, query):
    code, (_, err) = explained("nobody")
    assert code == 1
    assert "query 'nobody' is not among the 50 of build/pydocs-tiny/queries/pydocs-tiny" in err
    code, (_, err) = explained(query, "build/pydocs-tiny/bm25/pydocs-tiny/run.trec.gz")
    assert code == 1
    assert "was not searched by token vectors" in err
    code, (_, err) = explained(query, RUNS["fp16"].replace("minilm", "denoised"))
    assert code == 1
    assert "are of different models, passages or queries" in err


def test_a_run_over_merged_vectors_which_are_of_no_single_token_is_refused(monkeypatch):
    monkeypatch.setattr(sides, "open_run", lambda _: ({}, {"index": {"codec": "fp16", "encode": {"pool": 2}}}))
    with pytest.raises(SettingsError, match=r"run\.trec\.gz was searched by merged vectors \(pool 2\)"):
        sides.Side(Path("run.trec.gz"))
