"""Teachers: their scores against the library's own, one pair at a time, and the models that they refuse."""

import json
import shutil

import numpy as np
import pytest
import safetensors.torch
import torch

from bench.encoder import base, checkpoint
from bench.encoder.encode import encode_passages
from bench.encoder.model import mean_pooling
from bench.errors import DamagedFileError, SettingsError
from bench.training import pair_scores, teachers
from bench.training.teachers import BiEncoderTeacher, CrossEncoderTeacher, open_teacher

QUERIES = ["cat", "light of the moon", "what can a horse eat ?", "how old", "book"]
PASSAGES = [
    "the cat had an apple",
    "moon light over the mountain and a long way down " * 4,
    "",
    "a horse eats paper in the house",
    "father made a book, a big one",
    "cold air",
]
PAIRS = [(query, passage) for query in QUERIES for passage in PASSAGES]
ASKED, FOUND = map(list, zip(*PAIRS, strict=True))


def cross(folder, **changes):
    return CrossEncoderTeacher(folder, **{"maxlen": 24, "precision": "float32", **changes})


@pytest.fixture(scope="module")
def expected(tiny_cross_encoder):
    """Logits by sentence-transformers, a pair at a time."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(tiny_cross_encoder), max_length=24, activation_fn=torch.nn.Identity(), device="cpu")
    return np.array([model.predict([pair], show_progress_bar=False)[0] for pair in PAIRS])


@pytest.mark.parametrize("tokens", [1, 60, 100_000])
def test_scores_are_the_raw_logits_of_the_library_whatever_the_batches(tiny_cross_encoder, expected, tokens):
    found = cross(tiny_cross_encoder, tokens_per_batch=tokens).score(ASKED, FOUND)
    assert (found.dtype, found.shape) == (np.float32, (30,))
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("block", [1, 7, 30])
def test_a_score_stays_with_its_pair_in_any_order_and_any_block(tiny_cross_encoder, expected, monkeypatch, block):
    monkeypatch.setattr(pair_scores, "PAIRS_PER_BLOCK", block)
    order = np.random.default_rng(block).permutation(len(PAIRS))
    teacher = cross(tiny_cross_encoder, tokens_per_batch=64)
    seen = []
    found = teacher.score([ASKED[n] for n in order], [FOUND[n] for n in order], seen.append)
    np.testing.assert_allclose(found, expected[order], atol=1e-5)
    assert sum(seen) == len(PAIRS)


def test_the_same_pairs_get_the_same_scores_again(tiny_cross_encoder):
    first, second = (cross(tiny_cross_encoder).score(ASKED, FOUND) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_text_beyond_the_length_changes_nothing(tiny_cross_encoder):
    teacher = cross(tiny_cross_encoder, maxlen=12)
    long, longer = ("moon light " * count for count in (10, 20))
    assert teacher.score(["cat"], [long]) == teacher.score(["cat"], [longer])
    assert cross(tiny_cross_encoder, maxlen=30).score(["cat"], [long]) != teacher.score(["cat"], [long])


def test_bfloat16_gives_about_the_same_scores(tiny_cross_encoder, expected):
    found = cross(tiny_cross_encoder, precision="bfloat16").score(ASKED, FOUND)
    np.testing.assert_allclose(found, expected, atol=0.1)
    assert np.abs(found - expected).max() > 0


def test_no_pairs_have_no_scores(tiny_cross_encoder, tmp_path):
    assert cross(tiny_cross_encoder).score([], []).shape == (0,)


@pytest.fixture(scope="module")
def pooled(tiny_bert, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pooled")
    checkpoint.save(mean_pooling(*base.load(tiny_bert)), folder)
    return folder


def test_a_bi_encoder_gives_cosines_and_encodes_each_passage_once(pooled, monkeypatch):
    teacher = open_teacher("bi-encoder", pooled, maxlen=24, precision="float32", device="cpu")
    texts = []

    def watched(encoder, given, **options):
        texts.append(list(given))
        return encode_passages(encoder, given, **options)

    monkeypatch.setattr(teachers, "encode_passages", watched)
    seen = []
    found = teacher.score(ASKED, FOUND, seen.append)
    assert texts == [QUERIES, PASSAGES]
    assert (teacher.kind, sum(seen)) == ("bi-encoder", 30)
    encoder, _ = checkpoint.load(pooled)
    vectors = {text: encode_passages(encoder, [text], maxlen=24)[0][0].astype(float) for text in QUERIES + PASSAGES}
    np.testing.assert_allclose(found, [vectors[query] @ vectors[passage] for query, passage in PAIRS], atol=2e-3)
    assert found.max() <= 1.002


def test_a_bi_encoder_without_pairs_has_no_scores(pooled):
    assert BiEncoderTeacher(pooled, maxlen=24, precision="float32").score([], []).shape == (0,)


@pytest.fixture(scope="module")
def late(tiny_encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("late")
    checkpoint.save(tiny_encoder(), folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "model", "message"),
    [
        (
            "cross-encoder",
            "late",
            "late.* is a late-interaction model, no cross-encoder; give .*train-teacher`",
        ),
        ("cross-encoder", "pooled", "pooled.* is a mean model, no cross-encoder.*, or ask for a bi-encoder"),
        ("bi-encoder", "late", "late.* is a late-interaction model, no bi-encoder; give a folder of `bench pool`"),
        ("cross-encoder", "tiny_bert", "tiny-bert.* holds a BertModel, no cross-encoder"),
        ("oracle", "late", "teacher 'oracle' is not one of"),
    ],
)
def test_a_model_of_another_kind_is_refused_by_name(request, kind, model, message):
    with pytest.raises(SettingsError, match=message):
        open_teacher(kind, request.getfixturevalue(model), maxlen=24, precision="float32", device="cpu")


def test_a_model_of_several_labels_is_refused(make_cross_encoder):
    with pytest.raises(SettingsError, match="has 3 labels; a teacher has one"):
        cross(make_cross_encoder(labels=3))


def test_a_cross_encoder_whose_head_is_missing_is_refused(tiny_cross_encoder, tmp_path):
    shutil.copytree(tiny_cross_encoder, tmp_path / "headless")
    path = tmp_path / "headless" / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    safetensors.torch.save_file({n: t for n, t in tensors.items() if n[:10] != "classifier"}, path, {"format": "pt"})
    with pytest.raises(DamagedFileError, match=r"model\.safetensors lacks classifier\.bias"):
        cross(tmp_path / "headless")


def test_a_cross_encoder_with_a_prompt_of_its_own_is_refused(tiny_cross_encoder, tmp_path):
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(tiny_cross_encoder), prompts={"q": "find good food for the animal "}, default_prompt_name="q")
    model.save_pretrained(str(tmp_path / "prompted"))
    with pytest.raises(SettingsError, match="asks for a prompt or a template of its own"):
        cross(tmp_path / "prompted")


@pytest.mark.parametrize("maxlen", [4, 129])
def test_a_length_that_the_network_cannot_take_is_refused(tiny_cross_encoder, pooled, maxlen):
    for kind, folder in (("cross-encoder", tiny_cross_encoder), ("bi-encoder", pooled)):
        with pytest.raises(SettingsError, match=f"length of {maxlen} tokens for .* does not lie between 5 and its 128"):
            open_teacher(kind, folder, maxlen=maxlen, precision="float32", device="cpu")


def test_the_identity_of_a_teacher_follows_its_weights_and_settings(tiny_cross_encoder, tmp_path):
    shutil.copytree(tiny_cross_encoder, tmp_path / "copy")
    assert cross(tmp_path / "copy").digest == cross(tiny_cross_encoder).digest
    path = tmp_path / "copy" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "layer_norm_eps": 1e-5}))
    assert cross(tmp_path / "copy").digest != cross(tiny_cross_encoder).digest
