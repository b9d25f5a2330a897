"""Passages, queries and judgements on disk."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.corpus.texts import Text, open_passages, open_queries, write_passages, write_queries
from bench.errors import DamagedFileError, DataError

TEXTS = st.lists(st.text() | st.sampled_from(["", "\n", "a\r\nb", "\u2028", "Ünïcode\x85", '"}\n']), min_size=1, max_size=12)
IDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(bodies=TEXTS, data=st.data())
def test_a_slice_of_a_corpus_is_the_slice_of_the_list(tmp_path_factory, bodies, data):
    texts = [Text(f"p{number}", body) for number, body in enumerate(bodies)]
    folder = tmp_path_factory.mktemp("corpus")
    write_passages(folder, iter(texts))
    passages = open_passages(folder)
    start = data.draw(st.integers(0, len(texts)))
    stop = data.draw(st.integers(start, len(texts)))
    positions = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=5))
    assert len(passages) == len(texts)
    assert list(passages.slice(start, stop)) == texts[start:stop]
    assert list(passages.at(positions)) == [texts[position] for position in positions]
    assert passages.ids() == [text.id for text in texts]


def test_a_repeated_passage_id_is_refused_and_leaves_no_corpus(tmp_path):
    with pytest.raises(DataError, match=r"passage of .*: id 'p1' stands twice"):
        write_passages(tmp_path / "corpus", [Text("p1", "a"), Text("p2", "b"), Text("p1", "c")])
    assert list((tmp_path / "corpus").iterdir()) == []


def test_an_empty_collection_is_refused(tmp_path):
    with pytest.raises(DataError, match="has no passage"):
        write_passages(tmp_path / "corpus", [])
    with pytest.raises(DamagedFileError, match=r"has no manifest\.json"):
        open_passages(tmp_path / "corpus")


def test_an_empty_passage_is_kept_at_its_place(tmp_path):
    texts = [Text("1", "a"), Text("2", ""), Text("3", "c")]
    manifest = write_passages(tmp_path, texts)
    assert manifest.counts == {"passages": 3, "empty": 1}
    assert list(open_passages(tmp_path).slice(1, 3)) == texts[1:]


def test_the_digest_of_a_corpus_depends_on_its_texts_alone(tmp_path):
    first = write_passages(tmp_path / "a", [Text("1", "x")], settings={"dataset": "one"})
    same = write_passages(tmp_path / "b", [Text("1", "x")], settings={"dataset": "two"})
    other = write_passages(tmp_path / "c", [Text("1", "y")], settings={"dataset": "one"})
    assert first.digest == same.digest != other.digest


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_query_without_text_is_refused(tmp_path, text):
    with pytest.raises(DataError, match=r"query 'q2'.*is empty"):
        write_queries(tmp_path, [Text("q1", "a"), Text("q2", text)], {})


def test_a_repeated_query_id_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"query of .*: id 'q1' stands twice"):
        write_queries(tmp_path, [Text("q1", "a"), Text("q1", "b")], {})


@settings(max_examples=40, deadline=None)
@given(
    qrels=st.dictionaries(IDS, st.dictionaries(IDS, st.integers(-2, 5), min_size=1, max_size=4), max_size=4),
    bodies=st.lists(st.text().filter(str.strip), max_size=4),
)
def test_queries_and_judgements_come_back_as_they_were(tmp_path_factory, qrels, bodies):
    folder = tmp_path_factory.mktemp("queries")
    texts = [Text(f"q{number}", body) for number, body in enumerate(bodies)]
    manifest = write_queries(folder, texts, qrels)
    found = open_queries(folder)
    assert list(found.texts) == texts
    assert found.qrels == qrels
    assert manifest.counts == {
        "queries": len(texts),
        "judged": len(qrels),
        "judgements": sum(map(len, qrels.values())),
    }


def test_the_order_of_judgements_does_not_change_the_bytes(tmp_path):
    text = [Text("q1", "a"), Text("q2", "b")]
    one = write_queries(tmp_path / "one", text, {"q1": {"a": 1, "b": 2}, "q2": {"c": 1}})
    two = write_queries(tmp_path / "two", text, {"q2": {"c": 1}, "q1": {"b": 2, "a": 1}})
    assert one.digest == two.digest


@pytest.mark.parametrize("passage", ["two words", "line\u2028separator", ""])
def test_a_judgement_whose_id_does_not_fit_the_trec_format_is_refused(tmp_path, passage):
    with pytest.raises(DataError, match="id"):
        write_queries(tmp_path, [Text("q1", "a")], {"q1": {passage: 1}})
