"""Parts of training sets: which queries and passages they keep."""

import re

import pytest

from bench.cli import main
from bench.corpus.texts import Text, open_passages, open_queries, write_passages, write_queries

MADE = {"settings": {}, "inputs": {}, "context": {}}


@pytest.fixture
def whole(tmp_path):
    """Thirty passages; queries q0 to q9 with passage p(3n) relevant, of which q9 has no judgement above 0."""
    write_passages(tmp_path / "corpus", [Text(f"p{n}", f"passage {n}") for n in range(30)], **MADE)
    qrels = {f"q{n}": {f"p{3 * n}": int(n < 9), f"p{3 * n + 1}": 0} for n in range(10)}
    write_queries(tmp_path / "queries", [Text(f"q{n}", f"query {n}") for n in range(10)], qrels, **MADE)
    return tmp_path


def part(whole, name, keep=4, hold_out=2, passages=20, seed=7):
    words = ["training-part", "--corpus", whole / "corpus", "--queries", whole / "queries", "--keep-queries", keep]
    words += ["--hold-out", hold_out, "--keep-passages", passages, "--seed", seed, "--output", whole / name / "corpus"]
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


def test_a_part_depends_on_the_seed_alone(whole):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert part(whole, name, seed=seed) == 0
    ids = {name: opened(whole, name)[0].ids() for name in "abc"}
    assert ids["a"] == ids["b"] != ids["c"]


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
