"""Passages, queries and judgements of own files: formats, columns, and every refusal with file and line."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.corpus.own import judged, tables
from bench.corpus.own.files import Judgements, Texts, distinct, template_of
from bench.corpus.texts import Text, open_passages, write_passages
from bench.errors import DataError
from bench.files.provenance import ROOT

ROWS = [{"_id": "d1", "title": "A", "text": "one"}, {"_id": "d2", "title": "", "text": "two é"}]


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def texts(path, template="{title} {text}", **more):
    return list(distinct(Texts(path, template, **more)))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("d.jsonl", jsonl(ROWS)),
        ("d.jsonl.gz", gzip.compress(jsonl(ROWS), mtime=0)),
        ("d.tsv", "title\t_id\ttext\nA\td1\tone\n\td2\ttwo é\n".encode()),
    ],
)
def test_each_format_gives_the_same_texts_and_the_count_without_parsing(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert texts(tmp_path / name) == [Text("d1", "A one"), Text("d2", " two é")]
    assert tables.count(tmp_path / name) == 2
    assert template_of(tmp_path / name) == "{title} {text}"


def test_a_tsv_file_without_a_header_has_id_and_text_as_ms_marco_has(tmp_path):
    (tmp_path / "q.tsv").write_text("7\twhat is tea\n8\tid\n")
    assert texts(tmp_path / "q.tsv", "{text}") == [Text("7", "what is tea"), Text("8", "id")]
    assert tables.count(tmp_path / "q.tsv") == 2


def test_named_columns_make_id_and_text_and_a_number_may_be_an_id(tmp_path):
    (tmp_path / "d.jsonl").write_bytes(jsonl([{"docno": 5, "head": "H", "body": "{text}"}]))
    assert texts(tmp_path / "d.jsonl", "{head}: {body}!", id_column="docno") == [Text("5", "H: {text}!")]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("d.jsonl", b'{"_id": "a", "text": "x"}\n{"_id": "b", "te', r"d\.jsonl:2: not valid JSON"),
        ("d.jsonl", b"[1]\n", r"d\.jsonl:1: holds a list, one JSON object a line is expected"),
        (
            "d.jsonl",
            b'{"docno": "a", "text": "x"}\n',
            r"d\.jsonl:1: no column '_id' or 'id' with .* \['docno', 'text'\]",
        ),
        ("d.jsonl", b'{"id": "a", "body": "x"}\n', r"d\.jsonl:1: no column 'text'; the columns are \['body', 'id'\]"),
        ("d.jsonl", b'{"id": "a", "text": null}\n', r"d\.jsonl:1: column 'text' is None, expected text"),
        ("d.jsonl", b'{"id": true, "text": "x"}\n', r"d\.jsonl:1: column 'id' is True, expected text"),
        ("d.jsonl", b'{"id": "a b", "text": "x"}\n', r"d\.jsonl:1: id 'a b' is empty or has white space"),
        ("d.jsonl", b'{"id": "", "text": "x"}\n', r"d\.jsonl:1: id '' is empty or has white space"),
        ("d.jsonl", b'{"id": "a", "text": "x"}\n' * 2, r"d\.jsonl:2: id 'a' stands twice"),
        ("d.jsonl", b'{"id": "\\ud83d", "text": "x"}\n', r"d\.jsonl:1: id .* has half a surrogate pair"),
        ("d.jsonl", b"[" * 100_000, r"d\.jsonl:1: not valid JSON"),
        (
            "d.tsv",
            b"a\tx\nb\ty\tz\n",
            r"d\.tsv:2: 3 cells between tabs, expected 2: \['id', 'text'\], since line 1 is no header",
        ),
        ("d.tsv", b"id\ttext\na\n", r"d\.tsv:2: 1 cells between tabs, expected 2: \['id', 'text'\] of the header"),
        ("d.tsv", b"id\tid\na\tb\n", r"d\.tsv:1: the header names a column twice"),
        ("d.csv", b"id,text\n", r"d\.csv has no known format: expected \.jsonl, .*, the text formats also with \.gz"),
    ],
)
def test_what_cannot_be_a_text_is_refused_in_one_line_with_file_and_line(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message) as refusal:
        texts(tmp_path / name, "{text}")
    assert "\n" not in str(refusal.value)


def test_a_text_with_half_a_surrogate_pair_is_refused_and_nothing_is_left_that_looks_whole(tmp_path):
    (tmp_path / "d.jsonl").write_bytes(b'{"id": "a", "text": "x"}\n{"id": "b", "text": "\\ud83d"}\n')
    found = Texts(tmp_path / "d.jsonl", "{text}")
    with pytest.raises(DataError, match=r"d\.jsonl:2: the text of 'b' has half a surrogate pair"):
        write_passages(tmp_path / "c", found, lambda: found.place)
    assert list((tmp_path / "c").iterdir()) == []


QRELS = [("q1", "d1", 2), ("q1", "d 2".replace(" ", ""), 0)]


@pytest.mark.parametrize(
    "data",
    [
        "q1 0 d1 2\nq1 Q0 d2 0\n",
        "q1\t0\td1\t2\nq1\t0\td2\t0\n",
        "q1\td1\t2\nq1\td2\t0\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n",
    ],
)
def test_judgements_of_trec_and_of_tsv_are_the_same(tmp_path, data):
    (tmp_path / "qrels.txt").write_text(data)
    assert list(Judgements(tmp_path / "qrels.txt")) == QRELS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("q1 0 d1 2\nq1 d2 0\n", r"qrels:2: 3 fields, expected QUERY 0 PASSAGE GRADE of TREC"),
        ("q1 d1 2\n", r"qrels:1: 3 fields, expected QUERY 0 PASSAGE GRADE of TREC"),
        ("q 1\td1\t2\n", r"qrels:1: id 'q 1' is empty or has white space"),
        ("q1\td 1\t2\n", r"qrels:1: id 'd 1' is empty or has white space"),
        ("q1 0 d1 1.5\n", r"qrels:1: grade '1\.5' is not a whole number"),
        ("qid\tdocid\trel\n", r"qrels has a header and no judgement"),
    ],
)
def test_lines_that_are_no_judgements_are_refused(tmp_path, data, message):
    (tmp_path / "qrels").write_text(data)
    with pytest.raises(DataError, match=message):
        list(Judgements(tmp_path / "qrels"))


@pytest.fixture
def asked(tmp_path):
    (tmp_path / "q.tsv").write_text("q1\tone\nq2\ttwo\n")
    return Texts(tmp_path / "q.tsv", "{text}")


def judgements(folder, text):
    (folder / "qrels").write_text(text)
    return folder / "qrels"


def test_queries_are_kept_all_or_those_that_are_judged(asked, tmp_path):
    qrels = judgements(tmp_path, "q2 0 d1 1\nq2 0 d1 1\n")
    found = judged.read(asked, qrels, judged_only=False)
    assert ([text.id for text in found.texts], found.qrels, found.judgements) == (["q1", "q2"], {"q2": {"d1": 1}}, 2)
    assert [text.id for text in judged.read(asked, qrels, judged_only=True).texts] == ["q2"]
    assert judged.read(asked, None, judged_only=False).qrels == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 0 d1 1\nq9 0 d1 1\n", r"qrels:2 judges for the query 'q9', which .*q\.tsv lacks"),
        ("q1 0 d1 1\nq1 0 d1 0\n", r"qrels:2 judges passage 'd1' for query 'q1' as 1 and as 0"),
    ],
)
def test_judgements_that_do_not_go_with_the_queries_are_refused_with_their_line(asked, tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        judged.read(asked, judgements(tmp_path, text), judged_only=False)


def test_judgements_of_unknown_passages_are_counted_and_refused_above_a_share(asked, tmp_path):
    found = judged.read(asked, judgements(tmp_path, "q1 0 d1 1\nq1 0 gone 1\nq2 0 d2 1\nq2 0 d1 1\n"), judged_only=False)
    write_passages(tmp_path / "c", [Text("d1", "a"), Text("d2", "b")])
    corpus = open_passages(tmp_path / "c")
    assert judged.unknown_passages(found, corpus, 0.25, "qrels") == 1
    message = r"qrels: 1 judgements, 25\.00%, are of passages that the collection lacks, such as 'gone' of query 'q1'"
    with pytest.raises(DataError, match=message):
        judged.unknown_passages(found, corpus, 0.2, "qrels")


def test_parquet_and_a_folder_of_datasets_need_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "d.parquet").touch()
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "state.json").write_text('{"_data_files": [{"filename": "data-0.arrow"}]}')
    (tmp_path / "saved" / "data-0.arrow").touch()
    for name in ("d.parquet", "saved"):
        with pytest.raises(DataError, match=r"needs pyarrow, .*colbertv2-bench\[arrow\]"):
            texts(tmp_path / name)


def test_parquet_and_a_folder_of_datasets_give_the_same_texts(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra arrow is not installed")
    table = pyarrow.Table.from_pylist(ROWS)
    parquet.write_table(table, tmp_path / "d.parquet")
    saved = tmp_path / "saved"
    saved.mkdir()
    for number in range(2):
        with pyarrow.ipc.new_stream(str(saved / f"data-{number}.arrow"), table.schema) as writer:
            writer.write_table(table.slice(number, 1))
    files = [{"filename": f"data-{number}.arrow"} for number in range(2)]
    (saved / "state.json").write_text(json.dumps({"_data_files": files}))
    for path in (tmp_path / "d.parquet", saved):
        assert texts(path) == [Text("d1", "A one"), Text("d2", " two é")]
        assert tables.count(path) == 2
    assert [path.name for path in tables.files(saved)] == ["data-0.arrow", "data-1.arrow"]
    for path in (tmp_path / "d.parquet", saved / "data-1.arrow"):
        path.write_bytes(path.read_bytes()[:-40])
    for path in (tmp_path / "d.parquet", saved):
        with pytest.raises(DataError, match=r"is damaged or of another format|cannot be read"):
            texts(path)


cells = st.text("aZ1é茶 {}\"'\\,\u2028", min_size=1, max_size=8)


@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_any_table_comes_back_as_it_is_from_jsonl_and_from_tsv_or_both_are_refused(tmp_path_factory, rows):
    folder = tmp_path_factory.getbasetemp()
    (folder / "any.jsonl").write_bytes(jsonl([{"id": name, "text": text} for name, text in rows]))
    tsv = "id\ttext\n" + "".join(f"{name}\t{text}\n" for name, text in rows)
    (folder / "any.tsv").write_text(tsv, encoding="utf-8", newline="")
    ids = [name for name, _ in rows]
    right = len(set(ids)) == len(ids) and all(name.split() == [name] for name in ids)
    for name in ("any.jsonl", "any.tsv"):
        if right:
            assert [(text.id, text.text) for text in texts(folder / name, "{text}")] == rows
        else:
            with pytest.raises(DataError, match=rf"{re.escape(str(folder / name))}:\d+: "):
                texts(folder / name, "{text}")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_million_queries_fit_in_700_megabytes(tmp_path):
    with (tmp_path / "q.tsv").open("w") as stream:
        stream.writelines(f"q{number}\tthe meaning of number {number} in the list\n" for number in range(1_000_000))
    code = (  # VmHWM, since ru_maxrss of a new process begins with what its parent, these tests, had in memory
        "import sys; from bench.cli import main; code = main(sys.argv[1:]);"
        "print(*(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))); sys.exit(code)"
    )
    words = ["queries", "--dataset", "mine", "--queries", "1000000", "--judgements", "0", "--file", str(tmp_path / "q.tsv")]
    command = [sys.executable, "-c", code, *words, "--output", str(tmp_path / "queries")]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    said, kilobytes = done.stdout.splitlines()
    assert said.startswith("mine: 1000000 queries, 0 judgements")
    assert int(kilobytes) < 700_000
