import dataclasses

import numpy as np
import pytest

from bench.codec.kmeans import Clusters
from bench.codec.token_centroids import TokenClusters
from bench.codec.token_groups import Groups
from bench.errors import DamagedFileError, DataError
from bench.files import stamps
from bench.files.storage import FolderWriter
from bench.index import shards
from bench.index.centroids import open_centroids, write_centroids
from bench.index.shards import open_shard, read_lengths, write_shard
from bench.index.vector_sample import sample


def test_a_shard_opens_with_what_was_written(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    write_shard(tmp_path / "s", vectors, np.array([2, 3]), settings={"doc_maxlen": 180}, inputs={"model": "m"})
    shard = open_shard(tmp_path / "s")
    np.testing.assert_array_equal(shard.vectors, vectors.astype(np.float16))
    assert shard.doclens.tolist() == [2, 3]
    assert (shard.vectors.dtype, shard.doclens.dtype) == (np.float16, np.int32)
    assert shard.manifest.counts == {"vectors": 5, "passages": 2}
    assert shard.manifest.settings == {"doc_maxlen": 180}
    assert shard.manifest.inputs == {"model": "m"}


def test_a_passage_without_vectors_is_refused_by_its_number(tmp_path):
    with pytest.raises(DataError, match=r"passage 1 of shard .* has no vector"):
        write_shard(tmp_path / "s", np.zeros((3, 8)), np.array([2, 0, 1]))
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(tmp_path, value):
    vectors = np.ones((4, 8))
    vectors[2, 5] = value
    with pytest.raises(DamagedFileError, match=r"vectors of shard .*: vector 2, of passage 1, is not finite"):
        write_shard(tmp_path / "s", vectors, np.array([1, 3]))
    assert not (tmp_path / "s").exists()


def test_vectors_that_are_not_finite_are_refused_at_every_opening_and_whole_ones_are_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(stamps, "LARGE", 100)
    monkeypatch.setattr(stamps, "SETTLED", -1.0)
    vectors = np.ones((40, 8), np.float16)
    for name, value in (("whole", 1), ("broken", np.nan)):
        vectors[3, 5] = value
        writer = FolderWriter(tmp_path / name, "vectors", 1)  # of a program that does not look
        writer.array("vectors.npy", vectors)
        writer.array("doclens.npy", np.full(20, 2, np.int32))
        writer.close(counts={"vectors": 40, "passages": 20})
    for _ in range(2):
        with pytest.raises(DamagedFileError, match=r"vectors of .*broken: vector 3, of passage 1, is not finite"):
            open_shard(tmp_path / "broken")
    read = []
    monkeypatch.setattr(shards, "check_finite", lambda array, *_: read.append(len(array)))
    for expected in ([40], []):
        open_shard(tmp_path / "whole")
        assert read == expected
        read.clear()
    with stamps.ignored():
        open_shard(tmp_path / "whole")
    assert read == [40]


def test_doclens_that_do_not_add_up_to_the_vectors_are_refused(tmp_path):
    write_shard(tmp_path / "s", np.ones((5, 8)), np.array([2, 4]))
    with pytest.raises(DamagedFileError, match="add up to 6, but it has 5 vectors"):
        open_shard(tmp_path / "s")


def test_a_folder_of_another_kind_is_not_a_shard(tmp_path):
    FolderWriter(tmp_path / "s", "codec", 1).close()
    with pytest.raises(DamagedFileError, match="'codec' folder, but a 'vectors' folder was expected"):
        open_shard(tmp_path / "s")


def test_a_sample_takes_whole_passages_counted_through_all_shards(tmp_path):
    doclens = ([2, 1], [3], [1, 2, 1])
    first = 0
    for number, lengths in enumerate(doclens):
        rows = np.arange(first, first + sum(lengths))
        write_shard(tmp_path / f"{number}", np.repeat(rows[:, None], 4, axis=1), np.array(lengths))
        first += sum(lengths)
    shards = [open_shard(tmp_path / f"{number}") for number in range(3)]
    assert sample(shards, np.array([1, 2, 4]))[:][:, 0].tolist() == [2, 3, 4, 5, 7, 8]
    assert sample(shards, np.arange(6))[:][:, 0].tolist() == list(range(10))
    assert sample(shards, np.empty(0, np.int64)).shape == (0, 4)


UNCUT = np.array([[2, 2], [9, 7]], np.int32)


def test_centroids_and_their_held_out_vectors_open_as_written(tmp_path):
    clusters = Clusters(np.eye(4, dtype=np.float32), np.array([1, 0.5, 2, 1], np.float16))
    heldout = np.ones((3, 4), np.float16)
    write_centroids(tmp_path / "c", clusters, heldout, counts={"sample": 9}, settings={"seed": 1})
    opened = open_centroids(tmp_path / "c")
    np.testing.assert_array_equal(opened.clusters.centroids, clusters.centroids)
    np.testing.assert_array_equal(opened.clusters.spreads, clusters.spreads)
    assert opened.clusters.spreads.dtype == np.float16
    np.testing.assert_array_equal(opened.heldout, heldout)
    assert opened.manifest.counts == {"sample": 9, "centroids": 4, "heldout": 3}


TOKEN_CLUSTERS = TokenClusters(
    np.eye(4, dtype=np.float32), np.ones(4, np.float16), Groups(np.array([1, -1, 0], np.int32), np.array([0, 1, 4]))
)


def test_centroids_within_tokens_open_with_their_groups_and_the_tokens_of_held_out_vectors(tmp_path):
    tokens = np.array([2, 0, 2], np.uint16)
    write_centroids(tmp_path / "c", TOKEN_CLUSTERS, np.ones((3, 4), np.float16), tokens, counts={})
    opened = open_centroids(tmp_path / "c")
    assert isinstance(opened.clusters, TokenClusters)
    np.testing.assert_array_equal(opened.clusters.groups.of, [1, -1, 0])
    np.testing.assert_array_equal(opened.clusters.groups.starts, [0, 1, 4])
    np.testing.assert_array_equal(opened.tokens, tokens)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (Groups(np.array([2], np.int32), np.array([0, 1, 4])), "tokens into groups 2 to 2 of 2"),
        (Groups(np.array([0], np.int32), np.array([0, 1, 5])), "do not hold its 4 centroids"),
        (Groups(np.array([0], np.int32), np.array([0, 4, 4])), "do not hold its 4 centroids"),
        (Groups(np.array([0], np.int64), np.array([0, 4])), "do not hold its 4 centroids"),
    ],
    ids=["beyond", "more", "empty", "type"],
)
def test_groups_that_are_none_are_refused(tmp_path, groups, said):
    clusters = dataclasses.replace(TOKEN_CLUSTERS, groups=groups)
    write_centroids(tmp_path / "c", clusters, np.ones((1, 4), np.float16), np.zeros(1, np.uint8), counts={})
    with pytest.raises(DamagedFileError, match=said):
        open_centroids(tmp_path / "c")


