"""Several seeds in a config: what is planned once for each, under which names, with which seeds, and what is refused."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.config import datasets, seeds, yaml
from bench.config.benchmark import Benchmark
from bench.config.estimate import costs, read_lengths
from bench.config.plan import resolve
from bench.config.settings import derived_seed
from bench.errors import SettingsError
from bench.files.provenance import ROOT
from workflow.jobs import Jobs, run_folder
from workflow.report_jobs import ReportJobs
from workflow.training_jobs import TrainingJobs

CI = yaml.read(ROOT / "config" / "ci.yaml").values
KNOWN = datasets.read(ROOT / "config" / "datasets.yaml")
PART = "pydocs-train.24-of-100-and-8"
LOADED = {"checkpoint": {"name": "colbert-ir/colbertv2.0", "revision": "c" * 40, "dim": 128}}
TRAINED_TEACHER = {
    "cross_encoder": {"name": "a/b", "revision": "d" * 40},
    "max_length": 64,
    "train": {"dataset": "pydocs/train", "steps": 2, "batch": 4, "learning_rate": 1e-5, "warmup": 1, "loss": "binary"}
    | {"negatives": 1, "mining_depth": 10},
}


def plan(**changes):
    values = {name: value for name, value in {**copy.deepcopy(CI), **changes}.items() if value is not ...}
    return resolve(Benchmark.parse(values, "x.yaml"), "x.yaml", KNOWN)


def several(**changes):
    return plan(seed=..., seeds=[1, 2], **changes)


def on_loaded(**changes):
    """Distillation that starts from a model that is only loaded."""
    models = copy.deepcopy(CI["models"]) | {"loaded": LOADED}
    models["denoised"]["start"] = "loaded"
    grid = [{"models": ["loaded", "denoised"], "codecs": ["fp16", "residual-2", "opq-8x4"], "presets": ["exact"]}]
    free = {"baseline": None, "latency": None, "rates": None}
    return several(models=models, grid=grid, **free, **changes)


def folders(plan):
    return [run_folder(run) for run in plan.runs]


def test_one_seed_plans_what_it_always_did_also_as_a_list_of_one():
    one = plan()
    assert one == plan(seed=..., seeds=[20211202])
    assert not any(".seed-" in name for name in (*one.models, *one.teachers, *one.corpora, *folders(one)))
    assert one.seed_for("fit", "a", "b") == derived_seed(20211202, "fit", "a", "b")


def test_trained_and_projected_models_are_made_once_per_seed_and_what_has_none_once():
    found = several()
    assert list(found.models) == [
        *(f"{name}.seed-{seed}" for name in ("minilm", "contrastive", "denoised") for seed in (1, 2)),
        "pooled",
    ]
    assert list(found.teachers) == ["fused"]
    assert list(found.corpora) == ["pydocs-tiny", "pydocs-train", f"{PART}.seed-1", f"{PART}.seed-2"]
    assert [folder for folder in folders(found) if "/residual-2/exact/" in folder] == [
        f"build/pydocs-tiny/{name}.seed-{seed}/residual-2/exact/pydocs-tiny"
        for name in ("minilm", "denoised")
        for seed in (1, 2)
    ]
    assert [folder for folder in folders(found) if "pooled" in folder] == ["build/pydocs-tiny/pooled/fp16/flat/pydocs-tiny"]
    assert found.distilled("denoised.seed-2").start == "contrastive.seed-2"
    assert len(found.latency.runs) == 2 * len(plan().latency.runs)


def test_a_loaded_model_is_encoded_once_and_its_codecs_are_fitted_once_per_seed():
    found = on_loaded()
    own = [folder.removeprefix("build/pydocs-tiny/") for folder in folders(found) if "/loaded/" in folder]
    assert own == [
        "loaded/fp16/exact/pydocs-tiny",
        *(f"loaded/{codec}.seed-{seed}/exact/pydocs-tiny" for codec in ("residual-2", "opq-8x4") for seed in (1, 2)),
    ]
    distilled = found.distilled("denoised.seed-2")
    assert (distilled.start, distilled.distill.mine.codec) == ("loaded", "residual-2.seed-2")
    assert [run.row for run in found.runs if run.codec == "opq-8x4.seed-2"] == [("loaded", "opq-8x4", 2)]


def test_every_round_and_every_trained_teacher_has_the_seed():
    models = copy.deepcopy(CI["models"])
    models["denoised"]["distill"] |= {"rounds": 2, "teacher": "taught"}
    found = several(models=models, teachers={"taught": TRAINED_TEACHER})
    assert list(found.teachers) == ["taught.seed-1", "taught.seed-2"]
    assert found.distilled("denoised.seed-1").start == "denoised.round1.seed-1"
    assert found.distilled("denoised.round1.seed-1").start == "contrastive.seed-1"
    assert found.distilled("denoised.round1.seed-2").distill.teacher == "taught.seed-2"


NAMES = {
    "project": {"model": "minilm"},
    "triples": {"model": "contrastive"},
    "train": {"model": "contrastive"},
    "training_part": {"corpus": PART},
    "tuples": {"model": "denoised"},
    "distill": {"model": "denoised"},
    "teacher_triples": {"teacher": "taught"},
    "train_teacher": {"teacher": "taught"},
}


@pytest.mark.parametrize("job", NAMES)
def test_a_training_under_a_seed_has_the_flags_of_a_config_with_that_seed_alone(job):
    models = copy.deepcopy(CI["models"])
    models["denoised"]["distill"]["teacher"] = "taught"
    more = {"models": models, "teachers": {"taught": TRAINED_TEACHER}}
    alone, both = TrainingJobs(plan(seed=2, **more)), TrainingJobs(several(**more))
    expected = getattr(alone, job)(SimpleNamespace(**NAMES[job]))
    found = {
        seed: getattr(both, job)(SimpleNamespace(**{axis: seeds.named(name, seed) for axis, name in NAMES[job].items()}))
        for seed in (1, 2)
    }
    assert found[2].replace(".seed-2", "") == expected
    assert found[1].replace(".seed-1", "") != expected


def wildcards(**names):
    return SimpleNamespace(**names) if "codec" not in names else Wildcards(**names)


class Wildcards(dict):
    """Wildcards as rules have them: attributes, and items."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize(
    ("codec", "suffix", "asked"),
    [("opq-8", "", "--times 1"), ("opq-8t", "-t", "--by-token"), ("opq-8x4t", "-x4t", "--times 4")],
)
def test_codecs_name_the_centroids_that_they_share_with_others(codec, suffix, asked):
    jobs = Jobs(on_loaded())
    times = jobs.with_centroids("{times}")(wildcards(corpus="pydocs-tiny", model="loaded", codec=codec))
    assert times == suffix
    given = jobs.centroids(SimpleNamespace(corpus="pydocs-tiny", model="loaded", times=times))
    assert asked in given
    assert ("--by-token" in given) == codec.endswith("t")


