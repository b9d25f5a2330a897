"""Denoised supervision in a config: models of rounds, parts of training sets, and what is refused."""

import copy

import pytest

from bench.config import datasets, rounds, yaml
from bench.config.benchmark import Benchmark
from bench.config.models import Distilled, Pooled, Projected, Trained
from bench.config.plan import resolve
from bench.config.training import BiEncoder, Judgements
from bench.errors import SettingsError
from bench.files.provenance import ROOT

CI = yaml.read(ROOT / "config" / "ci.yaml").values
MODELS = Benchmark.parse(CI, "ci.yaml").models
KNOWN = datasets.read(ROOT / "config" / "datasets.yaml")


def resolved(values):
    return resolve(Benchmark.parse(values, "x.yaml"), "x.yaml", KNOWN)


def distilled(start, **changes):
    model = MODELS["denoised"]
    return model.model_copy(update={"start": start, "distill": model.distill.model_copy(update=changes)})


def plan(**changes):
    """The CI config with values of its distillation set by their path, its parts joined by two underscores."""
    values = copy.deepcopy(CI)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = values["models"]["denoised"]["distill"]
        for name in parents:
            place = place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return resolved(values)


def test_every_round_is_a_model_that_starts_from_the_one_before():
    models = {"a": MODELS["minilm"], "b": distilled("a", rounds=3, nway=4)}
    found = rounds.expanded(models)
    assert list(found) == ["a", "b.round1", "b.round2", "b"]
    assert [found[name].start for name in list(found)[1:]] == ["a", "b.round1", "b.round2"]
    assert found["b.round1"].distill.nway == 4


def test_one_round_is_the_model_itself():
    models = {"b": distilled("a", nway=4)}
    assert rounds.expanded(models) == models


def test_a_round_before_the_last_can_be_searched_and_compared():
    values = copy.deepcopy(CI)
    values["models"]["denoised"]["distill"]["rounds"] = 2
    values["baseline"], values["rates"] = "contrastive", None
    values["grid"][0]["models"] = ["contrastive", "denoised.round1", "denoised"]
    found = resolved(values)
    assert {run.model for run in found.runs if run.codec == "fp16"} == {
        "contrastive",
        "denoised.round1",
        "denoised",
        "pooled",
    }


def test_a_part_is_a_collection_of_its_own_with_a_name_that_says_its_counts():
    found = plan()
    part = found.training["denoised"]
    assert (part.whole, part.queries, part.passages, part.held_out) == (False, 24, 100, 8)
    assert part.entry.corpus_name == "pydocs-train.24-of-100-and-8"
    assert part.source.corpus_name == "pydocs-train"
    assert found.corpora[part.entry.corpus_name].passages == 100


def test_without_counts_the_whole_training_set_is_taken():
    found = plan(queries=None, passages=None, validation=None)
    assert found.training["denoised"].whole
    assert found.training["denoised"].entry.corpus_name == "pydocs-train"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": None}, "distill: names queries None and passages 100; give both or neither"),
        ({"queries": 17860}, "distill asks for 17868 queries, pydocs/train has 17866"),
        ({"passages": 20000}, "distill asks for 20000 passages, pydocs/train has 17866"),
        ({"queries": None, "passages": None}, "validation holds queries out of a part; give queries and passages too"),
        ({"mine__preset": "exakt"}, "mine.preset 'exakt' is not one of"),
        ({"mine__preset": "flat"}, "mine.preset 'flat' is for models with one vector per passage"),
        (
            {"mine__preset": "plaid", "mine__codec": "fp16"},
            "mine.preset 'plaid' needs an inverted list, codec 'fp16' has none",
        ),
        ({"mine__preset": "colbertv2", "mine__depth": 500}, "mine.preset 'colbertv2' scores 100 passages, depth is 500"),
        ({"nway": 11}, "nway 11 is more than the mined depth 10"),
        ({"group_size": 3}, "batch 8 is no multiple of group_size 3"),
        ({"group_size": 8}, "micro_batch 4 is no multiple of group_size 8"),
        ({"teacher": "nobody"}, r"teacher 'nobody' is not one of \['fused'\]"),
    ],
)
def test_what_cannot_be_distilled_is_refused_with_its_value(changes, message):
    with pytest.raises(SettingsError, match=message):
        plan(**changes)


def test_a_bi_encoder_must_give_one_vector_per_text():
    values = copy.deepcopy(CI)
    values["teachers"]["fused"]["bi_encoder"] = "minilm"
    with pytest.raises(
        SettingsError, match=r"teachers.fused.bi_encoder 'minilm' in x.yaml is not .* these are: \['pooled'\]"
    ):
        resolved(values)


def test_models_and_teachers_that_no_searched_model_is_made_from_are_left_out():
    pooled, trained = MODELS["pooled"], MODELS["contrastive"].model_copy(update={"start": "base"})
    models = {
        "base": MODELS["minilm"],
        "pooled": pooled,
        "other": pooled,
        "student": distilled("base", teacher="both"),
        "alone": trained,
        "judged": distilled("student", teacher="judgements"),
    }
    assert [type(model) for model in models.values()] == [Projected, Pooled, Pooled, Distilled, Trained, Distilled]
    teachers = {
        "both": BiEncoder(bi_encoder="pooled", max_length=64),
        "judgements": Judgements(judgements=True),
        "unused": BiEncoder(bi_encoder="other", max_length=64),
    }

    def names(*searched):
        return tuple(list(some) for some in rounds.needed(models, teachers, searched))

    assert names("alone") == (["base", "alone"], [])
    assert names("student") == (["base", "pooled", "student"], ["both"])
    assert names("alone", "judged") == (["base", "pooled", "student", "alone", "judged"], ["both", "judgements"])
