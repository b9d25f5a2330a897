"""Clusters and tokens: counts over arrays, and the verb over a corpus that the tiny model encodes."""

import numpy as np
import pytest

from bench.cli import main
from bench.corpus.texts import Text, write_passages
from bench.encoder import checkpoint
from bench.encoder.encode import encode_measured
from bench.errors import DataError
from bench.evaluation import clusters
from bench.files.storage import read_json
from bench.index.parts import write_codes
from bench.index.shards import write_shard

TEXTS = ["good food, and the food", "a bird in the air", "", "the good bird found food"] * 12
WORDS = 12


def test_pairs_of_two_shards_are_counted_together():
    shards = [clusters.keys(np.array([0, 0, 3], np.uint8), np.array([7, 7, 7]))]
    shards += [clusters.keys(np.array([3, 0], np.uint16), np.array([7, 9]))]
    found = clusters.counted(shards)
    assert found.clusters.tolist() == [0, 0, 3]
    assert found.tokens.tolist() == [7, 9, 7]
    assert found.counts.tolist() == [2, 1, 2]
    assert found.tokens_of(0) == [(7, 2), (9, 1)]
    assert found.clusters_of(7) == [(0, 2), (3, 2)]


def test_the_distributions_count_clusters_of_a_token_and_tokens_of_a_cluster():
    codes, tokens = np.array([0, 0, 0, 1, 2, 2]), np.array([5, 6, 5, 5, 5, 8])
    assert clusters.distribution(clusters.counted([clusters.keys(codes, tokens)])) == {
        "clusters": 3,
        "tokens": 3,
        "tokens_per_cluster": [[1, 1], [2, 2]],
        "clusters_per_token": [[1, 2], [3, 1]],
    }


def test_random_vectors_have_norm_1_and_no_direction():
    found = clusters.random_vectors(5000, 16, np.random.default_rng(0))
    assert (found.shape, found.dtype) == ((5000, 16), np.float16)
    np.testing.assert_allclose(np.linalg.norm(found.astype(float), axis=1), 1, atol=2e-3)
    assert np.abs(found.astype(float).mean(axis=0)).max() < 0.02


def test_tokens_are_those_with_a_vector_and_a_context_stays_in_its_passage(tiny_encoder):
    inputs = tiny_encoder().inputs
    found = clusters.tokenised(inputs, ["good food, and", "my bird"], np.array([6, 5]), 32)
    names = inputs.tokenizer.convert_ids_to_tokens
    assert names(found.ids[found.places].tolist())[2:5] == ["good", "food", "and"]
    assert "," in names(found.ids.tolist())
    assert [names(ids.tolist())[-1:] for ids in found.around(8)] == [["[unused1]"], ["my"], ["[SEP]"]]
    assert len(found.around(8)[0]) == 2


@pytest.mark.parametrize("doclens", [[6, 4], [7, 4], [6]])
def test_passages_of_other_lengths_than_their_shard_has_are_refused(tiny_encoder, doclens):
    with pytest.raises(DataError, match=r"2 passages have 11 tokens with vectors, their shard \d+ vectors of \d passages"):
        clusters.tokenised(tiny_encoder().inputs, ["good food, and", "my bird"], np.array(doclens), 32)


def test_the_context_of_a_key_is_around_its_first_vector_and_later_shards_are_not_read(tiny_encoder):
    inputs = tiny_encoder().inputs
    tokens = clusters.tokenised(inputs, ["good food, and", "my bird"], np.array([6, 5]), 32)
    keys = clusters.keys(np.zeros(11, np.uint8), tokens.ids[tokens.places])
    food = inputs.tokenizer.convert_tokens_to_ids("food")

    def shards():
        yield keys, tokens
        raise AssertionError("nothing is missing any more")

    found = clusters.contexts([food], inputs, shards())
    assert "good [food] , and" in found[food]


