import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.codec import token_groups
from bench.codec.token_groups import Groups, share, whole


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(1, 40)), min_size=1, max_size=20), st.integers(1, 300))
def test_whole_numbers_are_from_one_to_the_vectors_and_as_many_as_asked_for_where_that_can_be(groups, centroids):
    shares, most = (np.array(values) for values in zip(*groups, strict=True))
    numbers = whole(shares, most, centroids)
    assert (numbers >= 1).all()
    assert (numbers <= most).all()
    assert numbers.sum() == np.clip(centroids, len(groups), most.sum())


def test_shares_by_hand():
    """Two vectors and two at a right angle to them: the sum is as long as sqrt(8). Four equal ones; two at a right angle."""
    sums, counts = np.array([[2.0, 2.0], [0.0, 4.0], [1.0, 1.0]]), np.array([4, 4, 2])
    energies = np.array([8 - 2 * np.sqrt(8), 0, 4 - 2 * np.sqrt(2)]) ** token_groups.EXPONENT
    np.testing.assert_allclose(share(sums, counts, 10), 10 * energies / energies.sum())
    assert share(sums[1:2], counts[1:2], 10).tolist() == [0]


def test_wide_tokens_have_centroids_of_their_own_and_narrow_ones_share_by_their_means():
    rng = np.random.default_rng(0)
    tokens = np.concatenate([np.zeros(400, int), np.repeat(np.arange(1, 41), 4)])
    near = np.eye(16)[(tokens % 2) * 8]
    made = near + np.where(tokens == 0, 1.0, 0.02)[:, None] * rng.standard_normal((len(tokens), 16))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    groups, owners = token_groups.find(made.astype(np.float16), tokens.astype(np.uint16), 40, seed=1, threads=1)
    assert groups.starts[-1] == 40
    sizes = np.diff(groups.starts)
    assert sizes[groups.of[0]] >= 30
    assert (groups.of[1:] != groups.of[0]).all()
    assert len(groups) < 20
    np.testing.assert_array_equal(owners, groups.of[tokens])


def test_a_token_that_was_not_seen_or_is_beyond_the_vocabulary_has_no_group():
    groups = Groups(np.array([0, -1, 1], np.int32), np.array([0, 3, 4]))
    found = groups.of_tokens(np.array([2, 1, 0, 3, 65535], np.uint16))
    assert found.tolist() == [1, -1, 0, -1, -1]
    assert found.dtype == np.int32


@pytest.mark.parametrize("kind", [np.uint8, np.uint32])
def test_tokens_of_any_type_are_known_by_their_number(kind):
    vectors = np.eye(8, dtype=np.float16)
    groups, owners = token_groups.find(vectors, np.arange(8, dtype=kind), 8, seed=0, threads=1)
    assert groups.starts[-1] == 8
    assert (owners >= 0).all()
