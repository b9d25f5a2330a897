"""Mixtures of real passages, and the verb that measures how search time grows over them."""

import json
import re

import numpy as np
import pytest

from bench import cli
from bench.errors import DataError, SettingsError
from bench.evaluation.growth import LEAST, MOST, mixed
from bench.search.queries import write_query_vectors
from tests.fixtures_index import random_shards

VOCABULARY = 40


@pytest.fixture
def shards(tmp_path):
    return random_shards(tmp_path, (20, 13), VOCABULARY)


def together(parts):
    vectors, doclens, tokens = zip(*((part.vectors, part.doclens, part.tokens) for part in parts), strict=True)
    return np.concatenate(vectors).astype(np.float32), np.concatenate(doclens), np.concatenate(tokens)


@pytest.mark.parametrize(("vectors", "at_once"), [(100, 1_000_000), (5000, 700), (5000, 1)])
def test_a_mixture_has_about_as_many_vectors_as_asked_for_in_whole_passages(shards, vectors, at_once):
    found, doclens, tokens = together(mixed(shards, vectors, seed=3, at_once=at_once))
    longest = max(int(shard.doclens.max()) for shard in shards)
    assert found.shape == (doclens.sum(), 16)
    assert len(tokens) == len(found)
    assert vectors - longest <= len(found) <= vectors + longest
    assert set(doclens.tolist()) <= {length for shard in shards for length in shard.doclens.tolist()}
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=2e-3)


def test_every_vector_lies_between_two_real_ones_of_its_token(shards):
    real = np.concatenate([shard.vectors for shard in shards]).astype(np.float32)
    tokens = np.concatenate([shard.tokens for shard in shards])
    found, _, asked = together(mixed(shards, 200, seed=3))
    for vector, token in zip(found, asked, strict=True):
        mine = real[tokens == token]
        sums = mine[:, None] + np.arange(0, 1.001, 0.01)[:, None, None, None] * (mine - mine[:, None])  # on the segments
        unit = sums / np.linalg.norm(sums, axis=-1, keepdims=True)
        assert (unit @ vector).max() > 0.999
    assert 0 < LEAST < 0.5 < MOST < 1


def test_vectors_are_moved_and_those_of_a_token_that_occurs_once_are_not(tmp_path):
    for vocabulary, moved in ((VOCABULARY, 0.5), (10_000, 0)):
        shards = random_shards(tmp_path / str(vocabulary), (33,), vocabulary)
        real = np.concatenate([shard.vectors for shard in shards]).astype(np.float32)
        closest = (together(mixed(shards, 200, seed=3))[0] @ real.T).max(axis=1)
        assert (closest < 0.999).mean() >= moved
        assert (closest < 0.999).any() == (moved > 0)


def test_a_seed_gives_one_mixture_whose_parts_differ(shards):
    one, again, other = (together(mixed(shards, 900, seed=seed, at_once=300))[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_fewer_vectors_than_a_passage_has_are_refused(shards):
    longest = max(int(shard.doclens.max()) for shard in shards)
    with pytest.raises(SettingsError, match=f"1 vectors are fewer than the {longest} of the longest passage"):
        next(mixed(shards, 1, seed=3))


def test_shards_without_token_ids_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"shard 0 has no token ids.*make it again with `bench encode`"):
        next(mixed(random_shards(tmp_path, (3,)), 100, seed=3))


CODECS = ("residual-2", "pq-8t")


def arguments(tmp_path, shards):
    rng = np.random.default_rng(1)
    queries = rng.standard_normal((3, 4, 16)).astype(np.float32)
    write_query_vectors(tmp_path / "queries", queries, ["a", "b", "c"])
    folders = [str(tmp_path / f"shard-{number}") for number in range(len(shards))]
    numbers = ["--iterations", "2", "--seed", "1", "--build-threads", "1", "--threads", "1"]
    places = ["--queries", str(tmp_path / "queries"), "--work", str(tmp_path / "work"), "--output", str(tmp_path / "g.json")]
    return ["growth", "--vectors", *folders, "--sizes", "20000", "9000", "--codecs", *CODECS, *numbers, *places]


def test_every_size_is_built_and_searched_from_small_to_large_and_leaves_nothing_behind(tmp_path, shards, capsys):
    assert cli.main(arguments(tmp_path, shards)) == 0
    record = json.loads((tmp_path / "g.json").read_text())
    vectors = [index["counts"]["vectors"] for index in record["indexes"]]
    assert [index["codec"] for index in record["indexes"]] == [*CODECS, *CODECS]
    np.testing.assert_allclose(vectors, [9000, 9000, 20_000, 20_000], atol=8)
    for index in record["indexes"]:
        assert len(index["search"]) == 6
        groups = {found["preset"]["groups"] for found in index["search"].values() if found["preset"]["engine"] == "grouped"}
        assert groups == {index["counts"]["centroids"] // 32}
        assert all(found["p50"] > 0 for found in index["search"].values())
        assert all(0.1 < found["overlap"] <= 1 for found in index["search"].values())
        narrow, wide = (index["search"][f"plaid, ncells {lists}"]["overlap"] for lists in ("2, ndocs 1024", "4, ndocs 4096"))
        assert narrow < wide
    assert not (tmp_path / "work").exists()
    out = tmp_path / "report"
    assert cli.main(["growth-report", "--record", str(tmp_path / "g.json"), "--output", str(out)]) == 0
    assert {path.name for path in out.iterdir()} >= {"growth.md", "growth.csv", "figure_growth.png", "figure_growth.pdf"}
    assert f"{vectors[-1]:,}" in capsys.readouterr().out


def test_a_work_folder_that_holds_something_is_refused_and_kept(tmp_path, shards, capsys):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("mine")
    assert cli.main(arguments(tmp_path, shards)) == 1
    assert "is not empty: its content would be deleted" in capsys.readouterr().err
    assert (tmp_path / "work" / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "values", "said"),
    [
        ("--codecs", ["fp16"], "--codecs fp16 has no lists to search"),
        ("--codecs", ["opq-7"], "bytes 7 of codec 'opq-7' in --codecs is not one of"),
        ("--sizes", ["100"], "100 of --sizes are .* passages, fewer than a ranking of 100"),
    ],
)
def test_codecs_without_lists_and_mixtures_smaller_than_a_ranking_are_refused(
    tmp_path, shards, capsys, option, values, said
):
    given = arguments(tmp_path, shards)
    start = given.index(option) + 1
    end = next(place for place in range(start, len(given)) if given[place].startswith("--"))
    assert cli.main([*given[:start], *values, *given[end:]]) == 1
    assert re.search(said, capsys.readouterr().err)
