"""Own data and own runs through the verbs: what is written, scored and refused."""

import json

import pytest

from bench.cli import main
from bench.corpus.texts import open_passages, open_queries
from bench.evaluation.runs import read_run
from bench.files.provenance import ROOT
from bench.files.storage import sha256_file

EXAMPLE = ROOT / "examples" / "own-data"
COUNTS = ("--queries", "6", "--judgements", "7", "--grades", "1", "2")
READ = ("--file", str(EXAMPLE / "questions.tsv"), "--judged-by", str(EXAMPLE / "judgements.tsv"))


def call(capsys, *words):
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    assert err.count("\n") <= 1
    return code, out, err


@pytest.fixture
def tea(tmp_path, capsys):
    file = ("--file", EXAMPLE / "passages.jsonl", "--template", "{title} {text}", "--passages", 10)
    assert main([str(w) for w in ("corpus", "--dataset", "tea", *file, "--output", tmp_path / "corpus")]) == 0
    asked = (
        "queries",
        "--dataset",
        "tea",
        *COUNTS,
        *READ,
        "--corpus",
        tmp_path / "corpus",
        "--output",
        tmp_path / "queries",
    )
    assert main([str(w) for w in asked]) == 0
    capsys.readouterr()
    return tmp_path


def test_folders_of_own_data_carry_the_digests_of_their_files(tea):
    passages, asked = open_passages(tea / "corpus"), open_queries(tea / "queries")
    assert passages.manifest.counts == {"passages": 10, "empty": 0}
    assert passages.manifest.inputs == {"passages": sha256_file(EXAMPLE / "passages.jsonl")}
    assert asked.manifest.counts == {"queries": 6, "judged": 6, "judgements": 7}
    assert set(asked.manifest.inputs) == {"queries", "judgements"}
    assert asked.manifest.settings["unknown_passages"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("--passages", "11"), "tea has 10 passages here, the protocol says 11"),
        (("--template", "{titel}"), "passages.jsonl:1: no column 'titel'; the columns are ['id', 'text', 'title']"),
        (("--passage-id", "docno"), "passages.jsonl:1: no column 'docno' with the id"),
    ],
)
def test_passages_that_are_others_are_refused_and_leave_no_folder_that_looks_whole(tmp_path, capsys, changes, message):
    given = {"--passages": "10", "--template": "{title} {text}", **dict([changes])}
    words = [word for pair in given.items() for word in pair]
    file = EXAMPLE / "passages.jsonl"
    code, _, err = call(capsys, "corpus", "--dataset", "tea", "--file", file, *words, "--output", tmp_path / "c")
    assert (code, message in err) == (1, True), err
    assert list((tmp_path / "c").iterdir()) == []


def test_a_run_of_another_system_is_taken_with_its_record_and_evaluated(tea, capsys):
    (tea / "run.tsv").write_text("q1\trooibos\t1\nq2\tassam\t1\nq2\tpu-erh\t2\n")
    folders = ("--corpus", tea / "corpus", "--queries", tea / "queries")
    output = tea / "build" / "run.trec.gz"
    taken = ("import-run", "--run", tea / "run.tsv", *folders, "--depth", 2, "--output", output)
    assert call(capsys, *taken)[0] == 0
    assert read_run(output) == {"q1": [("rooibos", -1.0)], "q2": [("assam", -1.0), ("pu-erh", -2.0)]}
    record = json.loads((tea / "build" / "run.json").read_text())
    assert record["settings"] == {"engine": "external", "depth": 2, "asked_depth": 2, "self_match": "none"}
    assert record["inputs"]["source"] == sha256_file(tea / "run.tsv")
    kept = {"passages": 10, "queries": 6, "judgements": 7, "kept": 6, "query_maxlen": 32, "doc_maxlen": 300}
    rules = [f"{key}={value}" for key, value in {**kept, "gains": "graded", "self_match": "none"}.items()]
    names = ("--dataset", "tea", "--model", "theirs", "--codec", "external", "--preset", "search", "--against", "minilm")
    scored = ("evaluate", "--run", output, "--queries", tea / "queries", "--measures", "RR@2", "--depth", 2, *names)
    code, _, err = call(capsys, *scored, "--protocol", *rules, "--output", tea / "metrics.json")
    assert (code, err) == (0, "")
    found = json.loads((tea / "metrics.json").read_text())
    assert found["mean"]["RR@2"] == pytest.approx((1 + 0.5) / 6)
    assert (found["against"], found["counts"]["scored"], found["counts"]["judged"]) == ("minilm", 2, 6)


def test_a_run_that_is_too_shallow_or_of_other_passages_is_refused(tea, capsys):
    words = ("score-run", "--dataset", "tea", "--config", EXAMPLE / "config.yaml", "--run")
    (tea / "shallow.tsv").write_text("q1\trooibos\t1\n")
    code, _, err = call(capsys, *words, tea / "shallow.tsv")
    assert (code, "at most 1 results, too few to be scored at 10" in err) == (1, True), err
    (tea / "other.tsv").write_text("q1\tcoffee\t1\n")
    code, _, err = call(capsys, *words, tea / "other.tsv", "--depth", 1)
    assert (code, "ranks 1 passages that the collection lacks, such as ['coffee']" in err) == (1, True), err


def test_a_run_is_scored_by_hand_with_an_interval_and_a_paired_test(tea, capsys):
    passages = [text.id for text in open_passages(tea / "corpus").slice(0, 10)]
    right = {"q1": "rooibos", "q2": "pu-erh", "q3": "sencha", "q4": "earl-grey", "q5": "matcha", "q6": "mate"}
    for name, first in (("good", 1.0), ("bad", -1.0)):
        run = {query: {p: first if p == best else 0.0 for p in passages} for query, best in right.items()}
        (tea / f"{name}.json").write_text(json.dumps(run))
    words = ("score-run", "--dataset", "tea", "--config", EXAMPLE / "config.yaml")
    code, out, err = call(capsys, *words, "--run", tea / "good.json", "--against", tea / "bad.json")
    assert (code, err) == (0, "")
    assert "good.json: RR@10 1.0000 [1.0000, 1.0000], nDCG@10 0.9" in out
    assert "6 judged queries, 0 of them missing and counted as 0; 0 with fewer than 10 results; 54 results tied" in out
    assert "RR@10, first less second: +0.8" in out
    assert "6 won, 0 tied, 0 lost" in out


def test_a_query_set_that_is_not_there_is_refused(capsys):
    words = ("score-run", "--run", "r", "--dataset", "coffee", "--config", EXAMPLE / "config.yaml")
    code, _, err = call(capsys, *words)
    assert (code, "--dataset coffee of the command line is not a query set of" in err) == (1, True)
