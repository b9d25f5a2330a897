"""Model folders: written without pickle, read back exactly, refused when anything is missing or changed."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch

from bench.encoder import base, checkpoint
from bench.encoder.encode import encode_passages, encode_queries
from bench.encoder.model import mean_pooling
from bench.errors import DamagedFileError
from bench.files.storage import sha256_file
from tests.changes import signed

TEXTS = ["the cat, and a dog", "moon", ""]


def rewrite_weights(folder, change):
    """Apply ``change`` to the tensors of a model folder and make its manifest fit again."""
    path = folder / checkpoint.WEIGHTS
    tensors = safetensors.torch.load_file(path)
    change(tensors)
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][checkpoint.WEIGHTS] = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
    (folder / "manifest.json").write_text(json.dumps(signed(manifest)))


def test_a_saved_model_gives_exactly_the_same_vectors(tiny_encoder, tmp_path):
    encoder = tiny_encoder(attend_to_mask_tokens=True, doc_marker=None)
    saved = checkpoint.save(encoder, tmp_path, settings={"seed": 1})
    loaded, manifest = checkpoint.load(tmp_path)
    assert manifest.digest == saved.digest
    assert loaded.inputs.settings == encoder.inputs.settings
    assert not loaded.training
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert np.array_equal(*(encode_passages(model, TEXTS, maxlen=16)[0] for model in (encoder, loaded)))
    assert np.array_equal(*(encode_queries(model, ["one horse"], maxlen=8) for model in (encoder, loaded)))


def test_a_saved_single_vector_model_gives_exactly_the_same_vectors(tiny_bert, tmp_path):
    encoder = mean_pooling(*base.load(tiny_bert))
    checkpoint.save(encoder, tmp_path)
    loaded, _ = checkpoint.load(tmp_path)
    assert loaded.kind == "mean"
    assert np.array_equal(*(encode_passages(model, TEXTS, maxlen=16)[0] for model in (encoder, loaded)))


def test_a_model_folder_holds_json_and_safetensors_only_and_its_manifest_lists_every_file(tiny_encoder, tmp_path):
    manifest = checkpoint.save(tiny_encoder(), tmp_path)
    found = {path.name for path in tmp_path.iterdir()}
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".safetensors", ".txt"}
    assert found == {"manifest.json", *manifest.files}
    assert {"model.safetensors", "config.json", "tokenizer.json", "colbert.json"} <= found


def test_weights_are_stored_under_the_names_of_colbert_checkpoints(tiny_encoder, tmp_path):
    checkpoint.save(tiny_encoder(), tmp_path)
    names = set(safetensors.torch.load_file(tmp_path / "model.safetensors"))
    assert {"linear.weight", "bert.embeddings.word_embeddings.weight"} <= names
    assert {name.partition(".")[0] for name in names} == {"bert", "linear"}


def test_the_same_model_in_another_folder_has_the_same_digest(tiny_encoder, tmp_path):
    first = checkpoint.save(tiny_encoder(), tmp_path / "a", settings={"seed": 1})
    second = checkpoint.save(tiny_encoder(), tmp_path / "b", settings={"seed": 2})
    assert first.digest == second.digest


def test_saving_over_a_model_folder_lists_the_same_files_again(tiny_encoder, tmp_path):
    first = checkpoint.save(tiny_encoder(), tmp_path)
    second = checkpoint.save(tiny_encoder(), tmp_path)
    assert sorted(second.files) == sorted(first.files)


def test_damaged_weights_are_refused(tiny_encoder, tmp_path):
    checkpoint.save(tiny_encoder(), tmp_path)
    path = tmp_path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"model\.safetensors has sha256"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("name", ["bert.encoder.layer.1.output.dense.weight", "linear.weight"])
def test_a_missing_tensor_is_refused_by_its_name(tiny_encoder, tmp_path, name):
    checkpoint.save(tiny_encoder(), tmp_path)
    rewrite_weights(tmp_path, lambda tensors: tensors.pop(name))
    with pytest.raises(DamagedFileError, match=name):
        checkpoint.load(tmp_path)


def test_an_unknown_tensor_is_refused_by_its_name(tiny_encoder, tmp_path):
    checkpoint.save(tiny_encoder(), tmp_path)
    rewrite_weights(tmp_path, lambda tensors: tensors.update({"bert.extra": torch.zeros(2)}))
    with pytest.raises(DamagedFileError, match=r"bert\.extra"):
        checkpoint.load(tmp_path)


def test_a_tensor_of_another_shape_than_the_config_is_refused(tiny_encoder, tmp_path):
    checkpoint.save(tiny_encoder(), tmp_path)
    rewrite_weights(tmp_path, lambda tensors: tensors.update({"linear.weight": torch.zeros(16, 31)}))
    with pytest.raises(DamagedFileError, match=r"linear\.weight"):
        checkpoint.load(tmp_path)


def test_a_folder_without_a_manifest_is_not_a_model(tiny_encoder, tmp_path):
    checkpoint.save(tiny_encoder(), tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(DamagedFileError, match="not a finished model folder"):
        checkpoint.load(tmp_path)
