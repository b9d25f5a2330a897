"""Scored shards: which pairs, and the folder of their scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DamagedFileError, DataError
from bench.files.storage import FolderWriter
from bench.search.ranking import Ranking
from bench.training.mined import open_mined, write_mined
from bench.training.scores import KIND, VERSION, open_all, open_scored, to_score, write_scored


def mined(folder, rows, depth=4):
    rankings = [Ranking(np.array(row, np.int64), -np.arange(len(row), dtype=np.float32)) for row in rows]
    write_mined(folder, [f"q{number}" for number in range(len(rows))], rankings, depth)
    return open_mined(folder)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), queries=st.integers(1, 4))
def test_pairs_are_the_mined_passages_in_order_and_then_the_relevant_ones_missed(tmp_path_factory, data, queries):
    passages = st.lists(st.integers(0, 9), unique=True, max_size=4)
    rows = [data.draw(passages) for _ in range(queries)]
    relevant = {f"q{number}": data.draw(passages) for number in range(queries)}
    folder = tmp_path_factory.mktemp("scored")
    pairs = to_score(mined(folder / "mined", rows), relevant)
    scores = np.arange(len(pairs.passages), dtype=np.float32)
    write_scored(folder / "scored", pairs, scores)
    found = list(open_scored(folder / "scored"))
    assert [one.query for one in found] == [f"q{number}" for number in range(queries)]
    for one, row in zip(found, rows, strict=True):
        judged = relevant[one.query]
        assert one.passages.tolist() == [*row, *sorted(set(judged) - set(row))]
        assert one.found == len(row)
        assert one.relevant.tolist() == [passage in judged for passage in one.passages.tolist()]
    assert np.concatenate([one.scores for one in found]).tolist() == scores.tolist()
    assert pairs.query_of.tolist() == [number for number, one in enumerate(found) for _ in one.passages]


def test_counts_say_how_many_relevant_passages_were_not_mined(tmp_path):
    pairs = to_score(mined(tmp_path / "mined", [[3, 1], [2]]), {"q0": [1, 7, 8], "q1": []})
    manifest = write_scored(tmp_path / "scored", pairs, np.zeros(5, np.float32))
    assert manifest.counts == {"queries": 2, "pairs": 5, "relevant": 3, "missed": 2}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_refused_with_query_and_passage(tmp_path, value):
    pairs = to_score(mined(tmp_path / "mined", [[3, 1], [2, 9]]), {})
    with pytest.raises(DataError, match=f"gives {value} to passage 9 of query 'q1'"):
        write_scored(tmp_path / "scored", pairs, np.array([0, 0, 0, value], np.float32))
    assert not (tmp_path / "scored").exists()


def test_arrays_of_other_lengths_are_refused(tmp_path):
    pairs = to_score(mined(tmp_path / "mined", [[3, 1], [2, 9]]), {})
    manifest = write_scored(tmp_path / "scored", pairs, np.zeros(4, np.float32))
    writer = FolderWriter(tmp_path / "scored", KIND, VERSION)
    for name in manifest.files:
        writer.path(name)
    writer.array("scores.npy", np.zeros(3, np.float32))
    writer.close()
    with pytest.raises(DamagedFileError, match=r"arrays of \[3, 4\] pairs"):
        open_scored(tmp_path / "scored")


@pytest.fixture
def shard(tmp_path):
    """``shard(number, shards=3, **settings)``: folder of one scored query."""

    def make(number, shards=3, inputs=None, **settings):
        folder = tmp_path / f"shard-{number}-{len(list(tmp_path.iterdir()))}"
        pairs = to_score(mined(folder / "mined", [[number]]), {})
        given = {"teacher": "t", **settings, "mined": {"shard": number, "shards": shards, "depth": 4}}
        made = {"corpus": "c", "mined": str(number), **(inputs or {})}
        write_scored(folder, pairs, np.zeros(1, np.float32), settings=given, inputs=made)
        return folder

    return make


def test_shards_are_put_in_order(shard):
    found = open_all([shard(2), shard(0), shard(1)])
    assert [one.passages.tolist() for scored in found for one in scored] == [[0], [1], [2]]


@pytest.mark.parametrize("numbers", [[0, 1], [0, 1, 1], [0, 1, 1, 2]])
def test_missing_and_double_shards_are_refused(shard, numbers):
    with pytest.raises(DataError, match=r"shards \[.*\] were given, 0 to 2 are needed"):
        open_all([shard(number) for number in numbers])


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"teacher": "u"}, "other teacher"), ({"inputs": {"corpus": "d"}}, "other corpus"), ({"shards": 2}, "other mining")],
)
def test_shards_of_another_making_are_refused(shard, changes, message):
    with pytest.raises(DataError, match=message):
        open_all([shard(0), shard(1, **changes)])
