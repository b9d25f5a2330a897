"""Indexes of colbert-ai and fast-plaid: decoded and ranked as these programs do, written for colbert-ai, and refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.codec.packing import other_order, unpack
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.index import colbert_ai
from bench.index.foreign import import_index, open_foreign
from bench.index.index import open_index
from bench.search.exact import Exact
from bench.search.kernels.backends import open_kernels
from bench.search.plaid import Plaid

GOLDEN = Path(__file__).parents[1] / "golden" / "indexes"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.npz"))
BYTE_STEP = 1 / 127 / 2  # what rounding to a byte a dimension moves a value by, at most, of the largest value
ROUNDED = 0.008  # what that changes in a score of 8 query vectors, at most
PRUNED = 0.06  # and in the score at a rank, where another passage is the last one that the interaction keeps


def imported(name, folder):
    foreign = open_foreign(GOLDEN / name)
    import_index(foreign, [f"{number:03d}" for number in range(foreign.passages)], folder / "i", folder / "w", inputs={})
    return open_index(folder / "i")


def assert_ranked_alike(found, expected, scores):
    """The same passages in the same order, but for some whose scores are as good as equal."""
    other = found != expected
    gaps = np.abs(np.take_along_axis(scores, found, 1) - np.take_along_axis(scores, expected, 1))
    assert gaps[other].max(initial=0) < PRUNED
    assert (gaps[other] > 2 * ROUNDED).sum() <= 0.03 * other.size
    assert other.sum() <= 0.06 * other.size


@pytest.mark.parametrize("name", NAMES)
def test_an_index_of_another_program_is_decoded_as_that_program_does(name):
    foreign, golden = open_foreign(GOLDEN / name), np.load(GOLDEN / f"{name}.npz")
    assert (foreign.kind, str(foreign.nbits)) == tuple(name.rsplit("-", 1))
    codes, residuals = foreign.part(0)
    weights = foreign.weights[unpack(residuals, foreign.nbits)]
    sums = foreign.centroids[codes] + weights
    exact = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    assert np.abs(exact - golden["decoded"]).max() < (1e-6 if foreign.kind == "colbert-ai" else 1e-3)  # the latter: halves
    moved = np.abs(foreign.codec.decode(codes, residuals) - golden["decoded"]).max()
    assert moved < 2 * BYTE_STEP * np.abs(foreign.centroids).max() + 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_an_imported_index_ranks_as_the_program_that_made_it(name, tmp_path):
    golden, index = np.load(GOLDEN / f"{name}.npz"), imported(name, tmp_path)
    assert index.manifest.settings["source"] == name.rsplit("-", 1)[0]
    values = {"ncells": 4, "centroid_score_threshold": 0.3, "ndocs": 96}
    if name.startswith("fast-plaid"):
        values |= {"ncells": 32, "centroid_score_threshold": -1.0, "ndocs": 4000}
    rankings = Plaid(open_kernels("cpu", index), **values).search(golden["queries"], 10)
    similarities = np.maximum.reduceat(golden["decoded"] @ golden["queries"].transpose(0, 2, 1), index.offsets[:-1], axis=1)
    scores = similarities.sum(axis=2)
    assert np.abs(Exact(index).scores(golden["queries"], 0, len(index)) - scores).max() < ROUNDED
    assert_ranked_alike(np.array([ranking.passages for ranking in rankings]), golden["rankings"], scores)


@pytest.mark.parametrize("nbits", [1, 2, 4, 8])
def test_an_index_written_for_colbert_ai_is_read_back_as_it_was(small_index, tmp_path, nbits, monkeypatch):
    monkeypatch.setattr(colbert_ai, "CHUNK", 5)
    index = small_index(tmp_path / "ours", [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], nbits, dim=16)
    (tmp_path / "theirs").mkdir()
    assert colbert_ai.write(index, tmp_path / "theirs", {"doc_maxlen": 180}) == 3
    foreign = open_foreign(tmp_path / "theirs")
    assert (foreign.passages, foreign.config) == (11, {"dim": 16, "nbits": nbits, "doc_maxlen": 180})
    ids = (tmp_path / "theirs" / "ids.txt").read_text().split("\n")[:-1]
    import_index(foreign, ids, tmp_path / "again", tmp_path / "work", inputs={})
    again = open_index(tmp_path / "again")
    assert again.ids == index.ids
    for name in ("codes", "residuals", "norms", "lists", "list_offsets"):
        np.testing.assert_array_equal(getattr(again.compressed, name), getattr(index.compressed, name))
    np.testing.assert_array_equal(again.vectors(slice(None)), index.vectors(slice(None)))


@given(nbits=st.sampled_from([1, 2, 4, 8]), byte=st.integers(0, 255))
def test_the_other_order_of_bits_is_that_of_packed_bits_with_the_lowest_first(nbits, byte):
    buckets = unpack(np.array([[byte]], np.uint8), nbits)[0]
    bits = (buckets[:, None] >> np.arange(nbits, dtype=np.uint8)) & 1
    assert other_order(nbits)[byte] == np.packbits(bits)[0]
    assert other_order(nbits)[other_order(nbits)[byte]] == byte


def test_what_colbert_ai_cannot_decode_is_not_written(small_index, tmp_path):
    with pytest.raises(SettingsError, match="colbert-ai cannot read the codec fp16; build the index with residual-1"):
        colbert_ai.write(small_index(tmp_path / "a", [2, 3]), tmp_path, {})
    with pytest.raises(SettingsError, match="vectors of dim 20, which is not a multiple of 8"):
        colbert_ai.write(small_index(tmp_path / "b", [2, 3], 2, dim=20), tmp_path, {})


class Harmful:
    def __reduce__(self):
        return Path.touch, (Path("harm"),)


def _pickled(folder):
    with (folder / "centroids.pt").open("wb") as stream:
        torch.save({"centroids": Harmful()}, stream)


def _changed(name, change):
    def damage(folder):
        path = folder / name
        if path.suffix == ".json":
            path.write_text(json.dumps(change(json.loads(path.read_text()))))
        else:
            torch.save(change(torch.load(path)), path)

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_pickled, "centroids.pt holds something else than tensors"),
        (lambda folder: (folder / "0.codes.pt").write_bytes(b"PK\3\4"), "0.codes.pt holds something else than tensors"),
        (lambda folder: (folder / "0.residuals.pt").unlink(), "0.residuals.pt is missing"),
        (lambda folder: (folder / "metadata.json").write_text("{"), "metadata.json is not valid JSON"),
        (_changed("metadata.json", lambda it: it | {"num_chunks": 0}), "num_chunks 0: no index of colbert-ai or fast-plaid"),
        (_changed("metadata.json", lambda it: it | {"num_embeddings": 3}), "metadata.json says 3 vectors"),
        (_changed("0.codes.pt", lambda codes: codes + 900), "there are .* centroids"),
        (_changed("0.residuals.pt", lambda it: it[:, 1:]), "ask for"),
        (_changed("doclens.0.json", lambda it: [0, it[0] + it[1], *it[2:]]), "has 0 vectors for passage 0: it could never"),
        (_changed("buckets.pt", lambda it: it[:1]), "holds a tuple, expected tensors: 2"),
        (_changed("centroids.pt", lambda it: it * torch.nan), "not finite"),
    ],
    ids=range(11),
)
def test_a_damaged_index_is_refused_in_one_line_and_nothing_in_it_is_run(tmp_path, monkeypatch, damage, message):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN / "colbert-ai-2", tmp_path / "copy")
    damage(tmp_path / "copy")
    with pytest.raises((DamagedFileError, DataError), match=message) as refusal:
        open_foreign(tmp_path / "copy").part(0)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "harm").exists()


def test_ids_of_another_collection_are_refused(tmp_path):
    with pytest.raises(DataError, match="has 40 passages, but 2 ids are given: other passages"):
        import_index(open_foreign(GOLDEN / "colbert-ai-1"), ["a", "b"], tmp_path / "i", tmp_path / "w", inputs={})
