"""Checkpoints in the official layout: read whole, weights only, with their own settings, or refused."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch
import transformers

from bench.cli import main
from bench.config.inputs import InputSettings
from bench.config.weights import Weights
from bench.encoder import checkpoint, loading, official
from bench.encoder.encode import encode_passages, encode_queries
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.files.storage import sha256_file

TEXTS = ["the cat, and a dog", "moon", ""]
DIM, HIDDEN = 16, 32
METADATA = {
    "query_token_id": "[unused0]",
    "doc_token_id": "[unused1]",
    "query_token": "[Q]",
    "doc_token": "[D]",
    "ncells": None,
    "nbits": 1,
    "similarity": "cosine",
    "bsize": 32,
    "lr": 1e-05,
    "maxsteps": 400000,
    "relu": False,
    "nway": 64,
    "query_maxlen": 32,
    "attend_to_mask_tokens": False,
    "interaction": "colbert",
    "dim": DIM,
    "doc_maxlen": 120,
    "mask_punctuation": True,
    "checkpoint": "/somewhere/else",
    "meta": {"hostname": "somewhere", "version": "colbert-v0.4"},
}


@pytest.fixture
def layout(tiny_bert, tmp_path):
    """A maker of random checkpoints as colbert-ai saves them: ``layout(weights=..., dtype=..., **metadata)``."""

    def make(name="official", *, weights="pytorch_model.bin", dtype=torch.float32, change=lambda tensors: None, **metadata):
        folder = tmp_path / name
        folder.mkdir()
        bert = transformers.BertModel.from_pretrained(tiny_bert)
        bert.config.architectures = ["HF_ColBERT"]
        bert.config.save_pretrained(folder)
        transformers.AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(folder)
        tensors = {f"bert.{key}": value.to(dtype).contiguous() for key, value in bert.state_dict().items()}
        assert {"bert.pooler.dense.weight", "bert.pooler.dense.bias"} <= set(tensors)
        tensors["bert.embeddings.position_ids"] = torch.arange(128)[None]
        linear = np.random.default_rng(3).standard_normal((DIM, HIDDEN)).astype(np.float32)
        tensors["linear.weight"] = torch.from_numpy(linear).to(dtype)
        change(tensors)
        if weights.endswith(".bin"):
            torch.save(tensors, folder / weights)
        else:
            safetensors.torch.save_file(tensors, folder / weights, metadata={"format": "pt"})
        values = {key: value for key, value in {**METADATA, **metadata}.items() if value != "left out"}
        (folder / "artifact.metadata").write_text(json.dumps(values))
        return folder

    return make


@pytest.mark.parametrize("weights", official.WEIGHTS)
def test_a_checkpoint_gives_exactly_the_vectors_of_its_weights_and_markers(layout, tiny_encoder, weights):
    found = official.load(layout(weights=weights))
    expected = tiny_encoder(DIM)  # the same network and the same layer, put together by hand
    assert not found.training
    assert found.inputs.settings == InputSettings(
        query_marker="[unused0]",
        doc_marker="[unused1]",
        pad_queries=True,
        attend_to_mask_tokens=False,
        drop_punctuation=True,
    )
    assert np.array_equal(*(encode_passages(model, TEXTS, maxlen=16)[0] for model in (found, expected)))
    queries = [encode_queries(model, ["one horse"], maxlen=8) for model in (found, expected)]
    assert queries[0].shape == (1, 8, DIM)
    assert np.array_equal(*queries)


def test_settings_of_the_metadata_win_over_the_defaults(layout):
    folder = layout(mask_punctuation=False, attend_to_mask_tokens=True, query_token_id="[unused1]", doc_token_id="[unused0]")
    said = official.usage(folder)
    assert (said.dim, said.query_maxlen, said.doc_maxlen) == (16, 32, 120)
    settings = official.load(folder).inputs.settings
    assert (settings.query_marker, settings.doc_marker) == ("[unused1]", "[unused0]")
    assert (settings.drop_punctuation, settings.attend_to_mask_tokens) == (False, True)
    kept, _ = encode_passages(official.load(folder), ["the cat, and"], maxlen=16)
    dropped, _ = encode_passages(official.load(layout("other")), ["the cat, and"], maxlen=16)
    assert (len(kept), len(dropped)) == (7, 6)


def test_half_precision_on_disk_becomes_float32(layout):
    encoder = official.load(layout(dtype=torch.float16, weights="model.safetensors"))
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"similarity": "l2"}, r"artifact\.metadata has similarity 'l2'; .* similarity 'cosine' alone"),
        ({"interaction": "flipr"}, r"interaction 'flipr'"),
        ({"relu": True}, r"relu True"),
    ],
)
def test_a_checkpoint_whose_vectors_are_compared_in_another_way_is_refused(layout, metadata, message):
    with pytest.raises(SettingsError, match=message):
        official.load(layout(**metadata))


@pytest.mark.parametrize("name", official.SAID)
@pytest.mark.parametrize("value", ["left out", 1.5, None])
def test_a_setting_that_is_missing_or_of_another_type_is_refused_by_its_name(layout, name, value):
    with pytest.raises(DamagedFileError, match=rf"artifact\.metadata has {name} {value if value != 'left out' else None}"):
        official.usage(layout(**{name: value}))


def test_a_length_that_the_network_has_no_positions_for_is_refused(layout):
    with pytest.raises(DamagedFileError, match=r"doc_maxlen 180, its network takes 128 tokens at most"):
        official.load(layout(doc_maxlen=180))


def drop_layer(tensors):
    del tensors["bert.encoder.layer.1.output.dense.weight"]


def add_bias(tensors):
    tensors["linear.bias"] = torch.zeros(DIM)


def narrow(tensors):
    tensors["linear.weight"] = tensors["linear.weight"][:8].contiguous()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_layer, r"bert\.encoder\.layer\.1\.output\.dense\.weight has the shape missing"),
        (add_bias, r"linear\.bias has the shape \(16,\), the model's settings ask for none of that name"),
        (narrow, r"linear\.weight has the shape \(8, 32\), the model's settings ask for \(16, 32\)"),
    ],
)
def test_tensors_that_do_not_make_the_encoder_are_refused_by_name(layout, change, message):
    with pytest.raises(DamagedFileError, match=message):
        official.load(layout(change=change))


class Planted:
    """What a pickle that runs code would hold."""

    def __reduce__(self):
        return print, ("the checkpoint ran code",)


def test_a_pickle_with_anything_but_tensors_is_refused_and_not_run(layout, capsys):
    folder = layout(change=lambda tensors: tensors.update(planted=Planted()))
    with pytest.raises(DamagedFileError, match=r"pytorch_model\.bin does not hold tensors alone"):
        official.load(folder)
    assert capsys.readouterr().out == ""


def test_weights_that_are_cut_short_are_refused(layout):
    folder = layout(weights="model.safetensors")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DamagedFileError, match=r"model\.safetensors .* is cut short"):
        official.load(folder)


def test_a_folder_without_metadata_is_no_checkpoint(layout):
    folder = layout()
    (folder / "artifact.metadata").unlink()
    with pytest.raises(DamagedFileError, match=r"artifact\.metadata is missing"):
        official.usage(folder)


def test_the_digest_of_pickled_weights_is_checked(layout):
    folder = layout()
    right = sha256_file(folder / "pytorch_model.bin")
    assert loading.find(Weights(name=str(folder), sha256=right)) == folder
    message = rf"pytorch_model\.bin has sha256 {right}, but the config asks for {'0' * 64}"
    with pytest.raises(DamagedFileError, match=message):
        loading.find(Weights(name=str(folder), sha256="0" * 64))


def test_of_the_hub_one_format_of_weights_is_downloaded_the_safe_one_where_there_is_one(layout, monkeypatch):
    folder, asked = layout(), []

    def snapshot_download(name, *, revision, allow_patterns):
        asked.append((name, revision, {"artifact.metadata", *official.WEIGHTS} & set(allow_patterns)))
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    base = Weights(name="somebody/colbert", revision="ab" * 20)
    assert loading.find(base) == folder
    assert [files for *_, files in asked] == [
        {"artifact.metadata", "model.safetensors"},
        {"artifact.metadata", "pytorch_model.bin"},
    ]
    (folder / "model.safetensors").touch()
    asked.clear()
    loading.find(base)
    assert asked == [("somebody/colbert", "ab" * 20, {"artifact.metadata", "model.safetensors"})]


def test_without_a_network_a_checkpoint_that_was_not_fetched_is_refused_with_what_gets_it(monkeypatch):
    def snapshot_download(*_, **__):
        raise FileNotFoundError("outgoing traffic has been disabled")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(DataError, match=r"somebody/colbert at revision (ab){20} is not whole in .*`bench fetch`"):
        loading.find(Weights(name="somebody/colbert", revision="ab" * 20))


def convert(folder, output, *words):
    return main(["convert", "--name", str(folder), "--dim", "16", *words, "--output", str(output)])


def test_the_verb_writes_a_model_folder_that_says_what_it_was_trained_with(layout, tmp_path, capsys):
    folder = layout()
    said = ("--query-maxlen", "32", "--doc-maxlen", "120", "--query-marker", "[unused0]", "--drop-punctuation")
    assert convert(folder, tmp_path / "model", *said) == 0
    assert "16 dimensions, trained with {'query_maxlen': 32, 'doc_maxlen': 120}" in capsys.readouterr().out
    encoder, manifest = checkpoint.load(tmp_path / "model")
    assert (manifest.settings["query_maxlen"], manifest.settings["doc_maxlen"]) == (32, 120)
    assert np.array_equal(*(encode_passages(model, TEXTS, maxlen=16)[0] for model in (encoder, official.load(folder))))


def test_a_model_folder_of_another_run_is_taken_as_it_is(layout, tmp_path):
    assert convert(layout(), tmp_path / "first") == 0
    assert convert(tmp_path / "first", tmp_path / "second", "--doc-maxlen", "120") == 0
    first, second = (checkpoint.load(tmp_path / name)[1] for name in ("first", "second"))
    assert first.digest == second.digest
    assert second.settings["doc_maxlen"] == 120


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--doc-maxlen", "180"), "doc_maxlen is 180 in the config, but 120 in "),
        (("--query-maxlen", "64"), "query_maxlen is 64 in the config, but 32 in "),
        (("--no-drop-punctuation",), "drop_punctuation is False in the config, but True in "),
        (("--no-pad-queries",), "pad_queries is False in the config, but True in "),
        (("--doc-marker", "none"), "doc_marker is None in the config, but '[unused1]' in "),
    ],
)
def test_a_config_that_says_something_else_than_the_checkpoint_is_refused_and_nothing_written(
    layout, tmp_path, capsys, words, message
):
    assert convert(layout(), tmp_path / "model", *words) == 1
    assert f"bench convert: SettingsError: {message}" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_a_config_with_another_dim_than_the_checkpoint_is_refused(layout, tmp_path, capsys):
    words = ["convert", "--name", str(layout()), "--dim", "128", "--output", str(tmp_path / "model")]
    assert main(words) == 1
    assert "dim is 128 in the config, but 16 in " in capsys.readouterr().err
