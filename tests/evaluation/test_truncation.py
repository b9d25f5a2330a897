import numpy as np

from bench.evaluation.truncation import account


def lengths(*tokens):
    """Tokens and vectors of passages, one of whose tokens is punctuation."""
    return np.array([[count, count - 1] for count in tokens], np.int32)


def test_what_is_beyond_the_length_is_counted_of_all_and_of_relevant_passages():
    counts = account(np.array([7, 9, 9, 10, 2]), lengths(8, 10, 11, 25, 3), 10, np.array([1, 2, 4]))
    assert counts == {
        "passages": 5,
        "passages_cut": 2,
        "vectors": 52,
        "vectors_cut": 1 + 14,
        "relevant": 3,
        "relevant_cut": 1,
    }


def test_a_passage_of_exactly_the_length_is_not_cut():
    assert account(np.array([9]), lengths(10), 10, np.array([0]))["relevant_cut"] == 0


def test_a_collection_without_relevant_passages_has_none_cut():
    assert account(np.array([10]), lengths(20), 10, np.array([], int))["relevant_cut"] == 0


def test_a_cut_passage_with_one_vector_in_all_loses_none():
    counts = account(np.array([1]), np.array([[20, 1]], np.int32), 10, np.array([0]))
    assert (counts["passages_cut"], counts["vectors_cut"]) == (1, 0)


def test_sums_do_not_overflow_the_type_of_the_lengths():
    most = np.full((3, 2), 2**31 - 1, np.int32)
    assert account(np.full(3, 180, np.int32), most, 180, np.array([0]))["vectors"] == 3 * (2**31 - 1)
