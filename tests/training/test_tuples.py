"""N-way tuples on disk, and the files that they can be read from."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DamagedFileError, DataError
from bench.files.storage import FolderWriter
from bench.training.tuples import KIND, NAME, VERSION, Row, read_docpairs, read_official, read_tuples, write_tuples

ROWS = [Row("q1", ["p1", "p2", "p3"], [1.5, -2.0, 0.1]), Row("q2", ["p2", "p1", "p4"], [0.25, 3.0, -0.0])]
IDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=4)


def write(folder, rows=ROWS, **changes):
    return write_tuples(folder, rows, settings={"source": "test"}, **changes)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), nway=st.integers(2, 6))
def test_tuples_come_back_as_they_were_written(tmp_path_factory, data, nway):
    queries = data.draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    passages = [data.draw(st.lists(IDS, min_size=nway, max_size=nway, unique=True)) for _ in queries]
    scores = [data.draw(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=nway, max_size=nway))
              for _ in queries]  # fmt: skip
    folder = tmp_path_factory.mktemp("tuples")
    rows = [Row(*row) for row in zip(queries, passages, scores, strict=True)]
    manifest = write(folder, iter(rows), counts={"short": 3}, inputs={"corpus": "c"})
    found = read_tuples(folder, queries=set(queries), passages=set().union(*passages))
    assert (found.queries, found.passages, found.nway) == (queries, passages, nway)
    assert found.scores.dtype == np.float32
    np.testing.assert_array_equal(found.scores, np.array(scores, np.float32))
    assert found.manifest == manifest
    assert manifest.counts == {"queries": len(queries), "nway": nway, "short": 3}
    assert manifest.settings == {"source": "test", "scored": True, "repeats": False}


def test_the_file_has_the_layout_of_the_official_one(tmp_path):
    write(tmp_path)
    lines = (tmp_path / NAME).read_text().splitlines()
    assert json.loads(lines[0]) == ["q1", ["p1", 1.5], ["p2", -2.0], ["p3", 0.1]]
    assert list(read_official(tmp_path / NAME)) == ROWS


def test_counts_are_those_after_the_last_row(tmp_path):
    counts = {"made": 0}

    def rows():
        for row in ROWS:
            counts["made"] += 1
            yield row

    assert write(tmp_path, rows(), counts=counts).counts["made"] == 2


WRONG = [
    ('["q1", ["p1", 1.0], ["p1", 2.0]]', "passage 'p1' stands twice in line 3 of .*, of query 'q1'"),
    ('["q0", ["p1", 1.0], ["p2", 2.0]]', "query 'q0' in line 3 of .* has a tuple in an earlier line"),
    ('["q1", ["p1", NaN], ["p2", 2.0]]', "score nan of passage 'p1' in line 3 of .* is not a finite"),
    ('["q1", ["p1", 1.0], ["p2", -Infinity]]', "score -inf of passage 'p2' in line 3"),
    ('["q1", ["p1", 1e39], ["p2", 2.0]]', r"score 1e\+39 of passage 'p1' in line 3"),
    ('["q1", ["p1", "1"], ["p2", 2.0]]', "score '1' in line 3 of .* is not a number"),
    ('["q1", ["p1", true], ["p2", 2.0]]', "score True in line 3 of .* is not a number"),
    ('["q1", ["p1", 1.0], ["p2", 2.0], ["p3", 2.0]]', "line 3 of .* has 3 passages, the lines before it 2"),
    ('["q1", ["p1", 1.0]]', "line 3 of .* has 1 passages, a positive and at least one other"),
    ('["q1"]', "line 3 of .* has 0 passages"),
    ('["q1", "p1", "p2"]', "line 3 of .* is not scored, unlike the lines before it"),
    ('["q1", ["p1", 1.0], "p2"]', "line 3 of .* has 'p2' beside"),
    ('["q1", ["p1", 1.0], ["p2", 2.0, 3.0]]', r"line 3 of .* has \['p2', 2.0, 3.0\] beside"),
    ('["nosuch", ["p1", 1.0], ["p2", 2.0]]', "query 'nosuch' in line 3 of .* is not in the query folder"),
    ('["q1", ["p1", 1.0], ["nosuch", 2.0]]', "passage 'nosuch' in line 3 of .* is not in the corpus folder"),
    ('[1.5, ["p1", 1.0], ["p2", 2.0]]', "1.5 in line 3 of .* is no id"),
    ('["q1", [null, 1.0], ["p2", 2.0]]', "None in line 3 of .* is no id"),
    ('["q1", ["p1", 1.0], ["p2", 2.0]', "line 3 of .* is not a JSON list"),
    ("[]", r"line 3 of .* is not a JSON list .*: '\[\]'"),
    ("7", "line 3 of .* is not a JSON list"),
    ("", "line 3 of .* is not a JSON list"),
]
RIGHT = ['["q0", ["p1", 1.0], ["p2", 2.0]]', '["q9", ["p2", 1.0], ["p1", 2]]']
KNOWN = {"queries": {"q0", "q1", "q9"}, "passages": {"p1", "p2", "p3"}}


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line or "empty" for line, _ in WRONG])
@pytest.mark.parametrize("official", [False, True])
def test_a_wrong_line_is_refused_with_file_line_and_value(tmp_path, official, line, message):
    path = tmp_path / NAME
    path.write_text("\n".join([*RIGHT, line]) + "\n")
    if not official:
        writer = FolderWriter(tmp_path, KIND, VERSION)
        writer.path(NAME)
        writer.close(settings={"scored": True, "repeats": False}, counts={"queries": 3, "nway": 2})
    with pytest.raises(DataError, match=message) as refused:
        list(read_official(path, **KNOWN)) if official else read_tuples(tmp_path, **KNOWN)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row("q1", ["p1", "p2", "p3"], [1.0, 2.0, 3.0]), "query 'q1' in line 3"),
        (Row("q3", ["p1", "p2", "p1"], [1.0, 2.0, 3.0]), "passage 'p1' stands twice in line 3"),
        (Row("q3", ["p1", "p2", "p3"], [1.0, float("nan"), 3.0]), "score nan of passage 'p2' in line 3"),
        (Row("q3", ["p1", "p2"], [1.0, 2.0]), "line 3 of .* has 2 passages, the lines before it 3"),
        (Row("q3", ["p1", "p2", "p3"], None), "line 3 of .* is not scored"),
    ],
)
def test_a_wrong_row_is_not_written_and_leaves_no_folder_that_looks_whole(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        write(tmp_path, [*ROWS, row])
    assert list(tmp_path.iterdir()) == []


def test_no_tuples_at_all_are_refused(tmp_path):
    with pytest.raises(DataError, match="no tuple is left"):
        write(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_refused(tmp_path):
    write(tmp_path)
    path = tmp_path / NAME
    path.write_text(path.read_text().replace("1.5", "2.5"))
    with pytest.raises(DamagedFileError, match="sha256"):
        read_tuples(tmp_path)


@pytest.mark.parametrize("counts", [{"queries": 1, "nway": 3}, {"queries": 3, "nway": 3}, {"queries": 2, "nway": 4}])
def test_a_manifest_with_other_counts_than_the_file_is_refused(tmp_path, counts):
    write(tmp_path)
    writer = FolderWriter(tmp_path, KIND, VERSION)
    writer.path(NAME)
    writer.close(settings={"scored": True, "repeats": False}, counts=counts)
    with pytest.raises(DataError, match="manifest says"):
        read_tuples(tmp_path)


def test_official_ids_are_whole_numbers_and_become_text(tmp_path):
    path = tmp_path / "examples.json"
    path.write_text("[3, [70, 1.5], [8, -1], [9, 0]]\n[4, [8, 2.5], [70, 1], [6, 0]]\n")
    found = list(read_official(path, queries={"3", "4"}, passages={"6", "8", "9", "70"}))
    assert found == [Row("3", ["70", "8", "9"], [1.5, -1.0, 0.0]), Row("4", ["8", "70", "6"], [2.5, 1.0, 0.0])]


def test_fewer_ways_are_the_first_passages_of_each_line(tmp_path):
    write(tmp_path)
    found = list(read_official(tmp_path / NAME, nway=2))
    assert found == [Row("q1", ["p1", "p2"], [1.5, -2.0]), Row("q2", ["p2", "p1"], [0.25, 3.0])]


@pytest.mark.parametrize(
    ("nway", "message"), [(4, "nway 4 asked for, but line 1 of .* has 3 passages"), (1, "nway 1 asked")]
)
def test_more_ways_than_there_are_and_one_way_are_refused(tmp_path, nway, message):
    write(tmp_path)
    with pytest.raises(DataError, match=message):
        list(read_official(tmp_path / NAME, nway=nway))


def test_an_official_file_is_read_line_by_line(tmp_path):
    path = tmp_path / "examples.json"
    path.write_text("[1, [2, 0.5], [3, 0.5]]\nbroken\n")
    rows = read_official(path)
    assert next(rows) == Row("1", ["2", "3"], [0.5, 0.5])
    with pytest.raises(DataError, match="line 2"):
        next(rows)


def test_a_missing_official_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"nosuch\.json cannot be read"):
        list(read_official(tmp_path / "nosuch.json"))


def pair(query, positive, negative):
    return SimpleNamespace(query_id=query, doc_id_a=positive, doc_id_b=negative)


def test_docpairs_are_two_way_tuples_without_scores_and_a_query_may_come_again(tmp_path):
    pairs = [pair("q1", "p1", "p2"), pair("q1", "p1", "p3"), pair("q0", "p3", "p1")]
    write(tmp_path, read_docpairs(pairs, "toy", **KNOWN), repeats=True)
    with pytest.raises(DataError, match="have no teacher scores"):
        read_tuples(tmp_path)
    found = read_tuples(tmp_path, needs_scores=False)
    assert found.queries == ["q1", "q1", "q0"]
    assert found.passages == [["p1", "p2"], ["p1", "p3"], ["p3", "p1"]]
    assert np.isnan(found.scores).all()
    assert found.nway == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (pair("q1", "p1", "p1"), "passage 'p1' stands twice in pair 2 of toy"),
        (pair("nosuch", "p1", "p2"), "query 'nosuch' in pair 2 of toy is not in"),
        (pair("q1", "p1", "nosuch"), "passage 'nosuch' in pair 2 of toy is not in"),
    ],
)
def test_a_wrong_docpair_is_refused_with_its_number(wrong, message):
    with pytest.raises(DataError, match=message):
        list(read_docpairs([pair("q1", "p1", "p2"), wrong], "toy", **KNOWN))
