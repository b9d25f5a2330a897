"""Mining: shards of queries, their folders, and the verb against the search that it reuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cli import main
from bench.config.presets import ExactPreset
from bench.errors import DamagedFileError, SettingsError
from bench.files.storage import FolderWriter
from bench.search.engines import open_engine
from bench.search.queries import write_query_vectors
from bench.search.ranking import Ranking
from bench.training.mined import ABSENT, KIND, VERSION, open_mined, stretch, write_mined

DOCLENS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]


@given(queries=st.integers(8, 1000), shards=st.integers(1, 8))
def test_shards_are_disjoint_cover_all_queries_and_differ_by_one(queries, shards):
    cuts = [stretch(queries, shard, shards) for shard in range(shards)]
    assert [number for first, last in cuts for number in range(first, last)] == list(range(queries))
    sizes = [last - first for first, last in cuts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [((5, 3, 3), "shard 3 of 3 cannot be"), ((5, -1, 3), "shard -1 of 3"), ((5, 0, 6), "6 shards of 5 queries")],
)
def test_shards_that_cannot_be_are_refused(asked, message):
    with pytest.raises(SettingsError, match=message):
        stretch(*asked)


def ranking(passages, scores):
    return Ranking(np.array(passages, np.int64), np.array(scores, np.float32))


def test_short_rankings_end_in_absent_passages(tmp_path):
    write_mined(tmp_path, ["a", "b", "c"], [ranking([4, 1], [2.0, 1.5]), ranking([], []), ranking([7, 0, 2], [3, 2, 1])], 3)
    found = open_mined(tmp_path)
    assert found.ids == ["a", "b", "c"]
    assert found.passages.tolist() == [[4, 1, ABSENT], [ABSENT] * 3, [7, 0, 2]]
    assert found.found.tolist() == [2, 0, 3]
    np.testing.assert_array_equal(found.scores, [[2.0, 1.5, np.nan], [np.nan] * 3, [3, 2, 1]])
    assert found.manifest.counts == {"queries": 3, "passages": 5, "short": 2}


@pytest.mark.parametrize(
    ("passages", "scores"),
    [([[1, -1]], [[2.0, 1.0]]), ([[-1, 1]], [[np.nan, 1.0]]), ([[1, 2]], [[2.0, np.nan]]), ([[1, -2]], [[2.0, 1.0]])],
)
def test_passages_without_scores_and_gaps_are_refused(tmp_path, passages, scores):
    write_mined(tmp_path, ["a"], [Ranking(np.array(passages[0]), np.array(scores[0]))], 2)
    with pytest.raises(DamagedFileError, match="without scores, or gaps"):
        open_mined(tmp_path)


def test_other_numbers_of_ids_are_refused(tmp_path):
    write_mined(tmp_path, ["a", "b"], [ranking([1], [1.0]), ranking([0], [1.0])], 2)
    (tmp_path / "ids.txt").write_text("a\n")
    writer = FolderWriter(tmp_path, KIND, VERSION)
    for name in ("ids.txt", "passages.npy", "scores.npy"):
        writer.path(name)
    writer.close()
    with pytest.raises(DamagedFileError, match=r"has 1 ids, passages of shape \(2, 2\)"):
        open_mined(tmp_path)


@pytest.fixture
def searchable(tmp_path, small_index):
    """Index, folder of seven query vectors and the command that mines them exactly to depth 4."""
    index = small_index(tmp_path, DOCLENS, 2)
    vectors = np.random.default_rng(5).standard_normal((7, 3, 16)).astype(np.float32)
    write_query_vectors(
        tmp_path / "q", vectors, [f"q{number}" for number in range(7)], inputs={"model": "m", "queries": "qs"}
    )
    words = ["mine", "--index", str(tmp_path / "index"), "--queries", str(tmp_path / "q"), "--threads", "1"]
    return index, vectors, [*words, "--kernels", "reference"]


def test_the_verb_mines_what_the_engine_finds_shard_by_shard(tmp_path, searchable):
    index, vectors, words = searchable
    for shard in range(3):
        given = ["--engine", "exact", "--depth", "4", "--shard", str(shard), "--shards", "3"]
        assert main([*words, *given, "--output", str(tmp_path / f"mined-{shard}")]) == 0
    shards = [open_mined(tmp_path / f"mined-{shard}") for shard in range(3)]
    assert [name for shard in shards for name in shard.ids] == [f"q{number}" for number in range(7)]
    expected = open_engine(ExactPreset(), index, "reference").search(vectors, 4)
    np.testing.assert_array_equal(np.concatenate([shard.passages for shard in shards]), [r.passages for r in expected])
    np.testing.assert_allclose(np.concatenate([shard.scores for shard in shards]), [r.scores for r in expected], rtol=1e-6)
    assert shards[1].manifest.inputs == {"model": "m", "queries": "qs", "index": index.manifest.digest}
    assert {name: shards[1].manifest.settings[name] for name in ("engine", "depth", "shard", "shards")} == {
        "engine": "exact",
        "depth": 4,
        "shard": 1,
        "shards": 3,
    }


def test_a_corpus_smaller_than_the_depth_gives_all_of_it(tmp_path, searchable):
    *_, words = searchable
    assert main([*words, "--engine", "exact", "--depth", "12", "--output", str(tmp_path / "mined")]) == 0
    found = open_mined(tmp_path / "mined")
    assert found.passages.shape == (7, 12)
    assert np.sort(found.passages, axis=1).tolist() == [[ABSENT, ABSENT, *range(10)]] * 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--engine", "exact", "--depth", "0"], "depth: '0': input should be greater than or equal to 1"),
        (["--engine", "exact", "--depth", "4", "--shards", "8"], "8 shards of 7 queries"),
        (["--engine", "colbertv2", "--nprobe", "1", "--ncandidates", "3", "--depth", "4"], "scores at most 3 passages"),
    ],
)
def test_what_cannot_be_mined_is_refused_and_leaves_nothing(tmp_path, searchable, capsys, given, message):
    *_, words = searchable
    assert main([*words, *given, "--output", str(tmp_path / "mined")]) in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "mined").exists()
