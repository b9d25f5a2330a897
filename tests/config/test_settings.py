"""Settings: YAML, schema, derived seeds, and flags."""

import argparse
import shlex

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench.config.settings import derived_seed, flags, read_config, read_yaml, validate
from bench.errors import SettingsError
from bench.files.provenance import ROOT
from bench.verbs import models

CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "datasets.yaml")


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_in_the_repository_is_valid(name):
    validate(read_config(ROOT / "config" / name), name)


def test_a_missing_config_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"config file .*x\.yaml does not exist"):
        read_yaml(tmp_path / "x.yaml")


def test_a_config_that_is_no_yaml_is_refused(tmp_path):
    (tmp_path / "x.yaml").write_text("a: [1, 2\n")
    with pytest.raises(SettingsError, match=r"x\.yaml is not valid YAML"):
        read_yaml(tmp_path / "x.yaml")


@pytest.mark.parametrize(("content", "found"), [("", "NoneType"), ("- 1\n", "list"), ("words\n", "str")])
def test_a_config_that_is_no_mapping_is_refused(tmp_path, content, found):
    (tmp_path / "x.yaml").write_text(content)
    with pytest.raises(SettingsError, match=f"holds a {found}, expected a mapping"):
        read_yaml(tmp_path / "x.yaml")


def test_a_missing_key_is_named():
    values = read_yaml(ROOT / "config" / "quick.yaml")
    del values["depth"]
    with pytest.raises(SettingsError, match=r"x\.yaml: the top level: 'depth' is a required property"):
        validate(values, "x.yaml")


def test_a_value_outside_of_a_list_of_allowed_ones_is_refused_with_the_list():
    values = read_yaml(ROOT / "config" / "quick.yaml")
    values["encode"]["precision"] = "float16"
    with pytest.raises(SettingsError, match=r"encode\.precision is 'float16'; allowed: \['auto', 'float32', 'bfloat16'\]"):
        validate(values, "x.yaml")


def test_a_number_below_its_minimum_is_refused_with_what_it_means():
    values = read_yaml(ROOT / "config" / "quick.yaml")
    values["depth"] = 0
    with pytest.raises(SettingsError, match=r"depth: 0 is less than the minimum of 1 \(Passages in every ranking"):
        validate(values, "x.yaml")


def test_seeds_stay_what_they_are():
    assert derived_seed(20211202, "centroids", "pydocs-test", "minilm") == 1632310579
    assert derived_seed(0) == 804681139


def test_seeds_differ_by_root_purpose_and_order():
    found = [derived_seed(root, *purpose) for root in range(20) for purpose in [(), ("a",), ("b",), ("a", "b"), ("b", "a")]]
    assert len(set(found)) == 100


@hypothesis_settings(max_examples=50, deadline=None)
@given(root=st.integers(0), purpose=st.lists(st.text(), max_size=3))
def test_a_seed_has_31_bits_and_comes_back(root, purpose):
    assert 0 <= derived_seed(root, *purpose) < 2**31
    assert derived_seed(root, *purpose) == derived_seed(root, *purpose)


def test_flags_spell_out_every_kind_of_value():
    values = {
        "doc_maxlen": 180,
        "learning_rate": 2e-05,
        "pad_queries": False,
        "drop_punctuation": True,
        "sample": None,
        "measures": ("RR@10", "R@100"),
        "seed": 0,
        "name": "minilm",
    }
    assert flags(values) == (
        "--doc-maxlen 180 --learning-rate 2e-05 --no-pad-queries --drop-punctuation"
        " --measures RR@10 R@100 --seed 0 --name minilm"
    )


def test_no_values_make_no_flags():
    assert flags({}) == flags({"sample": None}) == ""


@pytest.mark.parametrize("value", ["my models/minilm", "it's", "a$b", "a;b"])
def test_a_value_that_a_shell_would_change_stays_one_word(value):
    found = flags({"name": value, "names": [value, "x"]})
    assert shlex.split(found) == ["--name", value, "--names", value, "x"]
    assert "'" in found


def test_input_settings_come_back_from_their_flags():
    given = {"query_marker": "none", "doc_marker": "[unused1]", "pad_queries": False, "drop_punctuation": True}
    parser = argparse.ArgumentParser()
    models.add_inputs(parser)
    assert models.inputs_given(parser.parse_args(shlex.split(flags(given)))) == {**given, "query_marker": None}