def test_token_ids_come_back_with_their_type_and_must_be_as_many_as_vectors(tmp_path):
    tokens = np.arange(5, dtype=np.uint16)
    write_shard(tmp_path / "s", np.ones((5, 8)), np.array([2, 3]), tokens=tokens)
    found = open_shard(tmp_path / "s").tokens
    np.testing.assert_array_equal(found, tokens)
    assert found.dtype == np.uint16
    for wrong in (tokens[:4], tokens.astype(np.int32)):
        write_shard(tmp_path / "s", np.ones((5, 8)), np.array([2, 3]), tokens=wrong)
        with pytest.raises(DamagedFileError, match=r"tokens\.npy has .* for 5 vectors"):
            open_shard(tmp_path / "s")


def test_the_lengths_of_passages_are_read_without_their_vectors(tmp_path):
    write_shard(tmp_path / "s", np.ones((5, 8)), np.array([2, 3]), UNCUT, settings={"doc_maxlen": 3})
    (tmp_path / "s" / "vectors.npy").unlink()
    found = read_lengths(tmp_path / "s")
    assert (found.doclens.tolist(), found.uncut.tolist()) == ([2, 3], UNCUT.tolist())
    assert found.manifest.settings == {"doc_maxlen": 3}


def test_lengths_that_were_changed_are_refused(tmp_path):
    write_shard(tmp_path / "s", np.ones((5, 8)), np.array([2, 3]), UNCUT)
    np.save(tmp_path / "s" / "uncut.npy", UNCUT + 1)
    with pytest.raises(DamagedFileError, match=r"uncut\.npy has sha256"):
        read_lengths(tmp_path / "s")


def test_vectors_that_no_text_was_encoded_to_have_no_lengths(tmp_path):
    write_shard(tmp_path / "s", np.ones((5, 8)), np.array([2, 3]))
    with pytest.raises(DataError, match="does not say how long its passages were"):
        read_lengths(tmp_path / "s")
