import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.encoder.pooling import clusters, pooled


def at(*degrees):
    radians = np.deg2rad(np.array(degrees, float))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float16)


def squared_error(passages, labels):
    """Of vectors to the means of their clusters."""
    error = 0.0
    for passage, own in zip(passages, labels, strict=True):
        means = np.stack([passage[own == label].mean(axis=0) for label in range(own.max() + 1)])
        error += float(((passage - means[own]) ** 2).sum())
    return error


def test_near_vectors_become_their_mean_in_the_order_of_the_first_of_them():
    """0, 5, 10 and 90, 95, 100 degrees are near each other, with the means 5 and 95; the second passage turns by two."""
    found = pooled(np.concatenate([at(0, 90, 10, 100, 5, 95), at(200, 201, 202)]), np.array([6, 3]), 3)
    assert found.doclens.tolist() == [2, 1]
    np.testing.assert_allclose(found.vectors, at(5, 95, 201), atol=1e-3)
    assert found.members.tolist() == [4, 5, 7]


def test_ward_merges_pairs_before_it_joins_a_single_vector_to_a_large_cluster():
    """Ward's cost of joining 20 to the four around 0 is 4/5 of a squared distance, of 60 to 80 it is 1/2 of the same."""
    vectors = at(0, 0, 0, 0, 20, 60, 80)
    assert clusters([vectors], 2)[0].tolist() == [0, 0, 0, 0, 1, 2, 2]
    assert clusters([vectors], 3)[0].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert clusters([vectors], 7)[0].tolist() == [0] * 7
    assert clusters([vectors], 1)[0].tolist() == list(range(7))


def test_a_passage_that_repeats_itself_is_left_fewer_vectors_than_one_that_does_not():
    same, other = at(30, 30, 30, 30), at(0, 90, 180, 280)
    found = pooled(np.concatenate([same, other, same]), np.array([4, 4, 4]), 2)
    assert found.doclens.tolist() == [1, 4, 1]
    assert pooled(np.concatenate([other, same]), np.array([4, 4]), 2).doclens.tolist() == [3, 1]


@pytest.mark.parametrize(("length", "factor", "kept"), [(1, 2, 1), (1, 100, 1), (2, 3, 1), (7, 2, 3), (7, 3, 2), (4, 1, 4)])
def test_a_passage_alone_keeps_its_share_of_vectors_and_at_least_one(length, factor, kept):
    vectors = at(*np.linspace(0, 300, length))
    found = pooled(vectors, np.array([length]), factor)
    assert found.doclens.tolist() == [kept]
    if factor == 1:
        np.testing.assert_array_equal(found.vectors, vectors)


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(1, 6), st.integers(0, 99))
def test_pooled_vectors_have_norm_one_and_stand_for_vectors_of_their_own_passage(doclens, factor, seed):
    made = np.random.default_rng(seed).standard_normal((sum(doclens), 8))
    made[::3] = made[0]  # duplicates
    vectors = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)
    found = pooled(vectors, np.array(doclens), factor)
    assert found.doclens.sum() == max(len(doclens), sum(doclens) // factor)
    np.testing.assert_allclose(np.linalg.norm(found.vectors.astype(float), axis=1), 1, atol=2e-3)
    owners = np.repeat(np.arange(len(doclens)), doclens)
    np.testing.assert_array_equal(owners[found.members], np.repeat(np.arange(len(doclens)), found.doclens))
    products = np.einsum("vd,vd->v", vectors[found.members].astype(float), found.vectors.astype(float))
    assert (products > 0).all()


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(2, 4), st.integers(0, 99))
def test_one_cost_for_all_passages_leaves_no_more_error_than_a_share_for_each(sizes, factor, seed):
    rng = np.random.default_rng(seed)
    passages = [rng.standard_normal((factor * size, 4)) for size in sizes]
    shared, each = clusters(passages, factor), [clusters([passage], factor)[0] for passage in passages]
    assert sum(labels.max() + 1 for labels in shared) == sum(labels.max() + 1 for labels in each) == sum(sizes)
    assert squared_error(passages, shared) <= squared_error(passages, each) * (1 + 1e-9)


def test_opposite_vectors_without_a_mean_are_the_first_of_them():
    found = pooled(at(0, 180), np.array([2]), 2)
    np.testing.assert_allclose(np.abs(found.vectors.astype(float)), [[1, 0]], atol=2e-3)
