"""PyLate's layout: vectors as PyLate gives them, refusals in one line, and models written so that PyLate reads them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from bench.cli import main
from bench.config.weights import Weights
from bench.encoder import checkpoint, loading
from bench.errors import DamagedFileError, SettingsError
from tests.golden.write_ours import ours

GOLDEN = Path(__file__).parents[1] / "golden"
SHARED = Path(__file__).parents[2].parent / "shared" / "golden" / "pylate"
NAMES = ["bert-residual", "modernbert", "xlm-roberta", "distilbert", "qwen"]


def assert_golden(folder, texts, golden):
    found, expected = ours(folder, json.loads(texts.read_text())), np.load(golden)
    assert set(found) == set(expected.files)
    for name in expected.files:
        assert found[name].shape == expected[name].shape, name
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_vectors_are_those_of_pylate_for_every_text(name):
    assert_golden(GOLDEN / "pylate" / name, GOLDEN / "texts.json", GOLDEN / "pylate" / f"{name}.npz")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the golden vectors of the workplace are not here")
@pytest.mark.parametrize("name", ["one-dense", "two-dense-attend", "no-expansion"])
def test_vectors_of_checkpoints_with_a_real_vocabulary_are_those_of_pylate(name):
    assert_golden(SHARED / name, SHARED / "texts.json", SHARED / f"{name}.npz")


def test_a_converted_model_gives_the_same_vectors_and_keeps_its_lengths(tmp_path, capsys):
    folder = GOLDEN / "pylate" / "bert-residual"
    assert main(["convert", "--name", str(folder), "--dim", "24", "--output", str(tmp_path / "model")]) == 0
    assert "24 dimensions, trained with {'query_maxlen': 24, 'doc_maxlen': 100}" in capsys.readouterr().out
    assert_golden(tmp_path / "model", GOLDEN / "texts.json", GOLDEN / "pylate" / "bert-residual.npz")
    layers = json.loads((tmp_path / "model" / "colbert.json").read_text())["layers"]
    assert [(layer["outputs"], layer["activation"], layer["residual"]) for layer in layers] == [
        (16, "GELU", True),
        (24, "Identity", True),
    ]


@pytest.mark.parametrize("name", ["bert-residual", "qwen"])
def test_an_exported_model_is_read_back_with_the_same_vectors(name, tmp_path):
    folder = GOLDEN / "pylate" / name
    assert main(["export", str(folder), "--layout", "pylate", "--output", str(tmp_path / "out")]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert_golden(tmp_path / "out", GOLDEN / "texts.json", GOLDEN / "pylate" / f"{name}.npz")


@pytest.mark.parametrize("layout", ["pylate", "official"])
def test_a_model_of_this_harness_is_exported_and_read_back_as_it_is(layout, tiny_encoder, tmp_path):
    made = tiny_encoder(16)
    checkpoint.save(made, tmp_path / "model", settings={"query_maxlen": 12, "doc_maxlen": 40})
    assert main(["export", str(tmp_path / "model"), "--layout", layout, "--output", str(tmp_path / "out")]) == 0
    texts = {"queries": ["one horse", "a cat?"], "passages": ["the cat, and a dog", "", "moon"]}
    first, second = (ours(tmp_path / name, texts) for name in ("model", "out"))
    assert {name: len(vectors) for name, vectors in first.items()} == {"q0": 12, "q1": 12, "p0": 8, "p1": 3, "p2": 4}
    for name, vectors in first.items():
        assert np.array_equal(vectors, second[name]), name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bert-residual", "only if it has one linear layer without bias"),
        ("modernbert", "only if its network is of BERT's kind, not 'modernbert'"),
    ],
)
def test_a_model_that_colbert_ai_would_use_in_another_way_is_not_exported(name, message, tmp_path, capsys):
    words = ["export", str(GOLDEN / "pylate" / name), "--layout", "official", "--output", str(tmp_path / "out")]
    assert main(words) == 1
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_lengths_is_exported_only_with_them(tiny_encoder, tmp_path, capsys):
    checkpoint.save(tiny_encoder(16), tmp_path / "model")
    words = ["export", str(tmp_path / "model"), "--layout", "pylate", "--output", str(tmp_path / "out")]
    assert main(words) == 1
    assert "does not say its query_maxlen; give --query-maxlen" in capsys.readouterr().err
    assert main([*words, "--query-maxlen", "12", "--doc-maxlen", "40"]) == 0
    assert loading.load(tmp_path / "out")[1] == {"query_maxlen": 12, "doc_maxlen": 40}
    assert main([*words, "--query-maxlen", "12", "--doc-maxlen", "40"]) == 1
    assert "is there already" in capsys.readouterr().err


@pytest.fixture
def copy(tmp_path):
    """``copy(file, **changes)``: a copy of a golden checkpoint with values of a JSON file changed, or left out (...)."""

    def make(file=None, name="bert-residual", **changes):
        folder = tmp_path / "copy"
        shutil.copytree(GOLDEN / "pylate" / name, folder)
        if file:
            values = json.loads((folder / file).read_text()) | changes
            (folder / file).write_text(json.dumps({key: value for key, value in values.items() if value is not ...}))
        return folder

    return make


USAGE = "config_sentence_transformers.json"


def test_what_an_older_config_does_not_say_has_the_default_of_pylate(copy):
    absent = dict.fromkeys(("query_prefix", "do_query_expansion", "attend_to_expansion_tokens", "model_type"), ...)
    encoder, lengths = loading.load(copy(USAGE, query_length=None, **absent))
    assert lengths == {"query_maxlen": 32, "doc_maxlen": 100}
    settings = encoder.inputs.settings
    assert (settings.query_marker, settings.pad_queries, settings.attend_to_mask_tokens) == ("[Q] ", True, False)


def test_a_prefix_that_is_not_in_the_vocabulary_is_one_token_at_its_end_with_the_mean_of_all_embeddings(
    copy, tmp_path, capsys
):
    plain, _ = loading.load(GOLDEN / "pylate" / "bert-residual")
    encoder, lengths = loading.load(copy(USAGE, query_prefix="[Query] "))
    before = len(plain.inputs.tokenizer)
    assert encoder.inputs.tokenizer.convert_tokens_to_ids("[Query] ") == before
    rows = encoder.bert.get_input_embeddings().weight.detach()
    assert rows.shape[0] == before + 1
    np.testing.assert_allclose(rows[before], plain.bert.get_input_embeddings().weight.detach().mean(dim=0), atol=1e-7)
    ids, _ = encoder.inputs.queries(["a cat"], lengths["query_maxlen"])
    assert (ids == before).sum() == 1
    assert ids[0, 1] == before
    assert "'[Query] ' added to the vocabulary, with the mean of all embeddings" in capsys.readouterr().err
    checkpoint.save(encoder, tmp_path / "model", settings=lengths)
    again, _ = loading.load(tmp_path / "model")
    np.testing.assert_array_equal(again.inputs.queries(["a cat"], lengths["query_maxlen"])[0], ids)


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        (USAGE, {"skiplist_words": ["is", "¬"]}, "has '¬' among skiplist_words, .* PyLate would drop every unknown word"),
        (USAGE, {"document_length": 129}, "has doc_maxlen 129, its network takes 128 tokens at most"),
        (USAGE, {"query_length": "32"}, "has query_length '32', expected int"),
        (USAGE, {"similarity_fn_name": "XTR"}, "has similarity_fn_name 'XTR'; supported are None, MaxSim"),
        (USAGE, {"model_type": "SparseEncoder"}, "has model_type 'SparseEncoder'"),
        ("1_Dense/config.json", {"activation_function": "os.system"}, "activation_function 'os.system'; supported"),
        ("1_Dense/config.json", {"use_residual": "yes"}, "use_residual 'yes', expected bool"),
        ("1_Dense/config.json", {"scale": 2}, "has scale 2, which is not known"),
        ("1_Dense/config.json", {"in_features": 32}, "has in_features 32, but is given 16 dimensions"),
        ("2_Dense/config.json", {"bias": True}, "tensor linear.bias has the shape missing"),
        ("2_Dense/config.json", {"use_residual": False}, "tensor residual.weight has the shape"),
        ("config.json", {"num_hidden_layers": 3}, "lacks encoder.layer.2"),
        ("config.json", {"num_hidden_layers": 1}, "more weights that its config.json has no layer for"),
        ("config.json", {"vocab_size": 300}, "word_embeddings.weight has the shape"),
        ("sentence_bert_config.json", {"pooling": "cls"}, "has pooling 'cls', which is not known"),
    ],
)
def test_a_checkpoint_that_does_not_fit_itself_is_refused_by_the_value_that_is_wrong(copy, file, changes, message):
    with pytest.raises((DamagedFileError, SettingsError), match=message) as refusal:
        loading.load(copy(file, **changes))
    assert "\n" not in str(refusal.value)


def test_modules_other_than_a_network_and_dense_layers_are_refused(copy):
    folder = copy()
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "sentence_transformers.models.Pooling"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(SettingsError, match=r"has the modules \['Transformer', 'Pooling', 'Dense'\]"):
        loading.load(folder)
    modules[1] |= {"type": "pylate.models.Dense.Dense", "path": "../1_Dense"}
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(DamagedFileError, match=r"names the folder \.\./1_Dense, which is not inside"):
        loading.load(folder)


def test_weights_that_are_not_finite_are_refused_by_the_name_of_the_tensor(copy):
    folder = copy()
    path = folder / "1_Dense" / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    tensors["linear.bias"][0] = float("nan")
    safetensors.torch.save_file(tensors, path)
    with pytest.raises(DamagedFileError, match=r"1_Dense/model\.safetensors: tensor linear\.bias has values that are not"):
        loading.load(folder)


@pytest.mark.parametrize("name", ["1_Dense/model.safetensors", "1_Dense/config.json", "tokenizer.json", USAGE])
def test_a_file_that_is_missing_is_named(copy, name):
    folder = copy()
    (folder / name).unlink()
    with pytest.raises(DamagedFileError, match=name.split("/")[0]):
        loading.load(folder)


def test_a_folder_of_no_known_layout_is_refused_with_the_layouts_that_are_known(tmp_path):
    with pytest.raises(DamagedFileError, match=r"none of manifest\.json .*modules\.json .*artifact\.metadata"):
        loading.load(tmp_path)


def test_dense_layers_are_downloaded_too(copy, monkeypatch):
    asked = []

    def snapshot_download(name, *, revision, allow_patterns):
        asked.extend(allow_patterns)
        return str(copy())

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    loading.find(Weights(name="somebody/colbert", revision="ab" * 20))
    assert {"*_Dense/*.safetensors", "artifact.metadata", "model.safetensors", "*.json"} <= set(asked)
