"""Parts of training sets: which queries and passages they keep."""

import re

import pytest

from bench.cli import main
from bench.corpus.texts import Text, open_passages, open_queries, write_passages, write_queries
from bench.training.triples import read_triples

MADE = {"settings": {}, "inputs": {}, "context": {}}


@pytest.fixture
def whole(tmp_path):
    """Thirty passages; queries q0 to q9 with passage p(3n) relevant, of which q9 has no judgement above 0."""
    write_passages(tmp_path / "corpus", [Text(f"p{n}", f"passage {n}") for n in range(30)], **MADE)
    qrels = {f"q{n}": {f"p{3 * n}": int(n < 9), f"p{3 * n + 1}": 0} for n in range(10)}
    write_queries(tmp_path / "queries", [Text(f"q{n}", f"query {n}") for n in range(10)], qrels, **MADE)
    return tmp_path


def part(whole, name, keep=4, hold_out=2, passages=20, seed=7, query_seed=3):
    words = ["training-part", "--corpus", whole / "corpus", "--queries", whole / "queries", "--keep-queries", keep]
    words += ["--hold-out", hold_out, "--keep-passages", passages, "--query-seed", query_seed, "--seed", seed]
    words += ["--output", whole / name / "corpus"]
    words += ["--output-queries", whole / name / "queries", "--output-held-out", whole / name / "held-out"]
    return main([str(word) for word in words])


def opened(whole, name):
    folder = whole / name
    return open_passages(folder / "corpus"), open_queries(folder / "queries"), open_queries(folder / "held-out")


def test_a_part_keeps_queries_to_train_on_others_held_out_and_the_passages_of_both(whole):
    assert part(whole, "a") == 0
    passages, kept, held_out = opened(whole, "a")
    names, others = ([text.id for text in queries.texts] for queries in (kept, held_out))
    assert (len(names), len(others), len(passages)) == (4, 2, 20)
    assert not set(names) & set(others)
    assert "q9" not in {*names, *others}
    judged = {passage for queries in (kept, held_out) for grades in queries.qrels.values() for passage in grades}
    assert judged <= set(passages.ids())
    assert sorted(passages.ids(), key=lambda name: int(name[1:])) == passages.ids()
    assert set(kept.qrels) == set(names)


def test_queries_depend_on_their_seed_alone_and_the_other_passages_on_the_other(whole):
    for name, seed, query_seed in (("a", 1, 3), ("b", 1, 3), ("c", 2, 3), ("d", 1, 4)):
        assert part(whole, name, seed=seed, query_seed=query_seed) == 0
    passages, queries = ({name: found(opened(whole, name)) for name in "abcd"} for found in (ids, asked))
    assert passages["a"] == passages["b"] != passages["c"]
    assert queries["a"] == queries["b"] == queries["c"] != queries["d"]


def ids(found):
    return found[0].ids()


def asked(found):
    return [[text.id for text in queries.texts] for queries in found[1:]]


def test_a_part_has_the_queries_of_as_many_triples_and_holds_others_out_that_come_last(whole):
    assert part(whole, "a", keep=5, hold_out=3) == 0
    words = ["triples", "--corpus", whole / "corpus", "--queries", whole / "queries", "--count", 9, "--negatives", 1]
    words += ["--mining-depth", 5, "--query-seed", 3, "--seed", 0, "--output", whole / "triples"]
    assert main([str(word) for word in words]) == 0
    order = [triple.query for triple in read_triples(whole / "triples")[0]]
    named = [text.id for text in open_queries(whole / "queries").texts]
    kept, held_out = asked(opened(whole, "a"))
    assert set(kept) == {named[query] for query in order[:5]}
    assert set(held_out) == {named[query] for query in order[-3:]}


def test_without_queries_held_out_their_folder_is_empty(whole):
    assert part(whole, "a", hold_out=0) == 0
    assert opened(whole, "a")[2].texts == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keep": 8, "hold_out": 2}, "--keep-queries 8 and --hold-out 2: .* has 9 queries with a relevant passage"),
        ({"passages": 11}, "--keep-passages 11 must lie between the 12 judged ones of the kept queries and the 30"),
        ({"passages": 31}, "--keep-passages 31 must lie between the 12 judged ones of the kept queries and the 30"),
    ],
)
def test_a_part_that_cannot_be_is_refused_and_nothing_is_written(whole, capsys, given, message):
    assert part(whole, "a", **given) == 1
    assert re.search(message, capsys.readouterr().err)
    assert not (whole / "a").exists()
