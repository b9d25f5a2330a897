import gzip
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DamagedFileError, DataError
from bench.evaluation.runs import open_run, read_run, record_path, save, write_run

NAMES = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8)
SCORES = st.floats(width=32, allow_nan=False, allow_infinity=False)
RANKINGS = st.lists(st.tuples(NAMES, SCORES), min_size=1, max_size=5, unique_by=lambda item: item[0])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(run=st.dictionaries(NAMES, RANKINGS, min_size=1, max_size=4))
def test_a_run_reads_back_with_the_order_and_every_digit_of_its_scores(tmp_path_factory, run):
    path = tmp_path_factory.mktemp("run") / "run.trec.gz"
    write_run(path, run, "tag")
    found = read_run(path)
    assert list(found) == list(run)
    for query, ranking in run.items():
        assert [name for name, _ in found[query]] == [name for name, _ in ranking]
        assert [np.float32(score) for _, score in found[query]] == [np.float32(score) for _, score in ranking]


@pytest.mark.parametrize("low", [0.1, 17.123457, 1010.1, 1023.5, -1000.3])
def test_neighbouring_float32_scores_stay_apart(tmp_path, low):
    low = np.float32(low)
    high = np.nextafter(low, np.float32(np.inf))
    write_run(tmp_path / "r.gz", {"q": [("a", float(high)), ("b", float(low))]}, "tag")
    scores = [score for _, score in read_run(tmp_path / "r.gz")["q"]]
    assert scores[0] > scores[1]
    assert [np.float32(score) for score in scores] == [high, low]


def test_the_lines_are_those_of_the_trec_format(tmp_path):
    write_run(tmp_path / "r.gz", {"q1": [("d2", 1.5), ("d1", 1.0)], "q2": [("d9", -0.25)]}, "fp16-exact")
    assert gzip.decompress((tmp_path / "r.gz").read_bytes()).decode() == (
        "q1 Q0 d2 1 1.5 fp16-exact\nq1 Q0 d1 2 1 fp16-exact\nq2 Q0 d9 1 -0.25 fp16-exact\n"
    )


def test_equal_rankings_are_equal_bytes_whatever_the_name_of_the_file(tmp_path, monkeypatch):
    run = {"q1": [("d2", 1.5), ("d1", 1.0)]}
    write_run(tmp_path / "one.gz", run, "tag")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    write_run(tmp_path / "other.gz", run, "tag")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "other.gz").read_bytes()


def write_lines(path, *lines):
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


@pytest.mark.parametrize(
    ("line", "fields"), [("q Q0 d2 2 0.5", 5), ("q Q0 d 2 2 0.5 tag", 7), ("", 0), ('{"q": {"d2": 0.5}}', 3)]
)
def test_a_line_with_another_number_of_fields_is_refused_by_its_number(tmp_path, line, fields):
    path = write_lines(tmp_path / "r.gz", "q Q0 d1 1 1.0 tag", line)
    with pytest.raises(DataError, match=f"line 2 of .* has {fields} fields, a TREC run has 6"):
        read_run(path)


@pytest.mark.parametrize("score", ["high", "nan", "inf", "-Infinity", "1e400", "1_0", "0x1", "١"])
def test_a_line_whose_score_is_no_finite_number_is_refused(tmp_path, score):
    path = write_lines(tmp_path / "r.gz", "q Q0 d1 1 1.0 tag", f"q Q0 d2 2 {score} tag")
    with pytest.raises(DataError, match=f"score '{score}' in line 2 of .* is not a finite number"):
        read_run(path)


def test_a_truncated_run_is_refused(tmp_path):
    write_run(tmp_path / "r.gz", {"q": [(f"d{number}", 1 / (number + 1)) for number in range(50)]}, "tag")
    (tmp_path / "r.gz").write_bytes((tmp_path / "r.gz").read_bytes()[:-20])
    with pytest.raises(DataError):
        read_run(tmp_path / "r.gz")


