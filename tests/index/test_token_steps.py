"""Centroids within tokens by the command line, step by step."""

import numpy as np
import pytest

from bench.cli import main
from bench.index.centroids import open_centroids
from bench.index.parts import open_codes, open_residuals
from tests.fixtures_index import random_shards


@pytest.fixture
def run(tmp_path, capsys):
    """A function that runs a verb in a folder with shards 0 and 1, and returns its exit code and last line of error."""

    def call(verb, *words, **flags):
        named = [word for name, value in flags.items() for word in (f"--{name}", str(tmp_path / value))]
        code = main([verb, *map(str, words), *named])
        return code, capsys.readouterr().err.strip()

    return call


def test_steps_by_token_agree_with_each_other_and_refuse_what_does_not_fit(tmp_path, run):
    shards = random_shards(tmp_path, (30, 20), vocabulary=40)
    folders = [tmp_path / f"shard-{number}" for number in range(2)]
    find = ("--vectors", *folders, "--iterations", 2, "--seed", 1, "--threads", 1)
    assert run("centroids", *find, "--by-token", output="t")[0] == 0
    assert run("centroids", *find, output="plain")[0] == 0
    found = open_centroids(tmp_path / "t")
    assert found.manifest.settings["by_token"] is True
    assert "by_token" not in open_centroids(tmp_path / "plain").manifest.settings
    assert run("assign", "--threads", 1, vectors="shard-0", centroids="t", output="codes")[0] == 0
    codes = open_codes(tmp_path / "codes").array
    np.testing.assert_array_equal(codes, found.clusters.assign(shards[0].vectors, shards[0].tokens))
    assert run("fit", "--codec", "residual-2t", "--seed", 1, "--threads", 1, centroids="t", output="codec")[0] == 0
    assert run("compress", vectors="shard-0", codes="codes", codec="codec", output="residuals")[0] == 0
    assert open_residuals(tmp_path / "residuals").array.shape == (len(codes), 4)
    for codec, centroids, flag in (
        ("residual-2", "t", "without --by-token"),
        ("residual-2t", "plain", "centroids --by-token"),
    ):
        code, said = run("fit", "--codec", codec, "--seed", 1, "--threads", 1, centroids=centroids, output="no")
        assert code != 0
        assert flag in said
    assert not (tmp_path / "no").exists()


def test_shards_without_token_ids_are_refused_in_one_line_with_the_command_that_makes_them_again(tmp_path, run):
    random_shards(tmp_path / "new", (30,), vocabulary=40)
    random_shards(tmp_path / "old", (30,))
    find = ("--iterations", 2, "--seed", 1, "--threads", 1, "--by-token")
    code, said = run("centroids", *find, vectors="old/shard-0", output="no")
    assert code != 0
    assert f"{tmp_path}/old/shard-0 has no token ids" in said
    assert "make it again with `bench encode`" in said
    assert "\n" not in said
    assert run("centroids", *find, vectors="new/shard-0", output="t")[0] == 0
    code, said = run("assign", "--threads", 1, vectors="old/shard-0", centroids="t", output="no")
    assert code != 0
    assert "old/shard-0 has no token ids" in said
    assert not (tmp_path / "no").exists()
