import numpy as np

from bench.evaluation.truncation import account


def test_what_is_beyond_the_length_is_counted_of_all_and_of_relevant_passages():
    counts = account(np.array([8, 10, 11, 25, 3], np.int32), 10, np.array([1, 2, 4]))
    assert counts == {
        "passages": 5,
        "passages_cut": 2,
        "tokens": 57,
        "tokens_cut": 1 + 15,
        "relevant": 3,
        "relevant_cut": 1,
    }


def test_a_passage_of_exactly_the_length_is_not_cut():
    assert account(np.array([10], np.int32), 10, np.array([0]))["relevant_cut"] == 0


def test_a_collection_without_relevant_passages_has_none_cut():
    assert account(np.array([20], np.int32), 10, np.array([], int))["relevant_cut"] == 0


def test_sums_do_not_overflow_the_type_of_the_lengths():
    assert account(np.full(3, 2**31 - 1, np.int32), 180, np.array([0]))["tokens"] == 3 * (2**31 - 1)
