import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.files.storage import read_array
from bench.index import inverted

CENTROIDS = 6
SHARDS = st.lists(
    st.lists(st.lists(st.integers(0, CENTROIDS - 1), min_size=1, max_size=5), max_size=6), min_size=1, max_size=3
)


def passages_by_centroid(shards):
    naive = {centroid: set() for centroid in range(CENTROIDS)}
    for number, codes in enumerate(passage for shard in shards for passage in shard):
        for code in codes:
            naive[code].add(number)
    return [sorted(passages) for passages in naive.values()]


def written(folder, shards):
    parts = [
        (np.array([code for passage in shard for code in passage], np.uint8), np.array([len(p) for p in shard], np.int32))
        for shard in shards
    ]
    inverted.write(parts, CENTROIDS, folder / "lists.npy", folder / "offsets.npy")
    return read_array(folder / "lists.npy"), read_array(folder / "offsets.npy")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(shards=SHARDS)
def test_the_list_of_each_centroid_equals_that_of_a_dictionary(tmp_path_factory, shards):
    lists, offsets = written(tmp_path_factory.mktemp("inverted"), shards)
    passages = sum(map(len, shards))
    found = [inverted.union(lists, offsets, np.array([centroid]), passages).tolist() for centroid in range(CENTROIDS)]
    assert found == passages_by_centroid(shards)
    assert len(lists) == sum(map(len, found))
    assert len(offsets) == CENTROIDS + 1
    assert offsets[0] == 0
    assert offsets[-1] == len(lists)
    assert (lists.dtype, offsets.dtype) == (np.uint8, np.uint8)


def test_passages_are_counted_through_all_shards_and_each_stands_once_in_a_list(tmp_path):
    lists, offsets = written(tmp_path, [[[4, 4, 1], [4]], [], [[1, 1], [4, 0]]])
    assert lists.tolist() == [3, 0, 1, 0, 0, 1]
    assert offsets.tolist() == [0, 1, 3, 3, 3, 6, 6]


def test_the_split_into_shards_changes_no_byte(tmp_path):
    passages = [[0, 3], [5], [3, 3, 1], [2, 0], [5, 1]]
    for name, shards in (("one", [passages]), ("three", [passages[:1], passages[1:4], passages[4:]])):
        (tmp_path / name).mkdir()
        written(tmp_path / name, shards)
    for file in ("lists.npy", "offsets.npy"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "three" / file).read_bytes()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(shards=SHARDS, chosen=st.lists(st.integers(0, CENTROIDS - 1), max_size=8))
def test_the_union_of_lists_is_the_union_of_sets(tmp_path_factory, shards, chosen):
    lists, offsets = written(tmp_path_factory.mktemp("inverted"), shards)
    sets = passages_by_centroid(shards)
    found = inverted.union(lists, offsets, np.array(chosen, np.int64), sum(map(len, shards)))
    assert found.tolist() == sorted({passage for centroid in chosen for passage in sets[centroid]})
    assert found.dtype == np.int64


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize(("gap", "size"), [(0, 1), (1, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (70_000, 3)])
def test_a_passage_takes_a_byte_for_every_seven_bits_of_passages_skipped_before_it(tmp_path, gap, size, shards):
    codes = np.array([1] * gap + [0] + [1] * gap + [0] + [1] * 5, np.uint8)
    parts = [(part, np.ones(len(part), np.int32)) for part in np.array_split(codes, shards)]
    inverted.write(parts, 3, tmp_path / "lists.npy", tmp_path / "offsets.npy")
    lists, offsets = read_array(tmp_path / "lists.npy"), read_array(tmp_path / "offsets.npy", mapped=False)
    assert offsets[:2].tolist() == [0, 2 * size]
    assert inverted.union(lists, offsets, np.array([0]), len(codes)).tolist() == [gap, 2 * gap + 1]
    np.testing.assert_array_equal(inverted.union(lists, offsets, np.array([1]), len(codes)), np.flatnonzero(codes))
    assert inverted.union(lists, offsets, np.array([2]), len(codes)).tolist() == []
    assert inverted.union(lists, offsets, np.arange(3), len(codes)).tolist() == list(range(len(codes)))


def test_lists_that_take_no_byte_have_no_passages(tmp_path):
    inverted.write([(np.empty(0, np.uint8), np.empty(0, np.int32))], 4, tmp_path / "lists.npy", tmp_path / "offsets.npy")
    lists, offsets = read_array(tmp_path / "lists.npy"), read_array(tmp_path / "offsets.npy")
    assert (len(lists), offsets.tolist()) == (0, [0] * 5)
    assert inverted.union(lists, offsets, np.arange(4), 0).tolist() == []
