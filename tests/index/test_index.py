import itertools
import os
import shutil
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.codec.fitting import fit_residual
from bench.errors import DamagedFileError, DataError
from bench.files.storage import read_json, sha256_file, write_json
from bench.index import inverted
from bench.index.build import build_compressed, build_uncompressed
from bench.index.codecs import open_codec, write_codec
from bench.index.ids import id_ranks
from bench.index.index import Index, open_index
from bench.index.shards import open_shard, write_shard
from bench.search.exact import Exact
from tests.changes import signed

DOCLENS = [3, 1, 4, 1, 5, 2]
UNCOMPRESSED = ["doclens.npy", "ids.txt", "vectors.npy"]
COMPRESSED = [
    "centroid_scales.npy",
    "centroids.npy",
    "codebook.npy",
    "codes.npy",
    "cutoffs.npy",
    "doclens.npy",
    "gains.npy",
    "ids.txt",
    "list_offsets.npy",
    "lists.npy",
    "map.npy",
    "norm_levels.npy",
    "norms.npy",
    "residuals.npy",
    "spreads.npy",
    "weights.npy",
]
EVERY_FILE = [(None, name) for name in UNCOMPRESSED] + [(2, name) for name in COMPRESSED]


@pytest.fixture(scope="module")
def built(tmp_path_factory, small_index):
    folders = {nbits: tmp_path_factory.mktemp(f"built-{nbits}") for nbits in (None, 2)}
    for nbits, folder in folders.items():
        small_index(folder, DOCLENS, nbits, shards=2)
    return folders


@pytest.fixture
def copy(built, tmp_path):
    def make(nbits):
        return shutil.copytree(built[nbits] / "index", tmp_path / "copy")

    return make


@pytest.fixture(scope="module")
def parts(built):
    """Two shards with their codes and residuals, as they come from the stages before the index."""
    shards = [open_shard(built[2] / f"shard-{number}") for number in range(2)]
    compressed = open_index(built[2] / "index").compressed
    cut = [0, len(shards[0].vectors), len(compressed.codes)]
    codes = [compressed.codes[first:last] for first, last in itertools.pairwise(cut)]
    residuals = [compressed.residuals[first:last] for first, last in itertools.pairwise(cut)]
    return shards, codes, residuals, compressed.codec


def relist(folder, name):
    """Let the manifest say what the changed file holds, as if the index had been built with it."""
    manifest = read_json(folder / "manifest.json")
    manifest["files"][name] = {"bytes": (folder / name).stat().st_size, "sha256": sha256_file(folder / name)}
    write_json(folder / "manifest.json", signed(manifest))


def naive_vectors(folder):
    return np.concatenate([np.load(folder / f"shard-{number}" / "vectors.npy") for number in range(2)])


def test_an_uncompressed_index_holds_the_vectors_of_its_shards(built):
    index = open_index(built[None] / "index")
    np.testing.assert_array_equal(index.vectors(slice(None)), naive_vectors(built[None]).astype(np.float32))
    assert index.vectors(slice(None)).dtype == np.float32
    assert index.raw.dtype == np.float16
    assert index.compressed is None
    assert index.doclens.tolist() == DOCLENS
    assert index.offsets.tolist() == [0, 3, 4, 8, 9, 14, 16]
    assert len(index) == 6
    assert index.dim == 16
    assert index.ids == ["p0-0", "p1-1", "p2-2", "p3-3", "p4-4", "p5-5"]
    assert index.manifest.counts == {"passages": 6, "vectors": 16}
    assert index.manifest.settings == {"codec": "fp16", "dim": 16}


def test_a_compressed_index_holds_the_codes_and_residuals_of_its_shards(built):
    index = open_index(built[2] / "index")
    codec, vectors = index.compressed.codec, naive_vectors(built[2]).astype(np.float32)
    np.testing.assert_array_equal(index.compressed.codes, (vectors @ codec.centroids.T).argmax(axis=1))
    np.testing.assert_array_equal(index.compressed.residuals, codec.encode(vectors, index.compressed.codes))
    assert index.raw is None
    assert index.compressed.codes.dtype == np.uint8
    assert index.compressed.residuals.shape == (16, 4)
    assert index.manifest.counts == {"passages": 6, "vectors": 16, "centroids": 8}
    np.testing.assert_array_equal(
        index.vectors(np.array([5, 2])), codec.decode(index.compressed.codes, index.compressed.residuals)[[5, 2]]
    )


