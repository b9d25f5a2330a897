"""The verb ``merge``, between stored shards and an index."""

import numpy as np
import pytest

from bench.cli import main
from bench.encoder.pooling import pooled
from bench.index.shards import open_shard
from tests.fixtures_index import random_shards


def test_a_merged_shard_has_the_means_the_tokens_nearest_to_them_and_says_by_how_many(tmp_path, capsys):
    (shard,) = random_shards(tmp_path, (20,), vocabulary=40)
    words = ["--vectors", str(tmp_path / "shard-0"), "--output", str(tmp_path / "merged")]
    assert main(["merge", *words, "--pool", "2"]) == 0
    merged, expected = open_shard(tmp_path / "merged"), pooled(np.asarray(shard.vectors), shard.doclens, 2)
    np.testing.assert_array_equal(merged.vectors, expected.vectors)
    np.testing.assert_array_equal(merged.doclens, expected.doclens)
    assert len(merged.vectors) == len(shard.vectors) // 2
    np.testing.assert_array_equal(merged.tokens, shard.tokens[expected.members])
    assert merged.manifest.settings["pool"] == 2
    assert f"{len(shard.vectors)} vectors to {len(merged.vectors)}, of 20 passages" in capsys.readouterr().out
    assert main(["merge", "--vectors", str(tmp_path / "merged"), "--output", str(tmp_path / "no"), "--pool", "2"]) == 1
    assert "is merged already, by 2" in capsys.readouterr().err


@pytest.mark.parametrize("pool", ["1", "0"])
def test_a_number_that_merges_nothing_is_refused(tmp_path, pool, capsys):
    random_shards(tmp_path, (2,))
    words = ["--vectors", str(tmp_path / "shard-0"), "--output", str(tmp_path / "no"), "--pool", pool]
    assert main(["merge", *words]) != 0
    assert "pool" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
