"""Runs of other systems: three formats, ranks and scores, and what is held against queries and passages."""

import gzip
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import DataError
from bench.evaluation import external

RUN = {"q1": [("d2", 2.0), ("d1", 1.0)], "q2": [("d1", 0.5)]}
TREC = "q1 Q0 d1 2 1 x\nq1 Q0 d2 1 2 x\nq2 Q0 d1 1 0.5 x\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("run.trec", TREC.encode()),
        ("run.trec.gz", gzip.compress(TREC.encode(), mtime=0)),
        ("run.txt", TREC.replace(" ", "\t").encode()),
        ("run.json", b'{"q1": {"d1": 1, "d2": 2.0}, "q2": {"d1": 0.5}}'),
        ("run.json.gz", gzip.compress(b'{"q1": {"d1": 1, "d2": 2.0}, "q2": {"d1": 0.5}}', mtime=0)),
    ],
)
def test_trec_and_ranx_give_rankings_in_the_order_of_scores(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert external.read(tmp_path / name) == RUN


def test_ms_marco_has_ranks_alone_which_give_the_order(tmp_path):
    (tmp_path / "run.tsv").write_text("q1\td1\t2\nq1\td2\t1\nq2\td1\t1\n")
    assert external.read(tmp_path / "run.tsv") == {"q1": [("d2", -1.0), ("d1", -2.0)], "q2": [("d1", -1.0)]}


def test_equal_scores_are_in_the_order_of_passage_ids_whatever_their_ranks_say(tmp_path):
    (tmp_path / "run.trec").write_text("q1 Q0 d2 1 1 x\nq1 Q0 d1 2 1 x\n")
    assert external.read(tmp_path / "run.trec") == {"q1": [("d1", 1.0), ("d2", 1.0)]}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("r.trec", b"", r"r\.trec is empty"),
        ("r.trec", b"q1 Q0 d1 1 1 x\nq1 Q0 d 2 2 1 x\n", r"r\.trec:2: 7 fields, expected QUERY Q0 PASSAGE RANK SCORE TAG"),
        ("r.trec", b"q1 Q0 d1 1\n", r"r\.trec:1: 4 fields, expected"),
        ("r.trec", b"q1 Q0 d1 1 nan x\n", r"r\.trec:1: score nan of passage 'd1' for query 'q1' is not finite"),
        ("r.trec", b"q1 Q0 d1 1 best x\n", r"r\.trec:1: score 'best' is not a number"),
        ("r.trec", b"q1 Q0 d1 1.5 1 x\n", r"r\.trec:1: rank '1\.5' is not a whole number"),
        ("r.trec", b"q1 Q0 d1 1 2 x\nq1 Q0 d1 2 1 x\n", r"r\.trec:2: ranks passage 'd1' twice for query 'q1'"),
        (
            "r.trec",
            b"q1 Q0 d1 1 1 x\nq1 Q0 d2 2 3 x\n",
            r"r\.trec: ranks 'd1' before 'd2' for query 'q1', but scores 1 and 3",
        ),
        ("r.tsv", b"q 1\td1\t1\n", r"r\.tsv:1: id 'q 1' is empty or has white space"),
        ("r.json", b'{"q1": {"d1": 1', r"r\.json: not valid JSON"),
        ("r.json", b'{"q1": {"d1": "1"}}', r"r\.json: score '1' of passage 'd1' for query 'q1' is not a number"),
        ("r.json", b'{"q1": {"d1": NaN}}', r"r\.json: score nan of passage 'd1' for query 'q1' is not finite"),
        ("r.json", b'{"q1": {"d1": 1, "d1": 2}}', r"r\.json: query 'q1' has the key 'd1' twice"),
        ("r.json", b'{"q1": {}}', r"r\.json: query 'q1' is no mapping, or an empty one"),
        ("r.json", b"[1]", r"r\.json: the run is no mapping, or an empty one"),
        (
            "r.trec.gz",
            gzip.compress(TREC.encode(), mtime=0)[:-6],
            r"r\.trec\.gz:\d: the compressed file is damaged or ends too early",
        ),
    ],
)
def test_what_is_no_run_is_refused_in_one_line_with_the_file(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message) as refusal:
        external.read(tmp_path / name)
    assert "\n" not in str(refusal.value)


def taken(run, **changes):
    rules = {"queries": {"q1", "q2"}, "sampled": False, "passages": ["d1", "d2", "q1"], "depth": 1, "self_match": "none"}
    return external.taken(run, "r", **{**rules, **changes})


def test_a_run_is_cut_and_its_own_passage_is_removed_before_the_cut():
    assert taken(RUN)[0] == {"q1": [("d2", 2.0)], "q2": [("d1", 0.5)]}
    with_self = {"q1": [("q1", 3.0), *RUN["q1"]]}
    found, counts = taken(with_self, self_match="removed")
    assert (found, counts) == ({"q1": [("d2", 2.0)]}, {"queries": 1, "self_matches": 1, "left_out": 0})
    assert taken(with_self)[0] == {"q1": [("q1", 3.0)]}


def test_other_queries_are_left_out_where_the_set_is_a_sample_and_refused_where_it_is_whole():
    found, counts = taken(RUN, queries={"q2"}, sampled=True)
    assert (list(found), counts["left_out"]) == (["q2"], 1)
    with pytest.raises(DataError, match=r"r: has 1 queries that the query set lacks, such as \['q1'\]"):
        taken(RUN, queries={"q2"})
    with pytest.raises(DataError, match="r: has 2 queries that the query set lacks"):
        taken(RUN, queries={"q3"}, sampled=True)


def test_a_run_over_another_collection_is_refused():
    with pytest.raises(DataError, match=r"r: ranks 1 passages that the collection lacks, such as \['d2'\]"):
        taken(RUN, passages=["d1"])


def test_the_depth_is_that_of_the_longest_ranking_unless_it_is_given():
    assert (external.depth_of(RUN, None, "r"), external.depth_of(RUN, 10, "r")) == (2, 10)
    with pytest.raises(DataError, match="r: a ranking of 2 results, but the depth is said to be 1"):
        external.depth_of(RUN, 1, "r")


ids = st.text("ab1é", min_size=1, max_size=3)
scores = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(run=st.dictionaries(ids, st.dictionaries(ids, scores, min_size=1, max_size=4), min_size=1, max_size=3))
def test_any_run_comes_back_the_same_from_trec_and_from_ranx(tmp_path_factory, run):
    folder = tmp_path_factory.getbasetemp()
    lines = [f"{q} Q0 {p} 0 {score!r} t" for q, ranking in run.items() for p, score in ranking.items()]
    (folder / "any.trec").write_text("\n".join(lines), encoding="utf-8")
    (folder / "any.json").write_text(json.dumps(run), encoding="utf-8")
    found = external.read(folder / "any.trec")
    assert found == external.read(folder / "any.json")
    assert {query: dict(ranking) for query, ranking in found.items()} == run


@given(data=st.binary(max_size=40))
def test_any_bytes_are_a_run_or_one_refusal_that_names_the_file(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes.trec"
    path.write_bytes(data)
    fields = [line.split() for line in data.split(b"\n")]
    if not all(len(cells) in (3, 6) for cells in fields):
        with pytest.raises(DataError, match=rf"^{re.escape(str(path))}[: ][^\n]*$"):
            external.read(path)
