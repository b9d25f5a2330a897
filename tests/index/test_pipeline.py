import numpy as np
import pytest

from bench.codec import kmeans
from bench.codec.fitting import fit_residual
from bench.codec.names import CodecName, parse
from bench.codec.nearest import assign
from bench.config import presets
from bench.config.presets import PlaidPreset
from bench.errors import DataError
from bench.index import pipeline
from bench.index.index import open_index
from bench.index.shards import open_shard, write_shard
from bench.search.engines import open_engine
from tests.fixtures_index import random_shards

SETTINGS = {"codec": CodecName("residual", 2), "seed": 3, "iterations": 4}


@pytest.fixture
def shards(tmp_path):
    return random_shards(tmp_path, (40, 25, 10))


def build(folder, shards, threads):
    (folder / "work").mkdir(parents=True)
    ticks = iter(range(0, 100, 10)).__next__
    ids = [f"p{number}" for number in range(75)]
    return pipeline.build(folder / "index", shards, ids, threads=threads, work=folder / "work", clock=ticks, **SETTINGS)


def test_more_centroids_can_be_asked_for(shards, tmp_path):
    (tmp_path / "work").mkdir()
    ids = [f"p{number}" for number in range(75)]
    more = {**SETTINGS, "codec": parse("residual-4x2")}
    pipeline.build(tmp_path / "index", shards, ids, **more, threads=1, work=tmp_path / "work")
    fewest = kmeans.number_of_centroids(sum(len(shard.vectors) for shard in shards))
    assert fewest < len(open_index(tmp_path / "index").compressed.codec.centroids) <= 2 * fewest


def test_centroids_within_tokens_make_an_index_that_is_searched_as_any_other(tmp_path):
    shards = random_shards(tmp_path, (40, 25, 10), vocabulary=50)
    (tmp_path / "work").mkdir()
    given = {**SETTINGS, "codec": parse("residual-2t"), "threads": 1, "work": tmp_path / "work"}
    pipeline.build(tmp_path / "index", shards, [f"p{number}" for number in range(75)], **given)
    index = open_index(tmp_path / "index")
    vectors = np.concatenate([shard.vectors for shard in shards]).astype(np.float32)
    assert index.manifest.settings["codec"] == "residual-2t"
    assert len(index.compressed.codec.centroids) == kmeans.number_of_centroids(len(vectors))
    assert float((index.vectors(slice(None)) * vectors).sum(axis=1).mean()) > 0.9
    engine = open_engine(PlaidPreset(ncells=4, centroid_score_threshold=-1.0, ndocs=300), index)
    rankings = engine.search(np.stack([vectors[:3], vectors[-3:]]), 5)
    assert [int(ranking.passages[0]) for ranking in rankings] == [0, 74]


def test_token_ids_of_shards_change_no_file_of_another_codec_and_are_needed_for_those_within_tokens(tmp_path):
    ids = [f"p{number}" for number in range(75)]
    for name, vocabulary in (("with", 50), ("without", None)):
        (tmp_path / name / "work").mkdir(parents=True)
        shards = random_shards(tmp_path / name, (40, 25, 10), vocabulary)
        pipeline.build(tmp_path / name / "index", shards, ids, threads=1, work=tmp_path / name / "work", **SETTINGS)
    for path in (tmp_path / "with" / "index").iterdir():
        assert path.read_bytes() == (tmp_path / "without" / "index" / path.name).read_bytes(), path.name
    within = {**SETTINGS, "codec": parse("opq-8t"), "threads": 1, "work": tmp_path / "work"}
    with pytest.raises(DataError, match=r"shard 0 has no token ids, .* opq-16t need: make it again with `bench encode`"):
        pipeline.build(tmp_path / "t", shards, ids, **within)


def test_all_steps_in_one_call_give_an_index_of_all_passages_and_say_how_long_each_took(shards, tmp_path):
    assert build(tmp_path, shards, 1) == {"centroids": 10, "fit": 10, "assign": 10, "compress": 10, "index": 10}
    index = open_index(tmp_path / "index")
    vectors = np.concatenate([shard.vectors for shard in shards]).astype(np.float32)
    assert len(index) == 75
    assert len(index.compressed.codec.centroids) == kmeans.number_of_centroids(len(vectors)) == 256
    assert float((index.vectors(slice(None)) * vectors).sum(axis=1).mean()) > 0.97


def test_all_steps_in_one_call_give_what_the_steps_give_one_by_one(shards, tmp_path):
    build(tmp_path, shards, 1)
    compressed = open_index(tmp_path / "index").compressed
    found = pipeline.find_centroids(shards, seed=3, iterations=4, threads=1)
    centroids = found.clusters.centroids
    codec = fit_residual(centroids, found.heldout, assign(found.heldout, centroids), 2)
    codes = np.concatenate([assign(shard.vectors, centroids) for shard in shards])
    vectors = np.concatenate([shard.vectors for shard in shards])
    np.testing.assert_array_equal(compressed.codec.centroids, centroids)
    np.testing.assert_array_equal(compressed.codec.cutoffs, codec.cutoffs)
    np.testing.assert_array_equal(compressed.codes, codes)
    np.testing.assert_array_equal(compressed.residuals, codec.encode(vectors, codes))
    assert (found.passages, found.vectors + len(found.heldout)) == (75, len(vectors))


@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_no_byte_of_an_index(shards, tmp_path, threads):
    for folder, number in (("one", 1), ("many", threads)):
        build(tmp_path / folder, shards, number)
    names = sorted(path.name for path in (tmp_path / "one" / "index").iterdir())
    assert len(names) == 17
    for name in names:
        one, many = ((tmp_path / folder / "index" / name).read_bytes() for folder in ("one", "many"))
        assert one == many, name


@pytest.mark.parametrize("codec", ["residual-1", "lloyd-2", "pq-8", "opq-8x4"])
@pytest.mark.parametrize("doclens", [[1], [1, 2]])
def test_fewer_vectors_than_any_number_of_centroids_make_an_index_that_finds_them(tmp_path, doclens, codec):
    vectors = np.random.default_rng(0).standard_normal((sum(doclens), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    write_shard(tmp_path / "shard", vectors, np.array(doclens))
    ids = [f"p{number}" for number in range(len(doclens))]
    how = {"seed": 1, "iterations": 2, "threads": 1, "work": tmp_path}
    pipeline.build(tmp_path / "index", [open_shard(tmp_path / "shard")], ids, codec=parse(codec, "test"), **how)
    for engine in ({"engine": "exact"}, {"engine": "colbertv2", "nprobe": 4, "ncandidates": 100}):
        found = open_engine(presets.parse(engine, "test"), open_index(tmp_path / "index"))
        (ranking,) = found.search(vectors[:1].astype(np.float32)[None], 100)
        assert ranking.passages[0] == 0
        assert np.isfinite(ranking.scores).all()
