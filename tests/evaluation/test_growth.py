"""Mixtures of real passages, and the verb that measures how search time grows over them."""

import json

import numpy as np
import pytest

from bench import cli
from bench.errors import SettingsError
from bench.evaluation.growth import LEAST, MOST, mixed
from bench.search.queries import write_query_vectors
from tests.fixtures_index import random_shards


@pytest.fixture
def shards(tmp_path):
    return random_shards(tmp_path, (20, 13))


def together(parts):
    vectors, doclens = zip(*parts, strict=True)
    return np.concatenate(vectors).astype(np.float32), np.concatenate(doclens)


@pytest.mark.parametrize(("vectors", "at_once"), [(100, 1_000_000), (5000, 700), (5000, 1)])
def test_a_mixture_has_about_as_many_vectors_as_asked_for_in_whole_passages(shards, vectors, at_once):
    found, doclens = together(mixed(shards, vectors, seed=3, at_once=at_once))
    longest = max(int(shard.doclens.max()) for shard in shards)
    assert found.shape == (doclens.sum(), 16)
    assert vectors - longest <= len(found) <= vectors + longest
    assert set(doclens.tolist()) <= {length for shard in shards for length in shard.doclens.tolist()}
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=2e-3)


def test_every_vector_lies_between_two_real_ones(shards):
    real = np.concatenate([shard.vectors for shard in shards]).astype(np.float32)
    closest = (together(mixed(shards, 200, seed=3))[0] @ real.T).max(axis=1)
    assert (closest < 0.999).all()  # none was left as it was
    halfway = np.sqrt(0.5 + 0.5 * (real @ real.T).min())
    assert (closest > halfway - 2e-3).all()
    assert 0 < LEAST < 0.5 < MOST < 1


def test_a_seed_gives_one_mixture_whose_parts_differ(shards):
    one, again, other = (together(mixed(shards, 900, seed=seed, at_once=300))[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(np.unique(one, axis=0)) > 0.99 * len(one)


def test_fewer_vectors_than_a_passage_has_are_refused(shards):
    longest = max(int(shard.doclens.max()) for shard in shards)
    with pytest.raises(SettingsError, match=f"1 vectors are fewer than the {longest} of the longest passage"):
        next(mixed(shards, 1, seed=3))


def test_a_single_passage_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="the shards have only one"):
        next(mixed(random_shards(tmp_path, (1,)), 100, seed=3))


def arguments(tmp_path, shards):
    rng = np.random.default_rng(1)
    queries = rng.standard_normal((3, 4, 16)).astype(np.float32)
    write_query_vectors(tmp_path / "queries", queries, ["a", "b", "c"])
    folders = [str(tmp_path / f"shard-{number}") for number in range(len(shards))]
    numbers = ["--iterations", "2", "--seed", "1", "--build-threads", "1", "--threads", "1"]
    places = ["--queries", str(tmp_path / "queries"), "--work", str(tmp_path / "work"), "--output", str(tmp_path / "g.json")]
    return ["growth", "--vectors", *folders, "--sizes", "600", "200", *numbers, *places]


def test_every_size_is_built_and_searched_from_small_to_large_and_leaves_nothing_behind(tmp_path, shards, capsys):
    assert cli.main(arguments(tmp_path, shards)) == 0
    record = json.loads((tmp_path / "g.json").read_text())
    vectors = [size["counts"]["vectors"] for size in record["sizes"]]
    assert vectors == sorted(vectors)
    assert abs(vectors[0] - 200) <= 8
    assert abs(vectors[1] - 600) <= 8
    for size in record["sizes"]:
        assert set(size["search"]) == set(record["settings"]["presets"])
        assert all(found["p50"] > 0 for found in size["search"].values())
    assert not (tmp_path / "work").exists()
    out = tmp_path / "report"
    assert cli.main(["growth-report", "--record", str(tmp_path / "g.json"), "--output", str(out)]) == 0
    assert {path.name for path in out.iterdir()} >= {"growth.md", "growth.csv", "figure_growth.png", "figure_growth.pdf"}
    assert f"{vectors[1]:,}" in capsys.readouterr().out


def test_a_work_folder_that_holds_something_is_refused_and_kept(tmp_path, shards, capsys):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("mine")
    assert cli.main(arguments(tmp_path, shards)) == 1
    assert "is not empty: its content would be deleted" in capsys.readouterr().err
    assert (tmp_path / "work" / "thesis.tex").read_text() == "mine"