@pytest.fixture
def built(tiny_encoder, tmp_path):
    """Folders of a model, a corpus and two shards, with the flags of the verb; codes are the vocabulary modulo 16."""
    encoder = tiny_encoder()
    model = checkpoint.save(encoder, tmp_path / "models/tiny")
    texts = [Text(f"p{number}", text) for number, text in enumerate(TEXTS)]
    corpus = write_passages(tmp_path / "toy/corpus", texts)
    rng, flags = np.random.default_rng(0), {"vectors": [], "codes": [], "random-codes": []}
    for number, some in enumerate((TEXTS[:20], TEXTS[20:])):
        encoded = encode_measured(encoder, some, maxlen=32)
        shard = tmp_path / f"toy/tiny/vectors/{number}"
        inputs = {"corpus": corpus.digest, "model": model.digest}
        write_shard(shard, *encoded, settings={"doc_maxlen": 32}, inputs=inputs)
        tokens = clusters.tokenised(encoder.inputs, some, encoded.doclens, 32)
        codes = {"codes": tokens.ids[tokens.places] % 16, "random-codes": rng.integers(0, 16, len(encoded.vectors))}
        for name, code in codes.items():
            write_codes(tmp_path / f"{name}-{number}", code.astype(np.uint8), 16)
            flags[name].append(str(tmp_path / f"{name}-{number}"))
        flags["vectors"].append(str(shard))
    words = [word for name, paths in flags.items() for word in (f"--{name}", *paths)]
    folders = ["--model", str(tmp_path / "models/tiny"), "--corpus", str(tmp_path / "toy/corpus")]
    return ["clusters", *folders, *words, "--seed", "1", "--output", str(tmp_path / "clusters.json")], tmp_path


def test_real_vectors_have_one_cluster_per_token_and_random_ones_many(built):
    words, folder = built
    assert main(words) == 0
    record = read_json(folder / "clusters.json")
    assert (record["corpus"], record["model"], record["counts"]["passages"]) == ("toy", "tiny", 48)
    assert record["real"]["clusters_per_token"] == [[1, WORDS]]
    assert record["random"]["tokens"] == WORDS
    assert sum(value * count for value, count in record["random"]["clusters_per_token"]) > 6 * WORDS
    named = {row["token"]: row for row in record["examples"]["tokens"]}
    assert set(named) == {"bird", "food", "good"}
    assert (named["food"]["vectors"], named["food"]["clusters"], named["food"]["count"]) == (36, 1, 36)
    assert "food" in named["food"]["tokens"]
    assert "[food]" in named["food"]["context"]
    assert all(row["tokens"][0][1] >= row["tokens"][-1][1] for row in record["examples"]["clusters"])


def test_codes_that_are_not_of_the_shards_are_refused(built, capsys):
    words, folder = built
    write_codes(folder / "codes-1", np.zeros(3, np.uint8), 16)
    assert main(words) == 1
    assert "codes-1 has 3 codes, but its shard has" in capsys.readouterr().err
    words.remove(str(folder / "codes-1"))
    assert main(words) == 1
    assert "2 shards have 1 files of codes and 2 of random ones" in capsys.readouterr().err
    assert not (folder / "clusters.json").exists()


def test_a_shard_of_another_corpus_is_refused(built, capsys):
    words, folder = built
    write_passages(folder / "toy/corpus", [Text("p", "another")])
    assert main(words) == 1
    assert f"{folder / 'toy/tiny/vectors/0'} was not encoded from {folder / 'toy/corpus'}" in capsys.readouterr().err


def test_random_vectors_take_the_lengths_of_a_shard(built, capsys):
    _, folder = built
    words = ["random-vectors", "--vectors", str(folder / "toy/tiny/vectors/0"), "--seed", "3", "--output"]
    assert main([*words, str(folder / "random")]) == 0
    real, random = (np.load(path / "doclens.npy") for path in (folder / "toy/tiny/vectors/0", folder / "random"))
    assert (real == random).all()
    assert capsys.readouterr().out == f"{real.sum()} random vectors of 16\n"