def test_passages_of_centroids_are_those_with_a_vector_there(built):
    index = open_index(built[2] / "index")
    owners, compressed = np.repeat(np.arange(6), DOCLENS), index.compressed
    for centroids in ([0], [1, 2], [0, 3, 7], list(range(8)), []):
        expected = sorted(set(owners[np.isin(compressed.codes, centroids)].tolist()))
        found = inverted.union(compressed.lists, compressed.list_offsets, np.array(centroids, np.int64), 6)
        assert found.tolist() == expected


def test_every_listed_file_is_in_the_folder_and_nothing_else(built):
    for nbits, names in ((None, UNCOMPRESSED), (2, COMPRESSED)):
        assert sorted(path.name for path in (built[nbits] / "index").iterdir()) == sorted([*names, "manifest.json"])
        assert sorted(open_index(built[nbits] / "index").manifest.files) == names


@pytest.mark.parametrize("nbits", [None, 2])
def test_building_twice_gives_the_same_bytes(built, small_index, tmp_path, nbits):
    small_index(tmp_path, DOCLENS, nbits, shards=2)
    for path in (built[nbits] / "index").iterdir():
        assert path.read_bytes() == (tmp_path / "index" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("nbits", [None, 4])
def test_the_number_of_shards_changes_no_file(small_index, tmp_path, nbits):
    one = small_index(tmp_path / "one", DOCLENS, nbits, shards=1)
    three = small_index(tmp_path / "three", DOCLENS, nbits, shards=3)
    assert one.manifest.digest == three.manifest.digest


def test_an_index_of_one_passage_with_one_vector_opens(small_index, tmp_path):
    for nbits in (None, 1, 8):
        index = small_index(tmp_path / f"{nbits}", [1], nbits)
        assert len(index) == 1
        assert index.vectors(slice(None)).shape == (1, 16)
        assert np.linalg.norm(index.vectors(slice(None))) == pytest.approx(1, abs=1e-3)


def test_a_compressed_index_replaces_an_uncompressed_one_in_the_same_folder(built, parts, tmp_path):
    shards, codes, residuals, codec = parts
    ids = [f"{number}" for number in range(6)]
    build_uncompressed(tmp_path / "index", shards, ids, settings={"codec": "fp16"})
    lengths = [shard.doclens for shard in shards]
    manifest = build_compressed(tmp_path / "index", lengths, codes, residuals, codec, ids, settings={"codec": "residual-2"})
    assert sorted(manifest.files) == COMPRESSED
    assert open_index(tmp_path / "index").raw is None


def test_a_codec_folder_opens_with_the_codec_and_its_settings(parts, tmp_path):
    write_codec(tmp_path / "codec", parts[3], settings={"codec": "residual-2"})
    codec, manifest = open_codec(tmp_path / "codec")
    np.testing.assert_array_equal(codec.codebook, parts[3].codebook)
    np.testing.assert_array_equal(codec.centroids, parts[3].centroids)
    assert manifest.settings == {"codec": "residual-2"}


@pytest.mark.parametrize("compressed", [False, True])
def test_a_missing_shard_is_refused_and_leaves_no_index(parts, tmp_path, compressed):
    shards, codes, residuals, codec = parts
    ids = [f"{number}" for number in range(6)]
    build = partial(build_uncompressed, tmp_path / "i", shards[:1])
    if compressed:
        build = partial(build_compressed, tmp_path / "i", [shards[0].doclens], codes[:1], residuals[:1], codec)
    with pytest.raises(DataError, match="hold 3 passages, the corpus 6: one is missing"):
        build(ids, settings={})
    with pytest.raises(DamagedFileError, match=r"no manifest\.json"):
        open_index(tmp_path / "i")


@pytest.mark.parametrize(("short", "counts"), [("codes", "7 codes and 8"), ("residuals", "8 codes and 7")])
def test_codes_and_residuals_of_another_length_than_the_shard_are_refused(parts, tmp_path, short, counts):
    shards, codes, residuals, codec = parts
    codes = [codes[0], codes[1][:-1]] if short == "codes" else codes
    residuals = [residuals[0], residuals[1][:-1]] if short == "residuals" else residuals
    with pytest.raises(DataError, match=f"shard 1 of .* has 8 vectors, {counts} residuals"):
        build_compressed(
            tmp_path / "i", [shard.doclens for shard in shards], codes, residuals, codec, list("abcdef"), settings={}
        )
    assert not (tmp_path / "i").exists()


def test_a_shard_without_codes_is_refused(parts, tmp_path):
    shards, codes, residuals, codec = parts
    with pytest.raises(DataError):
        build_compressed(
            tmp_path / "i", [shard.doclens for shard in shards], codes[:1], residuals, codec, list("abcdef"), settings={}
        )


@pytest.mark.parametrize(("nbits", "name"), EVERY_FILE)
def test_a_flipped_bit_is_refused_with_the_name_of_the_file(copy, nbits, name):
    folder = copy(nbits)
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DamagedFileError, match=f"/{name} has sha256"):
        open_index(folder)


