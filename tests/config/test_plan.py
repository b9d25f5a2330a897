"""A config resolved, and everything in one that is refused before a job starts."""

import copy
import re

import pytest

from bench.config import datasets, yaml
from bench.config.benchmark import Benchmark
from bench.config.data import training_sets
from bench.config.plan import Run, load, resolve
from bench.config.settings import derived_seed
from bench.errors import SettingsError
from bench.files.provenance import ROOT, has_native_bfloat16

QUICK = yaml.read(ROOT / "config" / "quick.yaml").values
KNOWN = datasets.read(ROOT / "config" / "datasets.yaml")
ON_TEST = {**KNOWN.sets["pydocs/tiny"], "dataset": "pydocs/tiny", "corpus": "pydocs/test"}
WITH_MORE = datasets.Protocol(
    sets={
        **KNOWN.sets,
        "pydocs/tiny-on-test": {**ON_TEST, "passages": 4607},
        "pydocs/other-count": {**ON_TEST, "passages": 200},
    },
    groups=KNOWN.groups,
)
CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "datasets.yaml")


def changed(**changes):
    """The quick config without baseline and margins; values are set by their path, its parts joined by two underscores."""
    values = {**copy.deepcopy(QUICK), "baseline": None, "margin": {}}
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = values
        for name in parents:
            place = place[int(name) if isinstance(place, list) else name]
        place[int(last) if isinstance(place, list) else last] = value
    return values


def plan(**changes):
    return resolve(Benchmark.parse(changed(**changes), "x.yaml"), "x.yaml", WITH_MORE)


@pytest.fixture
def quick():
    return load(ROOT / "config" / "quick.yaml", ROOT / "config" / "datasets.yaml")


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_in_the_repository_makes_a_plan(name):
    found = load(ROOT / "config" / name, ROOT / "config" / "datasets.yaml")
    assert found.name == name.removesuffix(".yaml")
    assert len(found.runs) > 0


def test_a_margin_is_of_the_first_measure_of_a_query_set():
    assert plan(margin={"RR@10": 0.01}).margin == {"RR@10": 0.01}
    expected = r"margin\.R@100 in x\.yaml: this is the first measure of no query set; those are \['RR@10'\]"
    with pytest.raises(SettingsError, match=expected):
        plan(margin={"R@100": 0.01})


def test_the_quick_config_runs_the_whole_grid(quick):
    assert len(quick.runs) == 3 + 5 + 2 * 2 + 2 + 1
    assert len(set(quick.runs)) == len(quick.runs)
    assert quick.runs[0] == Run(queries="pydocs-test", corpus="pydocs-test", model="minilm", codec="fp16", preset="exact")
    assert quick.runs[-1] == Run(queries="pydocs-test", corpus="pydocs-test", model="pooled", codec="fp16", preset="flat")
    assert quick.bm25 is True
    assert quick.depth == 100


def test_the_quick_config_needs_the_corpora_it_searches_and_trains_on(quick):
    passages = {"pydocs-test": 4607, "pydocs-train": 17866, "pydocs-train.1920-of-3000": 3000}
    assert {name: entry.passages for name, entry in quick.corpora.items()} == passages
    assert training_sets(quick.models, quick.teachers) == ["pydocs/train"]
    assert quick.entries["pydocs-test"].sample == 500


def test_shards_are_known_from_counts_alone(quick):
    assert quick.shards("pydocs-test") == ["00000", "00001"]
    assert quick.shards("pydocs-train") == [f"{number:05d}" for number in range(8)]
    assert plan(encode__passages_per_shard=4607).shards("pydocs-test") == ["00000"]
    assert plan(encode__passages_per_shard=4606).shards("pydocs-test") == ["00000", "00001"]


def test_a_model_that_nothing_searches_is_not_trained():
    found = plan(grid=[{"models": ["contrastive"], "codecs": ["fp16"], "presets": ["exact"]}], latency=None)
    assert list(found.models) == ["minilm", "contrastive"]
    assert (found.training, found.teachers) == ({}, {})
    assert set(found.corpora) == {"pydocs-test", "pydocs-train"}


