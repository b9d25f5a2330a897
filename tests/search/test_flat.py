import numpy as np
import pytest

from bench.errors import SettingsError
from bench.search.exact import Exact
from bench.search.flat import Flat


@pytest.mark.parametrize("nbits", [None, 4])
def test_the_ranking_is_the_order_of_the_inner_products(small_index, random_queries, tmp_path, nbits):
    index, queries = small_index(tmp_path, [1] * 40, nbits), random_queries(3, 1)
    for query, ranking in zip(queries, Flat(index).search(queries, 15), strict=True):
        products = index.vectors(slice(None)) @ query[0]
        assert ranking.passages.tolist() == np.argsort(-products)[:15].tolist()
        np.testing.assert_allclose(ranking.scores, np.sort(products)[::-1][:15], rtol=1e-5, atol=1e-6)


def test_flat_and_exact_agree_where_passages_have_one_vector(small_index, random_queries, tmp_path):
    index, queries = small_index(tmp_path, [1] * 30), random_queries(4, 1)
    for one, other in zip(Flat(index).search(queries, 30), Exact(index).search(queries, 30), strict=True):
        np.testing.assert_array_equal(one.passages, other.passages)
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5, atol=1e-6)


def test_a_k_beyond_the_corpus_returns_the_corpus(small_index, random_queries, tmp_path):
    ranking = Flat(small_index(tmp_path, [1] * 6)).search(random_queries(1, 1), 100)[0]
    assert sorted(ranking.passages.tolist()) == list(range(6))


def test_an_index_with_several_vectors_in_a_passage_is_refused(small_index, tmp_path):
    index = small_index(tmp_path, [1, 2, 1])
    with pytest.raises(SettingsError, match=r"flat needs one vector per passage .*use exact"):
        Flat(index)


@pytest.mark.parametrize("k", [5, 2, 1])
def test_ties_are_ranked_by_passage_id_even_at_the_cut(basis_index, k):
    index = basis_index([[0]] * 5, nbits=None, ids=["e", "d", "c", "b", "a"])
    ranking = Flat(index).search(np.eye(8, dtype=np.float32)[None, :1], k)[0]
    assert [index.ids[passage] for passage in ranking.passages] == ["a", "b", "c", "d", "e"][:k]
