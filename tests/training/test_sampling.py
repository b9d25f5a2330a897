"""Which passages become a tuple."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.errors import SettingsError
from bench.training.sampling import Drawing, check, counted, draw
from bench.training.scores import QueryPairs
from bench.training.tuples import Row

IDS = [f"p{number}" for number in range(30)]


def pairs(passages, scores, relevant=(), found=None, query="q"):
    passages = np.array(passages)
    return QueryPairs(
        query, len(passages) if found is None else found, passages, np.isin(passages, relevant), np.array(scores, np.float32)
    )


def drawing(**changes):
    return Drawing(**{"nway": 3, "depth": 5, "positive": "labelled", "sampling": "top", "seed": 0, **changes})


def rows(queries, **changes):
    tally = Counter()
    return list(draw(queries, IDS, drawing(**changes), tally)), dict(tally)


def tally(excluded=0, kept=0, without=0, short=0):
    return {
        "false_positives_excluded": excluded,
        "false_positives_kept": kept,
        "queries_without_positive": without,
        "queries_short": short,
    }


def test_a_labelled_tuple_starts_with_the_relevant_passage_wherever_it_was_found():
    query = pairs([4, 9, 2, 7, 1], [1, 2, 3, 4, 5], relevant=[7])
    assert rows([query]) == ([Row("q", ["p7", "p4", "p9"], [4.0, 1.0, 2.0])], tally())


def test_a_relevant_passage_that_was_not_mined_is_the_positive_with_its_own_score():
    query = pairs([4, 9, 2, 8], [1, 2, 3, -6], relevant=[8], found=3)
    assert rows([query]) == ([Row("q", ["p8", "p4", "p9"], [-6.0, 1.0, 2.0])], tally())


def test_of_several_relevant_passages_the_teachers_best_is_the_positive_and_no_other_a_negative():
    query = pairs([4, 9, 2, 7, 1], [1, 2, 3, 4, 5], relevant=[4, 2])
    assert rows([query]) == ([Row("q", ["p2", "p9", "p7"], [3.0, 2.0, 4.0])], tally(excluded=1))


def test_the_teachers_positive_is_its_best_mined_passage_and_relevant_ones_may_be_negatives():
    query = pairs([4, 9, 2, 7, 1, 8], [1, 2, 3, 4, 3, 9], relevant=[4, 8], found=5)
    assert rows([query], positive="teacher") == ([Row("q", ["p7", "p4", "p9"], [4.0, 1.0, 2.0])], tally(kept=1))


def test_of_equal_scores_the_first_mined_passage_is_the_teachers_positive():
    query = pairs([4, 9, 2], [2, 3, 3])
    assert rows([query], positive="teacher")[0] == [Row("q", ["p9", "p4", "p2"], [3.0, 2.0, 3.0])]


def test_passages_below_the_depth_are_not_drawn():
    query = pairs([4, 9, 2, 7, 1], [1, 2, 3, 4, 5], relevant=[1])
    assert rows([query], depth=3, nway=4, sampling="uniform")[0][0].passages[0] == "p1"
    assert set(rows([query], depth=3, nway=4, sampling="uniform")[0][0].passages[1:]) == {"p4", "p9", "p2"}
    assert rows([query], depth=3, positive="teacher")[0] == [Row("q", ["p2", "p4", "p9"], [3.0, 1.0, 2.0])]


def test_queries_without_positive_or_with_too_few_passages_are_left_out_and_counted():
    unjudged = pairs([4, 9, 2], [1, 2, 3])
    short = pairs([4, 9], [1, 2], relevant=[9])
    empty = pairs([], [])
    assert rows([unjudged, short, empty]) == ([], tally(without=2, short=1))
    assert rows([unjudged, short, empty], positive="teacher")[1] == tally(without=1, short=1)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 50), positive=st.sampled_from(["labelled", "teacher"]))
def test_uniform_tuples_have_distinct_passages_of_the_depth_and_no_labelled_negative(data, seed, positive):
    passages = data.draw(st.lists(st.integers(0, 29), unique=True, min_size=6, max_size=20))
    relevant = data.draw(st.sets(st.sampled_from(passages), min_size=1, max_size=3))
    depth = data.draw(st.integers(2, len(passages)))
    nway = data.draw(st.integers(2, depth))
    scores = data.draw(st.permutations(range(len(passages))))
    query = pairs(passages, scores, list(relevant))
    found, counts = rows([query], nway=nway, depth=depth, seed=seed, positive=positive, sampling="uniform")
    score = dict(zip(passages, scores, strict=True))
    pool = set(passages[:depth])
    first = max(relevant if positive == "labelled" else pool, key=score.__getitem__)
    negatives = pool - {first} - (relevant if positive == "labelled" else set())
    if len(negatives) < nway - 1:
        assert (found, counts["queries_short"]) == ([], 1)
        return
    (row,) = found
    assert len(set(row.passages)) == nway
    assert row.passages[0] == IDS[first]
    assert set(row.passages[1:]) <= {IDS[passage] for passage in negatives}
    assert row.scores == [float(score[int(name[1:])]) for name in row.passages]


def test_every_passage_is_drawn_about_as_often_as_any_other():
    queries = [pairs(range(10), range(10), relevant=[0]) for _ in range(900)]
    found, _ = rows(queries, depth=10, nway=4, sampling="uniform")
    times = Counter(name for row in found for name in row.passages[1:])
    assert set(times) == {f"p{number}" for number in range(1, 10)}
    assert all(230 <= count <= 370 for count in times.values())


def test_the_seed_and_the_place_of_a_query_decide_and_nothing_else():
    queries = [pairs(range(20), range(20), relevant=[0], query=f"q{number}") for number in range(6)]
    first, _ = rows(queries, depth=20, nway=5, sampling="uniform", seed=1)
    assert first == rows(iter(queries), depth=20, nway=5, sampling="uniform", seed=1)[0]
    assert first != rows(queries, depth=20, nway=5, sampling="uniform", seed=2)[0]
    assert first[1].passages != first[2].passages
    queries[0] = pairs([1], [1])
    assert rows(queries, depth=20, nway=5, sampling="uniform", seed=1)[0] == first[1:]


def test_fewer_ways_are_the_beginning_of_more():
    query = pairs(range(20), range(20), relevant=[3])
    many, few = (rows([query], depth=20, nway=nway, sampling="uniform")[0][0] for nway in (8, 4))
    assert many.passages[:4] == few.passages


def test_passages_above_the_positive_are_counted_and_ties_are_not():
    found = Counter()
    given = [Row("a", ["x", "y", "z"], [1.0, 2.0, 3.0]), Row("b", ["x", "y", "z"], [2.0, 2.0, 1.0])]
    assert list(counted(given, found)) == given
    assert dict(found) == {"above_positive": 2, "positives_not_best": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nway": 6}, "nway 6 does not lie between 2 and the depth 5"),
        ({"nway": 1}, "nway\n.*greater than or equal to 2"),
        ({"depth": 11}, "depth 11 does not lie between 1 and the mined depth 10"),
        ({"depth": 0}, "depth\n.*greater than or equal to 1"),
        ({"positive": "best"}, "positive\n.*'best'"),
        ({"sampling": "hard"}, "sampling\n.*'hard'"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused(changes, message):
    check(drawing(), 10)
    with pytest.raises((SettingsError, ValidationError), match=message):
        check(drawing(**changes), 10)
