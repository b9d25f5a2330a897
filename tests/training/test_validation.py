"""Held-out queries and the slice of passages that they are searched in."""

import numpy as np
import pytest

from bench.corpus.texts import Text, open_passages, open_queries, write_queries
from bench.encoder.encode import encode_passages, encode_queries
from bench.encoder.pooling import pooled
from bench.errors import DataError, SettingsError
from bench.training.validation import held_out


@pytest.fixture
def corpus(training_set):
    return open_passages(training_set.folder / "corpus")


@pytest.fixture
def queries(training_set):
    return open_queries(training_set.folder / "queries")


def test_queries_that_are_trained_on_are_left_out(training_set, corpus, queries):
    trained_on = {query.text for query in training_set.queries[:10]}
    held = held_out(corpus, queries, trained_on, 12, 0)
    assert [query.id for query in held.queries] == ["q10", "q11", "q12", "q13"]
    assert held.qrels == {f"q{number}": {f"p{number}": 1} for number in range(10, 14)}


def test_the_slice_has_the_relevant_passages_and_others_in_the_order_of_the_corpus(training_set, corpus, queries):
    slices = [held_out(corpus, queries, set(), 20, seed).passages for seed in (0, 0, 1)]
    assert slices[0] == slices[1] != slices[2]
    numbers = [int(text.id[1:]) for text in slices[0]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 20
    assert set(range(14)) <= set(numbers)


def test_a_slice_larger_than_the_corpus_is_the_corpus(corpus, queries):
    assert [text.id for text in held_out(corpus, queries, set(), 99, 0).passages] == corpus.ids()


def test_a_slice_too_small_for_the_relevant_passages_is_refused(corpus, queries):
    with pytest.raises(SettingsError, match="validation_passages 13 is fewer than the 14 relevant passages of 14 queries"):
        held_out(corpus, queries, set(), 13, 0)


def test_a_validation_set_of_trained_queries_alone_is_refused(training_set, corpus, queries):
    with pytest.raises(DataError, match="none of the 14 validation queries is both judged and absent"):
        held_out(corpus, queries, {query.text for query in training_set.queries}, 20, 0)


def test_a_relevant_passage_that_the_corpus_lacks_is_refused(corpus, tmp_path):
    write_queries(tmp_path / "q", [Text("a", "words")], {"a": {"elsewhere": 1}})
    with pytest.raises(DataError, match="relevant passage 'elsewhere'"):
        held_out(corpus, open_queries(tmp_path / "q"), set(), 20, 0)


@pytest.mark.parametrize("pool", [1, 3])
def test_rankings_are_those_of_loops_over_all_passages(training_set, corpus, queries, tiny_encoder, pool):
    encoder = tiny_encoder()
    held = held_out(corpus, queries, set(), 20, 0)
    found = held.rank(encoder, 5, query_maxlen=12, doc_maxlen=16, precision="float32", device="cpu", pool=pool)
    vectors, doclens = encode_passages(encoder, [text.text for text in held.passages], maxlen=16)
    if pool > 1:
        fewer = pooled(vectors, doclens, pool)
        vectors, doclens = fewer.vectors, fewer.doclens
    parts = np.split(vectors.astype(np.float32), np.cumsum(doclens)[:-1])
    for query in held.queries:
        asked = encode_queries(encoder, [query.text], maxlen=12)[0]
        scores = {text.id: (asked @ part.T).max(1).sum() for text, part in zip(held.passages, parts, strict=True)}
        expected = sorted(scores, key=lambda name: (-scores[name], name))[:5]
        assert [name for name, _ in found[query.id]] == expected
        assert [score for _, score in found[query.id]] == pytest.approx([scores[name] for name in expected], abs=1e-4)