def test_a_size_is_reported_for_every_searched_codec_and_for_no_other(quick):
    assert quick.codecs("pydocs-test", "contrastive") == ["fp16", "residual-1", "residual-2", "residual-4", "residual-8"]
    only = plan(latency=None, grid=[{"models": ["minilm"], "codecs": ["residual-2"], "presets": ["plaid"]}])
    assert only.codecs("pydocs-test", "minilm") == ["residual-2"]


def test_a_run_named_twice_in_the_grid_is_run_once():
    item = {"models": ["minilm"], "codecs": ["fp16"], "presets": ["exact"]}
    assert len(plan(latency=None, grid=[item, item]).runs) == 1


def test_seeds_of_a_plan_derive_from_the_seed_of_its_config(quick):
    assert quick.seed_for("centroids", "a") == derived_seed(20211202, "centroids", "a")


def test_automatic_precision_is_resolved_for_this_processor():
    assert plan(encode__precision="auto").precision == ("bfloat16" if has_native_bfloat16() else "float32")
    assert plan(encode__precision="bfloat16").precision == "bfloat16"


def test_inputs_of_a_model_are_those_given(quick):
    assert quick.models["minilm"].inputs.given() == {"query_marker": None, "doc_marker": None, "pad_queries": False}
    assert plan(models__minilm__inputs={}).models["minilm"].inputs.given() == {}


CYCLE = {
    "one": {"start": "two", "train": QUICK["models"]["contrastive"]["train"]},
    "two": {"start": "one", "train": QUICK["models"]["contrastive"]["train"]},
}
GROUPED = {"engine": "grouped", "groups": 64, "ngroups": 8, "nlists": 128, "nscored": 256, "margin": 0.15}
EXACT = {"models": ["minilm"], "codecs": ["fp16"], "presets": ["exact"]}