@pytest.mark.parametrize(("nbits", "name"), EVERY_FILE)
def test_a_truncated_file_is_refused_with_its_name_and_size(copy, nbits, name):
    folder = copy(nbits)
    size = (folder / name).stat().st_size
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with pytest.raises(DamagedFileError, match=f"/{name} has {size - 1} bytes, its manifest says {size}"):
        open_index(folder)


@pytest.mark.parametrize(("nbits", "name"), EVERY_FILE)
def test_a_missing_file_is_refused_with_its_name(copy, nbits, name):
    folder = copy(nbits)
    (folder / name).unlink()
    with pytest.raises(DamagedFileError, match=f"/{name} is missing"):
        open_index(folder)


def test_a_folder_without_a_manifest_is_not_an_index(copy):
    folder = copy(2)
    (folder / "manifest.json").unlink()
    with pytest.raises(DamagedFileError, match=r"no manifest\.json: it is not a finished index folder; rebuild it"):
        open_index(folder)


@pytest.mark.parametrize("text", ["", "{", '{"kind": "index"', "\x00\x01", "[1, 2"])
def test_a_manifest_that_is_no_json_is_refused(copy, text):
    folder = copy(2)
    (folder / "manifest.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"manifest.json is not valid JSON"):
        open_index(folder)


@pytest.mark.parametrize("value", [[], {}, {"kind": "index"}, None, 3])
def test_a_manifest_with_other_fields_is_refused(copy, value):
    folder = copy(2)
    write_json(folder / "manifest.json", value)
    with pytest.raises(DamagedFileError, match=r"manifest.json holds .*, not the fields .*rebuild"):
        open_index(folder)


@pytest.mark.parametrize("version", [3, 5])
def test_another_format_version_asks_for_a_rebuild(copy, version):
    folder = copy(2)
    manifest = read_json(folder / "manifest.json")
    write_json(folder / "manifest.json", signed({**manifest, "version": version}))
    with pytest.raises(
        DamagedFileError,
        match=rf"format version {version}, this code reads 4; delete .* and rebuild it \(make results, or `bench index`\)",
    ):
        open_index(folder)


@pytest.mark.parametrize(
    "name",
    [
        "residuals.npy",
        "norms.npy",
        "norm_levels.npy",
        "lists.npy",
        "list_offsets.npy",
        "doclens.npy",
        "ids.txt",
        "codes.npy",
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(copy, name):
    folder = copy(2)
    if name.endswith(".npy"):
        np.save(folder / name, np.load(folder / name)[:-1])
    else:
        (folder / name).write_text("".join(f"{number}\n" for number in range(5)))
    relist(folder, name)
    with pytest.raises(DamagedFileError):
        open_index(folder)


class MakesFolderWhenUnpickled:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(("nbits", "name"), [case for case in EVERY_FILE if case[1].endswith(".npy")])
def test_a_pickled_array_is_refused_and_never_run(copy, tmp_path, nbits, name):
    folder = copy(nbits)
    np.save(folder / name, np.array([MakesFolderWhenUnpickled(tmp_path / "hacked")], object), allow_pickle=True)
    relist(folder, name)
    with pytest.raises(DamagedFileError, match=f"/{name} is not a readable .npy file"):
        open_index(folder)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("nbits", [None, 2])
def test_a_moved_index_opens_and_searches_alike(built, copy, tmp_path, nbits):
    queries = np.random.default_rng(3).standard_normal((2, 4, 16)).astype(np.float32)
    before = Exact(open_index(built[nbits] / "index")).search(queries, 6)
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.move(copy(nbits), tmp_path / "elsewhere" / "renamed")
    for old, new in zip(before, Exact(open_index(moved)).search(queries, 6), strict=True):
        np.testing.assert_array_equal(new.passages, old.passages)
        np.testing.assert_array_equal(new.scores, old.scores)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(doclens=st.lists(st.integers(1, 6), min_size=1, max_size=12), data=st.data())
def test_positions_equal_those_of_a_loop_over_passages(doclens, data):
    passages = data.draw(st.lists(st.integers(0, len(doclens) - 1), max_size=12))
    index = Index(None, [], np.array(doclens, np.int32), None, None)
    expected = [sum(doclens[:passage]) + vector for passage in passages for vector in range(doclens[passage])]
    assert index.positions(np.array(passages, np.int32)).tolist() == expected


@settings(max_examples=50, deadline=None, derandomize=True)
@given(ids=st.lists(st.text("ab10é-", min_size=1), unique=True, max_size=20))
def test_the_rank_of_an_id_is_the_number_of_smaller_ones(ids):
    assert id_ranks(ids).tolist() == [sum(other < name for other in ids) for name in ids]


def test_ids_are_ranked_as_text_not_as_numbers():
    assert id_ranks(["10", "9", "2", "1"]).tolist() == [1, 3, 2, 0]


def test_centroids_without_any_vector_have_empty_lists(tmp_path):
    vectors = np.eye(8, dtype=np.float32)
    write_shard(tmp_path / "s", vectors, np.array([4, 4]))
    codec = fit_residual(-vectors[:3], vectors[:3], np.arange(3), 1)
    codes = np.zeros(8, np.uint8)
    lengths = [open_shard(tmp_path / "s").doclens]
    build_compressed(tmp_path / "i", lengths, [codes], [codec.encode(vectors, codes)], codec, ["a", "b"], settings={})
    index = open_index(tmp_path / "i")
    assert index.compressed.list_offsets.tolist() == [0, 2, 2, 2]
    assert index.compressed.lists.tolist() == [0, 0]


@pytest.mark.parametrize("nbits", [1, 4])
def test_a_norm_is_stored_as_the_nearest_of_256_levels_from_the_smallest_to_the_largest(small_index, tmp_path, nbits):
    compressed = small_index(tmp_path, [40, 3, 60], nbits, shards=2, dim=24).compressed
    codec = compressed.codec
    entries = codec.codebook[np.arange(codec.bytes), compressed.residuals].reshape(103, 24)
    norms = np.linalg.norm(codec.centroids[compressed.codes].astype(np.float64) + entries, axis=1)
    levels = compressed.norm_levels.astype(np.float64)
    assert (compressed.norms.dtype, compressed.norm_levels.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose([levels[0], levels[-1]], [norms.min(), norms.max()], rtol=1e-6)
    np.testing.assert_allclose(np.diff(levels), (levels[-1] - levels[0]) / 255, rtol=1e-2)
    assert np.abs(levels[compressed.norms] - norms).max() <= (levels[-1] - levels[0]) / 510 * 1.01
    assert {0, 255} <= set(compressed.norms.tolist())


def test_vectors_of_one_norm_have_one_level(small_index, tmp_path):
    compressed = small_index(tmp_path, [1, 1], 2, vectors=np.tile(np.eye(8)[0], (2, 1))).compressed
    assert compressed.norms.tolist() == [0, 0]
    assert len(set(compressed.norm_levels.tolist())) == 1


def test_starts_are_where_passages_begin_in_their_positions():
    index = Index(None, [], np.array([3, 1, 4], np.int32), None, None)
    assert index.starts(np.array([2, 0, 2])).tolist() == [0, 4, 7]
    assert index.starts(np.empty(0, np.int64)).tolist() == []