def test_a_passage_ranked_twice_for_a_query_is_refused(tmp_path):
    path = write_lines(tmp_path / "r.gz", "q1 Q0 d1 1 2.0 t", "q2 Q0 d1 1 2.0 t", "q2 Q0 d2 2 1.5 t", "q2 Q0 d1 3 1.0 t")
    with pytest.raises(DataError, match="ranks a passage twice for query 'q2'"):
        read_run(path)


def test_a_failed_write_leaves_the_old_run(tmp_path):
    write_run(tmp_path / "r.gz", {"q": [("d", 1.0)]}, "tag")
    with pytest.raises(DataError, match=r"passage 'e' has the score nan for query 'q'"):
        write_run(tmp_path / "r.gz", {"q": [("d", 1.0), ("e", math.nan)]}, "tag")
    assert read_run(tmp_path / "r.gz") == {"q": [("d", 1.0)]}
    assert [path.name for path in tmp_path.iterdir()] == ["r.gz"]


RECORD = {"settings": {"engine": "mine", "depth": 2, "self_match": "none"}, "inputs": {"queries": "d"}, "counts": {}}
RUN = {"q1": [("d1", 2.0), ("d2", 1.0)], "q2": [("d1", 1.0)]}


def test_two_runs_of_one_folder_have_records_of_their_own(tmp_path):
    save(tmp_path / "one.trec.gz", RUN, "t", {**RECORD, "settings": {**RECORD["settings"], "engine": "exact"}})
    save(tmp_path / "two.trec.gz", {"q1": [("d3", 1.0)]}, "t", RECORD)
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["one.json", "two.json"]
    run, record = open_run(tmp_path / "one.trec.gz")
    assert (run, record["settings"]["engine"], record["counts"]) == (RUN, "exact", {"results": 3})
    assert record_path(tmp_path / "run.trec.gz") == tmp_path / "run.json"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "is empty"),
        ({"q1": RUN["q1"]}, "is not the run that .*run.json describes"),
        ({"q1": RUN["q1"][:1], "q2": RUN["q2"]}, "is not the run that .*run.json describes"),
        ({"q1": [("d9", 2.0), ("d2", 1.0)], "q2": RUN["q2"]}, "is not the run that .*run.json describes"),
    ],
    ids=["empty", "a query dropped", "half a ranking", "of another model"],
)
def test_a_run_that_is_not_the_one_of_its_record_is_refused(tmp_path, changed, message):
    path = tmp_path / "run.trec.gz"
    save(path, RUN, "t", RECORD)
    write_run(path, changed, "t")
    with pytest.raises(DataError, match=message):
        open_run(path)


def test_a_record_without_a_digest_is_held_against_its_counts_alone(tmp_path):
    path = tmp_path / "run.trec.gz"
    write_run(path, RUN, "t")
    record_path(path).write_text(json.dumps(RECORD))
    assert open_run(path) == (RUN, RECORD)
    record_path(path).write_text(json.dumps({**RECORD, "counts": {"results": 4}}))
    with pytest.raises(DataError, match="is not the run"):
        open_run(path)


@pytest.mark.parametrize(("lost", "kept"), [("digest", "sha256"), ("sha256", "digest")])
def test_a_record_that_lost_one_of_its_digests_is_refused(tmp_path, lost, kept):
    path = tmp_path / "run.trec.gz"
    save(path, RUN, "t", RECORD)
    record = json.loads(record_path(path).read_text())
    del record[lost]
    record_path(path).write_text(json.dumps(record))
    with pytest.raises(DamagedFileError, match=f"was changed after it was written: it has a {kept} and no {lost};"):
        open_run(path)


@pytest.mark.parametrize("record", [None, [], {}, {**RECORD, "inputs": None}, {**RECORD, "settings": {"engine": "mine"}}])
def test_json_that_is_no_record_of_a_run_is_refused(tmp_path, record):
    write_run(tmp_path / "run.trec.gz", RUN, "t")
    record_path(tmp_path / "run.trec.gz").write_text(json.dumps(record))
    with pytest.raises(DamagedFileError, match=r"run\.json is no record of a run: it has no "):
        open_run(tmp_path / "run.trec.gz")