REFUSED = {
    "an unknown key at the top level": ({"colour": "red"}, ["x.yaml: colour: is not a known key", "'grid'", "'models'"]),
    "an unknown key inside train": (
        {"models__contrastive__train__momentum": 0.9},
        ["models.contrastive.train.momentum: is not a known key", "'learning_rate'", "'warmup'"],
    ),
    "an unknown key of a projection": (
        {"models__minilm__projection__rank": 3},
        ["models.minilm.projection.rank: is not a known key", "'dim'", "'passages'"],
    ),
    "an unknown key of inputs": (
        {"models__minilm__inputs__marker": "x"},
        ["models.minilm.inputs.marker: is not a known key", "'query_marker'"],
    ),
    "an unknown engine": (
        {"presets__exact": {"engine": "hnsw"}},
        ["presets.exact: engine must be one of colbertv2, exact, flat, grouped, plaid", "'hnsw'"],
    ),
    "an unknown key of an engine": (
        {"presets__exact": {"engine": "exact", "nprobe": 2}},
        ["presets.exact", "nprobe"],
    ),
    "a missing key of an engine": (
        {"presets__colbertv2": {"engine": "colbertv2", "nprobe": 2}},
        ["presets.colbertv2.ncandidates: is missing"],
    ),
    "a value of an engine that is no number": (
        {"presets__colbertv2__nprobe": "2"},
        ["presets.colbertv2.nprobe: '2'", "valid integer"],
    ),
    "an unknown measure": (
        {"queries__pydocs/test": {"override": {"measures": ["Foo@10"]}}},
        ["'Foo@10'", "queries.pydocs/test", "nDCG@10"],
    ),
    "a measure in another spelling": (
        {"queries__pydocs/test": {"override": {"measures": ["MRR@10"]}}},
        ["'MRR@10'", "queries.pydocs/test", "'RR@10'"],
    ),
    "a protocol key outside of override": (
        {"queries__pydocs/test": {"doc_maxlen": 96}},
        ["queries.pydocs/test", "['doc_maxlen']", "under `override`"],
    ),
    "nbits 3": ({"grid__0__codecs": ["residual-3"]}, ["nbits 3", "grid.0", "[1, 2, 4, 8]"]),
    "an unknown codec": ({"grid__0__codecs": ["rq-16"]}, ["codec 'rq-16'", "grid.0", "'fp16'", "'residual-2'"]),
    "a codec that is fitted on queries without any": (
        {"grid__0__codecs": ["aware-8"]},
        ["codec 'aware-8'", "codec_queries"],
    ),
    "an unknown data set": (
        {"queries": {"pydocs/nosuch": {}}},
        ["queries.pydocs/nosuch", "'pydocs/nosuch' is not an ir_datasets id", "pydocs/test"],
    ),
    "an unknown data set to train on": (
        {"models__contrastive__train__dataset": "pydocs/nosuch"},
        ["'pydocs/nosuch' is not an ir_datasets id", "x.yaml"],
    ),
    "an unknown model in the grid": (
        {"grid__1__models": ["minilm", "large"]},
        ["grid.1", "models ['large']", "['contrastive', 'denoised', 'minilm', 'pooled', 'ungrouped', 'untaught']"],
    ),
    "an unknown preset in the grid": (
        {"grid__1__presets": ["fast"]},
        ["grid.1", "presets ['fast']", "['colbertv2', 'exact', 'flat', 'plaid']"],
    ),
    "plaid that scores fewer passages than the depth": (
        {"presets__plaid__ndocs": 396},
        ["presets.plaid", "at most 99", "depth 100", "raise ndocs"],
    ),
    "grouped that scores fewer passages than the depth": (
        {"presets__colbertv2": {**GROUPED, "nscored": 99}},
        ["presets.colbertv2", "at most 99", "depth 100", "raise nscored"],
    ),
    "grouped on a GPU": (
        {"presets__colbertv2": GROUPED, "device": "cuda"},
        ["grid.", "preset 'colbertv2' runs on the CPU, device is 'cuda'", "plaid"],
    ),
    "grouped on a GPU, to mine with": (
        {"presets__mining": GROUPED, "device": "cuda", "models__denoised__distill__mine__preset": "mining"},
        ["models.denoised.distill", "preset 'mine.mining' runs on the CPU, device is 'cuda'"],
    ),
    "grouped that looks into more groups than there are": (
        {"presets__colbertv2": {**GROUPED, "ngroups": 65}},
        ["presets.colbertv2", "ngroups is 65, more than groups, 64"],
    ),
    "plaid that scores no passage more than the depth where the query itself goes": (
        {"presets__plaid__ndocs": 400, "queries__pydocs/test": {"override": {"self_match": "removed"}}},
        ["presets.plaid", "at most 100", "depth 101", "raise ndocs"],
    ),
    "colbertv2 with fewer candidates than the depth": (
        {"presets__colbertv2__ncandidates": 99},
        ["presets.colbertv2", "at most 99", "depth 100", "raise ncandidates"],
    ),
    "a measure deeper than the depth": (
        {"queries__pydocs/test": {"override": {"measures": ["RR@10", "R@1000"]}}},
        ["'R@1000'", "queries.pydocs/test", "depth 100"],
    ),
    "a measure without a cutoff": (
        {"queries__pydocs/test": {"override": {"measures": ["nDCG"]}}},
        ["'nDCG'", "queries.pydocs/test", "nDCG@100"],
    ),
    "models that start from each other": ({"models__one": CYCLE["one"], "models__two": CYCLE["two"]}, ["one -> two -> one"]),
    "a model that starts from itself": ({"models__contrastive__start": "contrastive"}, ["contrastive -> contrastive"]),
    "a start that is no model": (
        {"models__contrastive__start": "large"},
        ["models.contrastive.start 'large'", "'minilm'"],
    ),
    "a start from a single-vector model": (
        {"models__contrastive__start": "pooled"},
        ["models.contrastive.start 'pooled'", "'minilm'"],
    ),
    "uncompressed vectors with colbertv2": (
        {"grid__2__codecs": ["fp16"]},
        ["grid.2", "preset 'colbertv2' needs an inverted list", "codec 'fp16'", "use exact"],
    ),
    "a revision that is a number": (
        {"models__minilm__base__revision": 1110243},
        ["models.minilm.base.revision: 1110243", "valid string"],
    ),
    "a short revision": ({"models__minilm__base__revision": "1110a24"}, ["models.minilm.base.revision", "'1110a24'"]),
    "a single-vector model with a compressed codec": (
        {"grid__4__codecs": ["residual-2"]},
        ["grid.4", "model 'pooled' has one vector per passage", "codec fp16 and engine flat"],
    ),
    "a single-vector model with another engine": (
        {"grid__4__presets": ["exact"]},
        ["grid.4", "model 'pooled' has one vector per passage"],
    ),
    "a model with a vector per token and engine flat": (
        {"grid__0__codecs": ["fp16"], "grid__0__presets": ["flat"]},
        ["grid.0", "preset 'flat' is for models with pooling", "'minilm'"],
    ),
    "query sets of one collection at different lengths": (
        {"queries": {"pydocs/test": {}, "pydocs/tiny-on-test": {"override": {"doc_maxlen": 96}}}},
        ["pydocs/test", "pydocs/tiny-on-test", "(96, 128)"],
    ),
    "query sets of one collection with different counts": (
        {"queries": {"pydocs/test": {}, "pydocs/other-count": {}}},
        ["share the collection pydocs/test", "(200, 4607)"],
    ),
    "a timing on no thread": (
        {"latency__threads": [1, 0]},
        ["latency.threads.1: 0: input should be greater than or equal to 1"],
    ),
    "a timing on the same number of threads twice": ({"latency__threads": [1, 1]}, ["latency.threads: names 1 twice"]),
    "a timing without a number of queries": ({"latency": {"threads": [1]}}, ["latency.queries: is missing"]),
    "a timing of more queries than there are": (
        {"latency__queries": 501},
        ["queries 501", "latency in x.yaml", "the 500 of pydocs/test"],
    ),
    "a timing of one query": ({"latency__queries": 1}, ["latency.queries: 1: input should be greater than or equal to 2"]),
    "an unknown model to time": (
        {"latency__models": ["contrastive", "large"]},
        ["latency", "models ['large']", "['contrastive', 'denoised', 'minilm', 'pooled']"],
    ),
    "a codec to time that no run has": (
        {"latency__codecs": ["residual-16"]},
        ["latency", "codecs ['residual-16']", "'residual-1'"],
    ),
    "a preset to time that no run uses": ({"latency__presets": ["fast"]}, ["latency", "presets ['fast']", "'plaid'"]),
    "models, codecs and presets to time that never meet": (
        {"latency__models": ["pooled"], "latency__codecs": ["residual-2"]},
        ["latency", "no run of the grid has together"],
    ),
    "an unknown key of latency": ({"latency__warmup": 3}, ["latency.warmup: is not a known key", "'threads'"]),
    "a name that is no folder": ({"name": "../results"}, ["name", "'../results'"]),
    "an unknown query set in the grid": (
        {"grid__0__query_sets": ["pydocs/tiny"]},
        ["grid.0", "query_sets ['pydocs/tiny']", "['pydocs/test']"],
    ),
    "an unknown query set to time": ({"latency__query_sets": ["cranfield"]}, ["latency", "query_sets ['cranfield']"]),
    "more shards than a command line takes": (
        {"encode__passages_per_shard": 9},
        ["encode.passages_per_shard 9", "the 4607 passages of pydocs/test", "more than 500 shards; give at least 10"],
    ),
    "a checkpoint of a hub without a revision": (
        {"models__official": {"checkpoint": {"name": "somebody/colbert", "dim": 128}}},
        ["models.official.checkpoint: revision None", "'somebody/colbert' is not 40 hex digits", "pin the commit"],
    ),
    "base weights of a hub without a revision": (
        {"models__pooled": {"base": {"name": "somebody/encoder"}, "pooling": "mean"}},
        ["models.pooled.base: revision None", "'somebody/encoder' is not 40 hex digits"],
    ),
    "a teacher of a hub without a revision": (
        {"teachers": {"cross": {"cross_encoder": {"name": "somebody/cross"}, "max_length": 64}}},
        ["teachers.cross.cross_encoder: revision None", "'somebody/cross' is not 40 hex digits"],
    ),
    "a checkpoint without its dimensions": (
        {"models__official": {"checkpoint": {"name": "./folder"}}},
        ["models.official.checkpoint.dim: is missing"],
    ),
    "a model with the name of a folder beside it": (
        {"models__queries": QUICK["models"]["pooled"]},
        ["models.queries", "folder"],
    ),
    "a model with a dot, as what belongs to a model has": (
        {"models__denoised.tuples": QUICK["models"]["pooled"]},
        ["models.denoised.tuples"],
    ),
    "a preset with the name of a folder beside it": ({"presets__index": {"engine": "exact"}}, ["presets.index", "folder"]),
    "a model of no known kind": (
        {"models__odd": {"projetion": {"dim": 8}}},
        ["models.odd: has none of the keys projection"],
    ),
    "a model name with a slash": ({"models__a/b": QUICK["models"]["pooled"]}, ["models", "'a/b'"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_config_is_refused_for(case):
    changes, fragments = REFUSED[case]
    with pytest.raises(SettingsError) as caught:
        plan(**changes)
    message = str(caught.value)
    assert "x.yaml" in message
    assert [fragment for fragment in fragments if fragment not in message] == [], message


def test_every_run_is_timed_unless_the_config_names_models_codecs_or_presets(quick):
    everything = plan(latency={"threads": [1, 2], "queries": 50}).latency
    assert (everything.runs, everything.threads, everything.queries) == (quick.runs, (1, 2), 50)
    some = plan(latency={"threads": [1], "queries": 50, "models": ["contrastive"], "presets": ["exact", "plaid"]}).latency
    assert len(some.runs) == 5 + 2
    assert {(run.model, run.preset) for run in some.runs} == {("contrastive", "exact"), ("contrastive", "plaid")}


def test_without_latency_nothing_is_timed():
    assert plan(latency=None).latency is None


def test_the_quick_config_times_three_presets_of_one_model_at_two_bit_widths(quick):
    assert {(run.model, run.codec) for run in quick.latency.runs} == {
        ("contrastive", "residual-2"),
        ("contrastive", "residual-1"),
    }
    assert len(quick.latency.runs) == 2 * 3


def test_a_grid_and_a_timing_may_name_some_of_the_query_sets():
    some = {"query_sets": ["cranfield"]}
    sets = {"pydocs/test": {}, "cranfield": {}}
    found = plan(queries=sets, grid=[EXACT, {**EXACT, **some, "models": ["contrastive"]}], latency=None)
    assert [(run.queries, run.model) for run in found.runs] == [
        ("pydocs-test", "minilm"),
        ("cranfield", "minilm"),
        ("cranfield", "contrastive"),
    ]
    timed = plan(queries=sets, grid=[EXACT], latency={"threads": [1], "queries": 200, **some}).latency
    assert [run.queries for run in timed.runs] == ["cranfield"]


def test_shards_are_kept_unless_the_config_says_otherwise(quick):
    assert quick.keep_vectors
    assert not plan(encode__keep_vectors=False).keep_vectors


def test_query_sets_of_one_collection_that_agree_share_it():
    found = plan(queries={"pydocs/test": {}, "pydocs/tiny-on-test": {}}, grid=[EXACT], latency=None)
    assert [(run.queries, run.corpus) for run in found.runs] == [
        ("pydocs-test", "pydocs-test"),
        ("pydocs-tiny-on-test", "pydocs-test"),
    ]
    assert sorted(found.corpora) == ["pydocs-test", "pydocs-train"]


@pytest.mark.parametrize(("preset", "key", "value"), [("plaid", "ndocs", 400), ("colbertv2", "ncandidates", 100)])
def test_a_preset_may_score_exactly_the_depth(preset, key, value):
    found = plan(**{f"presets__{preset}__{key}": value})
    assert found.presets[preset].scored == 100


def test_a_preset_that_no_run_uses_may_be_shallow():
    assert len(plan(presets__plaid__ndocs=4, grid=[EXACT], latency=None).runs) == 1


def test_a_message_is_one_line():
    for changes, _ in REFUSED.values():
        with pytest.raises(SettingsError) as caught:
            plan(**changes)
        assert re.search(r"\n", str(caught.value)) is None
