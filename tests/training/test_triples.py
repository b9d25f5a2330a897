"""Training triples: which queries, which negatives, and the file of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DamagedFileError, DataError
from bench.search.ranking import Ranking
from bench.training.triples import Triple, draw_negatives, read_triples, sample_queries, write_triples


def ranking(passages):
    return Ranking(np.array(passages, np.int64), np.zeros(len(passages), np.float32))


@settings(max_examples=50, deadline=None)
@given(data=st.data(), seed=st.integers(0, 100), passages=st.integers(6, 20), count=st.integers(0, 3))
def test_negatives_are_distinct_and_never_relevant(data, seed, passages, count):
    ranked = data.draw(st.lists(st.integers(0, passages - 1), unique=True, max_size=passages))
    relevant = data.draw(st.sets(st.integers(0, passages - 1), min_size=1, max_size=3))
    (found,) = draw_negatives([ranking(ranked)], [relevant], count, passages, np.random.default_rng(seed))
    assert len(found) == len(set(found)) == count
    assert relevant.isdisjoint(found)
    usable = set(ranked) - relevant
    assert set(found) <= usable if len(usable) >= count else usable <= set(found)


def test_negatives_come_from_the_ranking_where_it_is_long_enough():
    rankings = [ranking([4, 7, 9, 1])] * 50
    found = draw_negatives(rankings, [{4}] * 50, 2, 1000, np.random.default_rng(0))
    assert {passage for row in found for passage in row} == {7, 9, 1}


def test_a_short_ranking_is_filled_from_the_corpus():
    (found,) = draw_negatives([ranking([3])], [{0}], 3, 4, np.random.default_rng(0))
    assert sorted(found) == [1, 2, 3]


def test_an_empty_ranking_is_filled_from_the_corpus():
    (found,) = draw_negatives([ranking([])], [{0, 1}], 2, 4, np.random.default_rng(0))
    assert sorted(found) == [2, 3]


def test_a_corpus_too_small_for_the_negatives_is_refused():
    with pytest.raises(DataError, match="4 passages is too small for 3 negatives"):
        draw_negatives([ranking([3])], [{0, 1}], 3, 4, np.random.default_rng(0))


def test_no_negatives_are_drawn_where_none_are_asked_for():
    assert draw_negatives([ranking([3]), ranking([])], [{0}, {1}], 0, 4, np.random.default_rng(0)) == [(), ()]


def test_negatives_depend_on_the_seed_alone():
    def draw(seed):
        return draw_negatives([ranking(range(50))] * 5, [{0}] * 5, 4, 60, np.random.default_rng(seed))

    assert draw(1) == draw(1) != draw(2)


@settings(max_examples=40, deadline=None)
@given(judged=st.integers(1, 20), count=st.integers(1, 70), seed=st.integers(0, 100))
def test_every_query_comes_once_before_any_comes_again(judged, count, seed):
    found = sample_queries(judged, count, seed).tolist()
    assert len(found) == count
    for start in range(0, count, judged):
        part = found[start : start + judged]
        assert len(set(part)) == len(part)
        assert set(part) <= set(range(judged))


@given(seed=st.integers(0, 100), fewer=st.integers(1, 70), more=st.integers(1, 70))
def test_fewer_queries_are_the_first_of_more(seed, fewer, more):
    fewer, more = sorted((fewer, more))
    assert sample_queries(20, fewer, seed).tolist() == sample_queries(20, more, seed)[:fewer].tolist()


def test_each_round_of_queries_has_an_order_of_its_own():
    found = sample_queries(50, 100, 0).tolist()
    assert sorted(found[:50]) == sorted(found[50:]) == list(range(50))
    assert found[:50] != found[50:]


def test_a_training_set_without_judged_queries_is_refused():
    with pytest.raises(DataError, match="no query with a relevant passage"):
        sample_queries(0, 10, 0)


@pytest.mark.parametrize("negatives", [(), (5,), (5, 6, 7)])
def test_triples_come_back_as_they_were_with_their_origin(tmp_path, negatives):
    triples = [Triple(0, 3, negatives), Triple(2, 1, negatives)]
    origin = {"corpus": "abc", "queries": "def"}
    write_triples(tmp_path / "t.jsonl", triples, origin)
    assert read_triples(tmp_path / "t.jsonl") == (triples, origin)


@pytest.mark.parametrize(
    "content",
    ["", "{}\n", "{}\n[0, 1, 2]\n[0, 1]\n", "{}\n[0]\n", "{}\n[0, 1\n", "{}\n7\n"],
    ids=["empty", "no triples", "ragged", "no positive", "cut off", "no list"],
)
def test_a_file_that_is_no_file_of_triples_is_refused(tmp_path, content):
    path = tmp_path / "t.jsonl"
    path.write_text(content)
    with pytest.raises(DamagedFileError, match=r"t\.jsonl is"):
        read_triples(path)


def test_a_missing_file_of_triples_is_refused(tmp_path):
    with pytest.raises(DamagedFileError, match=r"t\.jsonl is missing"):
        read_triples(tmp_path / "t.jsonl")
