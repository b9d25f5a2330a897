import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.index import inverted
from bench.storage import read_array

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
    found = [lists[offsets[centroid] : offsets[centroid + 1]].tolist() for centroid in range(CENTROIDS)]
    assert found == passages_by_centroid(shards)
    assert len(offsets) == CENTROIDS + 1
    assert offsets[0] == 0
    assert offsets[-1] == len(lists)
    assert (lists.dtype, offsets.dtype) == (np.int32, np.int64)


def test_passages_are_counted_through_all_shards_and_each_stands_once_in_a_list(tmp_path):
    lists, offsets = written(tmp_path, [[[4, 4, 1], [4]], [], [[1, 1], [4, 0]]])
    assert lists.tolist() == [3, 0, 2, 0, 1, 3]
    assert offsets.tolist() == [0, 1, 3, 3, 3, 6, 6]


def test_the_split_into_shards_changes_no_byte(tmp_path):
    passages = [[0, 3], [5], [3, 3, 1], [2, 0], [5, 1]]
    for name, shards in (("one", [passages]), ("three", [passages[:1], passages[1:4], passages[4:]])):
        (tmp_path / name).mkdir()
        written(tmp_path / name, shards)
    for file in ("lists.npy", "offsets.npy"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "three" / file).read_bytes()