@pytest.mark.parametrize(("model", "seeded"), [("minilm", "minilm.seed-2"), ("loaded", "loaded")])
def test_centroids_and_codecs_under_a_seed_have_the_flags_of_a_config_with_that_seed_alone(model, seeded):
    alone, both = Jobs(replace(on_loaded(), seeds=(2,))), Jobs(on_loaded())
    places = {"corpus": "pydocs-tiny", "model": model}
    own = seeded == model
    codec = wildcards(**places, codec="opq-8x4")
    codec_under = Wildcards(codec, model=seeded, codec=seeds.named("opq-8x4", 2) if own else "opq-8x4")
    assert both.fit(codec_under) == alone.fit(codec)
    times = both.with_centroids("{times}")(codec_under)
    assert times == ("-x4.seed-2" if own else "-x4")
    assert alone.with_centroids("{times}")(codec) == "-x4"
    found = both.centroids(SimpleNamespace(corpus="pydocs-tiny", model=seeded, times=times))
    assert found == alone.centroids(SimpleNamespace(corpus="pydocs-tiny", model=model, times="-x4"))
    assert "--times 4" in found


def test_a_record_has_the_names_of_the_table_and_the_seed():
    jobs = Jobs(on_loaded())
    place = {"queries": "pydocs-tiny", "corpus": "pydocs-tiny"}
    for system, names in {
        "denoised.seed-2/fp16/exact": "--model denoised --codec fp16 --preset exact --seed 2",
        "loaded/residual-2.seed-1/exact": "--model loaded --codec residual-2 --preset exact --seed 1",
        "loaded/fp16/exact": "--model loaded --codec fp16 --preset exact",
        "bm25": "--model bm25 --codec text --preset bm25",
    }.items():
        flags = jobs.evaluate(SimpleNamespace(system=system, **place))
        assert f"{names} " in f"{flags} "
        assert flags.count("--seed") == names.count("--seed")
    assert "--seed 1" in jobs.size(SimpleNamespace(corpus="pydocs-tiny", model="loaded", codec="residual-2.seed-1"))
    truncations = [path.split("/")[2] for path in ReportJobs(on_loaded()).truncations()]
    assert truncations == ["loaded", "denoised.seed-1"]


