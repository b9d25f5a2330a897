import re

import pytest

from bench.config import presets
from bench.errors import SettingsError
from bench.search.colbertv2 import ColBERTv2
from bench.search.engines import open_engine
from bench.search.exact import Exact
from bench.search.plaid import FINAL_SHARE, Plaid

COLBERTV2 = {"engine": "colbertv2", "nprobe": 2, "ncandidates": 8192}
GROUPED = {"engine": "grouped", "groups": 64, "ngroups": 8, "nlists": 128, "nscored": 256, "margin": 0.15}
PLAID = {"engine": "plaid", "ncells": 1, "centroid_score_threshold": 0.5, "ndocs": 256}


@pytest.mark.parametrize("values", [{"engine": "exact"}, {"engine": "flat"}, COLBERTV2, PLAID, GROUPED])
def test_a_preset_gives_back_the_values_it_was_parsed_from(values):
    assert presets.parse(values, "a.yaml").model_dump() == values


@pytest.mark.parametrize("engine", ["warp", "Exact", "", None])
def test_an_unknown_engine_is_refused_with_the_known_ones(engine):
    known = r"\['colbertv2', 'exact', 'flat', 'grouped', 'plaid'\]"
    with pytest.raises(SettingsError, match=rf"engine .* of a\.yaml is not one of {known}"):
        presets.parse({"engine": engine}, "a.yaml")


def test_a_preset_without_an_engine_is_refused():
    with pytest.raises(SettingsError, match=r"engine None of a\.yaml"):
        presets.parse({"nprobe": 2}, "a.yaml")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"engine": "colbertv2", "nprobe": 2}, r"a\.yaml: ncandidates: is missing"),
        ({**COLBERTV2, "ndocs": 3}, r"a\.yaml: ndocs: is not a known key; known: \['engine', 'ncandidates', 'nprobe'\]"),
        ({"engine": "colbertv2", "ncells": 2, "ncandidates": 8192}, r"a\.yaml: ncells: is not a known key"),
        ({**COLBERTV2, "nprob": 3}, r"a\.yaml: nprob: is not a known key \(did you mean 'nprobe'\?\)"),
        ({"engine": "colbertv2"}, r"a\.yaml: nprobe: is missing"),
    ],
)
def test_missing_and_unknown_keys_are_refused_with_the_right_ones(values, message):
    with pytest.raises(SettingsError, match=message):
        presets.parse(values, "a.yaml")


def test_exact_takes_no_keys():
    with pytest.raises(SettingsError, match=r"a\.yaml: nprobe: is not a known key; known: \['engine'\]"):
        presets.parse({"engine": "exact", "nprobe": 1}, "a.yaml")


@pytest.mark.parametrize("value", [True, 0, -1, "2", 2.0, None, [2]])
@pytest.mark.parametrize("key", ["nprobe", "ncandidates"])
def test_a_count_that_is_no_whole_number_of_at_least_one_is_refused(key, value):
    with pytest.raises(SettingsError) as refusal:
        presets.parse({**COLBERTV2, key: value}, "a.yaml")
    assert re.fullmatch(
        rf"a\.yaml: {key}: {re.escape(repr(value))}: input should be .*(integer|equal to 1)", str(refusal.value)
    )


@pytest.mark.parametrize("value", [True, "0.5", None])
def test_a_threshold_that_is_no_number_is_refused(value):
    with pytest.raises(SettingsError) as refusal:
        presets.parse({**PLAID, "centroid_score_threshold": value}, "a.yaml")
    assert str(refusal.value) == f"a.yaml: centroid_score_threshold: {value!r}: input should be a valid number"


@pytest.mark.parametrize("value", [0, -1, 0.45])
def test_a_threshold_may_be_any_number(value):
    assert presets.parse({**PLAID, "centroid_score_threshold": value}, "a.yaml").centroid_score_threshold == value


def test_a_preset_that_cannot_fill_the_depth_is_refused_with_the_value_to_raise():
    with pytest.raises(
        SettingsError, match=r"a\.yaml: .* at most 64 passages, but .* depth 65 .* raise ndocs or lower depth"
    ):
        presets.parse(PLAID, "a.yaml").check_depth(65, "a.yaml")
    with pytest.raises(SettingsError, match=r"at most 8192 passages, but .* depth 8193 .* raise ncandidates or lower depth"):
        presets.parse(COLBERTV2, "a.yaml").check_depth(8193, "a.yaml")


def test_a_preset_that_just_fills_the_depth_and_one_that_scores_everything_pass():
    for values, depth in ((PLAID, 64), (COLBERTV2, 8192), ({"engine": "exact"}, 10**9), ({"engine": "flat"}, 10**9)):
        assert presets.parse(values, "a.yaml").check_depth(depth, "a.yaml") is None


@pytest.mark.parametrize("values", [COLBERTV2, PLAID])
def test_engines_with_lists_refuse_an_uncompressed_index(indexes, values):
    preset = presets.parse(values, "a.yaml")
    assert preset.needs_lists
    with pytest.raises(SettingsError, match=f"engine {values['engine']} needs an inverted list.*use exact"):
        open_engine(preset, indexes[None])


def test_a_preset_opens_its_engine_with_its_values(indexes):
    colbertv2 = open_engine(presets.parse(COLBERTV2, "a.yaml"), indexes[4])
    plaid = open_engine(presets.parse(PLAID, "a.yaml"), indexes[4])
    assert isinstance(colbertv2, ColBERTv2)
    assert (colbertv2.nprobe, colbertv2.ncandidates) == (2, 8192)
    assert isinstance(plaid, Plaid)
    assert (plaid.ncells, plaid.stages) == (1, ((0.5, 256), (None, 64)))
    assert isinstance(open_engine(presets.parse({"engine": "exact"}, "a.yaml"), indexes[None]), Exact)


def test_a_plaid_preset_counts_the_passages_that_its_last_stage_scores():
    preset = presets.parse({"engine": "plaid", "ncells": 1, "centroid_score_threshold": 0.5, "ndocs": 256}, "x")
    assert preset.scored == 256 // FINAL_SHARE == 64


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_threshold_that_is_no_finite_number_is_refused(value):
    values = {"engine": "plaid", "ncells": 1, "centroid_score_threshold": value, "ndocs": 256}
    with pytest.raises(SettingsError, match=r"x: centroid_score_threshold: (nan|inf): input should be a finite number"):
        presets.parse(values, "x")
