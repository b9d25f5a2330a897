import numpy as np

from bench.index import inverted


def test_expanded_lists_hold_the_passages_that_searches_find_in_them(tmp_path):
    codes = np.minimum(np.random.default_rng(0).geometric(0.3, 80_000) - 1, 19).astype(np.uint8)  # the last lists are short
    inverted.write([(codes, np.full(40_000, 2, np.int32))], 21, tmp_path / "lists.npy", tmp_path / "offsets.npy")
    lists, offsets = np.load(tmp_path / "lists.npy"), np.load(tmp_path / "offsets.npy")
    assert (lists >= 128).sum() > 500
    passages, starts = inverted.expanded(lists, offsets)
    assert (passages.dtype, starts.dtype) == (np.int32, np.int64)
    assert starts[-1] == len(passages)
    for centroid in range(21):
        found = passages[starts[centroid] : starts[centroid + 1]]
        assert found.tolist() == inverted.union(lists, offsets, np.array([centroid]), 40_000).tolist()


def test_no_list_has_no_passages():
    passages, starts = inverted.expanded(np.empty(0, np.uint8), np.zeros(4, np.uint8))
    assert (passages.tolist(), starts.tolist()) == ([], [0] * 4)