def test_queries_of_an_evaluation_are_the_same_under_every_seed():
    w = SimpleNamespace(queries="pydocs-tiny", corpus="pydocs-tiny")
    assert Jobs(several()).queries(w) == Jobs(plan(seed=1)).queries(w)


def test_a_plan_costs_an_index_for_every_seed():
    found = (costs(replace(on_loaded(), runs=plan_of_loaded(count)), read_lengths()) for count in (1, 2))
    one, two = (next(cost for cost in each if cost.corpus == "pydocs/tiny") for each in found)
    assert two.indexes["residual-2"] == 2 * one.indexes["residual-2"]
    assert (two.codes, two.parts["residual-2"]) == (2 * one.codes, 2 * one.parts["residual-2"])
    assert (two.shards, two.indexes["fp16"]) == (one.shards, one.indexes["fp16"])


def plan_of_loaded(count):
    """Runs of the loaded model, over compressed codecs of so many seeds."""
    taken = (None, *range(1, count + 1))
    return [run for run in on_loaded().runs if run.model == "loaded" and run.row[2] in taken]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": ..., "seeds": [1, 2, 1]}, r"seeds: names 1 twice"),
        ({"seed": ..., "seeds": []}, r"seeds: \[\]: tuple should have at least 1 item"),
        ({"seed": ..., "seeds": 3}, r"seeds: 3: input should be a valid"),
        ({"seed": ..., "seeds": [1, True]}, r"seeds\.1: True: input should be a valid integer"),
        ({"seed": ..., "seeds": [1.0, 2]}, r"seeds\.0: 1\.0: input should be a valid integer"),
        ({"seed": ..., "seeds": [1, -2]}, r"seeds\.1: -2: input should be greater than or equal to 0"),
        ({"seeds": [1, 2]}, r"x\.yaml gives seed 20211202 and seeds \[1, 2\]: give one of them; seed: null takes back"),
        ({"seed": ...}, r"x\.yaml gives no seed: give seed, or seeds for several"),
    ],
)
def test_seeds_that_cannot_be_are_refused_in_one_line(given, message):
    with pytest.raises(SettingsError, match=message) as refused:
        plan(**given)
    assert "\n" not in str(refused.value)


def test_a_config_that_extends_one_with_a_seed_takes_it_back():
    assert plan(seed=None, seeds=[1, 2]) == several()


def test_a_name_and_its_seed_come_apart():
    assert seeds.split("denoised.round1.seed-12") == ("denoised.round1", 12)
    assert seeds.split("residual-2") == ("residual-2", None)
    assert seeds.split("-x4.seed-2") == ("-x4", 2)
