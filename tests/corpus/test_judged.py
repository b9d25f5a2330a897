"""Queries and judgements of a query set: what is left out, kept, and refused."""

from types import SimpleNamespace

import pytest

from bench.corpus import judged, registry
from bench.corpus.judged import Judged
from bench.corpus.texts import Text
from bench.errors import DataError

LINES = [("q1", "d1", 1), ("q1", "d2", 0), ("q2", "d1", 2), ("q3", "d3", -1)]


class Source:
    """What the harness asks of a data set of ir_datasets."""

    def __init__(self, queries, lines):
        self.queries, self.lines = queries, lines

    def queries_iter(self):
        return iter(
            [SimpleNamespace(query_id=name, default_text=lambda name=name: f"text of {name}") for name in self.queries]
        )

    def qrels_iter(self):
        return iter([SimpleNamespace(query_id=query, doc_id=doc, relevance=grade) for query, doc, grade in self.lines])


@pytest.fixture
def read(monkeypatch):
    def make(lines=LINES, queries=("q1", "q2", "q3", "q4"), without=None):
        sources = {"toy": Source(queries, lines), "toy/part": Source(["q2", "q9"], [])}
        monkeypatch.setattr(registry, "load", sources.__getitem__)
        return judged.read("toy", without)

    return make


def test_queries_come_in_file_order_with_their_grades_and_the_count_of_judgements(read):
    found = read()
    assert found.texts[0] == Text("q1", "text of q1")
    assert [text.id for text in found.texts] == ["q1", "q2", "q3", "q4"]
    assert found.qrels == {"q1": {"d1": 1, "d2": 0}, "q2": {"d1": 2}, "q3": {"d3": -1}}
    assert found.judgements == 4


def test_queries_of_another_set_are_left_out_with_their_judgements(read):
    found = read(without="toy/part")
    assert [text.id for text in found.texts] == ["q1", "q3", "q4"]
    assert sorted(found.qrels) == ["q1", "q3"]
    assert found.judgements == 3


def test_a_judgement_that_stands_twice_counts_twice_as_in_the_metadata_and_is_one(read):
    found = read([*LINES, ("q1", "d1", 1)])
    assert (found.judgements, found.qrels["q1"]) == (5, {"d1": 1, "d2": 0})


def test_judgements_that_contradict_each_other_are_refused(read):
    with pytest.raises(DataError, match="toy judges passage 'd1' for query 'q1' as 1 and as 0"):
        read([*LINES, ("q1", "d1", 0)])


def test_a_judgement_of_a_query_that_is_not_there_is_refused(read):
    with pytest.raises(DataError, match=r"judgements for queries that it lacks: \['q8'\]"):
        read([*LINES, ("q8", "d1", 1)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": 5}, "toy has 4 queries here, the protocol says 5"),
        ({"judgements": 3}, "toy has 4 judgements here, the protocol says 3"),
        ({"grades": [0, 1]}, r"toy has the grades \[-1, 2\], the protocol knows \[0, 1\]"),
    ],
)
def test_another_version_of_the_data_is_refused(read, changes, message):
    with pytest.raises(DataError, match=message):
        judged.check(read(), "toy", **{"queries": 4, "judgements": 4, "grades": [-1, 0, 1, 2], **changes})


def test_the_version_that_the_protocol_counts_passes(read):
    judged.check(read(), "toy", queries=4, judgements=4, grades=[-1, 0, 1, 2])


def test_a_draw_keeps_judged_queries_only_and_depends_on_the_seed():
    texts = [Text(f"q{number}", "x") for number in range(40)]
    found = Judged(texts, {text.id: {"d": 1} for text in texts[:30]}, 30)
    first, again, other = (judged.drawn(found, "toy", 10, seed) for seed in (1, 1, 2))
    assert [text.id for text in first.texts] == [text.id for text in again.texts] != [text.id for text in other.texts]
    assert set(first.qrels) == {text.id for text in first.texts} <= set(found.qrels)
    assert len(first.texts) == 10


def test_ids_are_read_one_a_line_whatever_the_line_ends(tmp_path):
    (tmp_path / "ids.txt").write_bytes(b"3\r\n5 \n\n7")
    assert judged.read_ids(tmp_path / "ids.txt") == ["3", "5", "7"]


def test_a_missing_list_of_ids_is_refused_by_its_name(tmp_path):
    with pytest.raises(DataError, match=r"ids\.txt, the list of queries to keep, is missing: one id a line"):
        judged.read_ids(tmp_path / "ids.txt")
