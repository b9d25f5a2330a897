import math
import subprocess
import sys

import numpy as np
import pytest

from bench.search.lexical import BM25

TEXTS = ["The cat sat on the mat", "Dogs bark loudly at night", "", "cat cat dogs", "a quiet evening by the river"]


def found(texts, queries, k=10, ranks=None):
    rankings = BM25(texts).search(queries, k, np.arange(len(texts)) if ranks is None else np.array(ranks))
    return [ranking.passages.tolist() for ranking in rankings]


def test_the_obvious_passage_comes_first():
    assert found(TEXTS, ["quiet river", "dogs that bark", "a cat on a mat"]) == [[4], [1, 3], [0, 3]]


def test_the_score_is_the_formula_of_lucene():
    texts = ["apple apple pear", "pear plum", "plum plum plum plum"]
    ranking = BM25(texts).search(["apple"], 3, np.arange(3))[0]
    inverse_frequency = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    expected = inverse_frequency * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 3 / 3))
    assert ranking.passages.tolist() == [0]
    assert ranking.scores[0] == pytest.approx(expected, rel=1e-5)


def test_given_passages_have_the_scores_of_the_search_and_zero_where_it_does_not_find_them():
    engine, queries = BM25(TEXTS), ["cat and dogs", "the", "quiet river"]
    scores = engine.score(queries, [np.array([4, 0, 3]), np.array([1]), np.array([], np.int64)])
    ranking = engine.search(queries[:1], 5, np.arange(5))[0]
    found = dict(zip(ranking.passages.tolist(), ranking.scores.tolist(), strict=True))
    assert scores[0].tolist() == [0, found[0], found[3]]
    assert (scores[1].tolist(), scores[2].tolist()) == ([0], [])


def test_a_passage_that_shares_no_word_is_not_returned_however_large_k():
    assert found(TEXTS, ["bark"], k=100) == [[1]]


@pytest.mark.parametrize("query", ["zebra", "zebra unicorn", "the", "a b c", "", "?!"])
def test_a_query_with_no_known_word_finds_nothing(query):
    assert found(TEXTS, [query]) == [[]]


def test_a_query_of_known_and_unknown_words_finds_by_the_known_ones():
    assert found(TEXTS, ["zebra bark"]) == [[1]]


@pytest.mark.parametrize("texts", [[""], ["", "the", "?"], []])
def test_a_corpus_without_any_word_finds_nothing(texts):
    assert found(texts, ["cat", ""]) == [[], []]


def test_ties_are_ranked_by_passage_id_even_at_the_cut():
    texts, ranks = ["same words here"] * 4 + ["other text"], [3, 1, 2, 0, 4]
    assert found(texts, ["words"], ranks=ranks) == [[3, 1, 2, 0]]
    assert found(texts, ["words"], k=2, ranks=ranks) == [[3, 1]]


def test_case_does_not_matter():
    assert found(["Berlin", "Paris"], ["PARIS", "berlin"]) == [[1], [0]]


def test_jax_is_not_started_where_it_is_installed_and_can_be_imported_afterwards(tmp_path):
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text("print('jax')")
    (tmp_path / "jax" / "lax.py").write_text("def top_k(values, k):\n    print('top_k')")
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from bench.search import lexical
        found = lexical.BM25(["a cat", "a dog", "cats and dogs"])._retriever
        print(found.backend, found.csc_backend, found.method, found.idf_method, lexical.bm25s.selection.JAX_IS_AVAILABLE)
        import jax"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["numpy", "numpy", "lucene", "lucene", "False", "jax"]