def test_a_config_that_extends_another_replaces_whole_top_level_keys(tmp_path):
    (tmp_path / "base.yaml").write_text("name: base\nqueries: {a: {}, b: {}}\nseed: 3\n")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\nname: mine\nqueries: {c: {}}\n")
    assert read_config(tmp_path / "mine.yaml") == {"name": "mine", "queries": {"c": {}}, "seed": 3}


def test_a_config_that_extends_itself_is_refused(tmp_path):
    (tmp_path / "one.yaml").write_text("extends: two.yaml\n")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\n")
    with pytest.raises(SettingsError, match=r"extends itself: .*one\.yaml -> .*two\.yaml -> .*one\.yaml"):
        read_config(tmp_path / "one.yaml")


def test_a_config_that_extends_a_missing_file_names_it(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: gone.yaml\n")
    with pytest.raises(SettingsError, match=r"gone\.yaml does not exist"):
        read_config(tmp_path / "mine.yaml")


UNITED = {
    "one.yaml": "name: one\nseed: 3\nqueries: {a: {}, b: {}}\nmodels: {m: {x: 1}}\ngrid: [{models: [m]}]\n",
    "two.yaml": "name: two\nseed: 3\nqueries: {c: {}}\nmodels: {m: {x: 1}, n: {}}\ngrid: [{models: [n]}]\nlatency: null\n",
}


def written(folder, mine, **others):
    for name, text in {**UNITED, **{f"{key}.yaml": text for key, text in others.items()}, "mine.yaml": mine}.items():
        (folder / name).write_text(text)
    return folder / "mine.yaml"


def test_a_config_that_extends_several_unites_them_and_each_grid_keeps_to_its_own_query_sets(tmp_path):
    assert read_config(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n")) == {
        "name": "mine",
        "seed": 3,
        "queries": {"a": {}, "b": {}, "c": {}},
        "models": {"m": {"x": 1}, "n": {}},
        "grid": [{"query_sets": ["a", "b"], "models": ["m"]}, {"query_sets": ["c"], "models": ["n"]}],
        "latency": None,
    }


def test_what_several_extended_configs_differ_in_must_stand_in_the_one_that_extends_them(tmp_path):
    message = r"extends \['one.yaml', 'two.yaml'\], which differ in seed \(3, 4\); give seed in .*mine\.yaml"
    other = UNITED["two.yaml"].replace("seed: 3", "seed: 4")
    with pytest.raises(SettingsError, match=message):
        read_config(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n", two=other))
    assert read_config(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\nseed: 5\n", two=other))["seed"] == 5


def test_one_name_for_two_models_is_refused(tmp_path):
    other = UNITED["two.yaml"].replace("x: 1", "x: 2")
    with pytest.raises(SettingsError, match=r"differ in models\.m \(\{'x': 1\}, \{'x': 2\}\); give models in"):
        read_config(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n", two=other))


def test_an_item_of_a_grid_that_names_query_sets_keeps_them(tmp_path):
    other = UNITED["one.yaml"].replace("{models: [m]}", "{query_sets: [b], models: [m]}")
    found = read_config(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n", one=other))
    assert [item["query_sets"] for item in found["grid"]] == [["b"], ["c"]]


@pytest.mark.parametrize("extends", ["[]", "3", "[one.yaml, 3]", "{one: yaml}"])
def test_extending_anything_but_names_is_refused(tmp_path, extends):
    with pytest.raises(SettingsError, match=r"mine\.yaml: extends is .*, expected the names of config files beside it"):
        read_config(written(tmp_path, f"extends: {extends}\nname: mine\n"))


@pytest.mark.parametrize("name", ["beir-small", "lotte-small", "beir", "lotte", "msmarco", "wikipedia"])
def test_paper_and_its_parts_share_their_builds(name):
    """Where encoding, clustering or the model differed, one of them would delete what the other has made."""
    part, whole = (read_config(ROOT / "config" / f"{file}.yaml") for file in (name, "paper"))
    shared = ("seed", "models", "kmeans") + (() if "small" in name else ("encode", "device", "depth"))
    assert {key: part[key] for key in shared} == {key: whole[key] for key in shared}
