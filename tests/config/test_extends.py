"""Configs that extend others."""

import pytest

from bench.config import extends
from bench.errors import SettingsError
from bench.files.provenance import ROOT


def read(path):
    return extends.read(path).values


def test_a_config_that_extends_another_replaces_whole_top_level_keys(tmp_path):
    (tmp_path / "base.yaml").write_text("name: base\nqueries: {a: {}, b: {}}\nseed: 3\n")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\nname: mine\nqueries: {c: {}}\n")
    assert read(tmp_path / "mine.yaml") == {"name": "mine", "queries": {"c": {}}, "seed": 3}


def test_a_config_that_extends_itself_is_refused(tmp_path):
    (tmp_path / "one.yaml").write_text("extends: two.yaml\n")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\n")
    with pytest.raises(SettingsError, match=r"extends itself: .*one\.yaml -> .*two\.yaml -> .*one\.yaml"):
        read(tmp_path / "one.yaml")


def test_a_config_that_extends_a_missing_file_names_it(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: gone.yaml\n")
    with pytest.raises(SettingsError, match=r"gone\.yaml does not exist"):
        read(tmp_path / "mine.yaml")


UNITED = {
    "one.yaml": "name: one\nseed: 3\nqueries: {a: {}, b: {}}\nmodels: {m: {x: 1}}\ngrid: [{models: [m]}]\n",
    "two.yaml": "name: two\nseed: 3\nqueries: {c: {}}\nmodels: {m: {x: 1}, n: {}}\ngrid: [{models: [n]}]\nlatency: null\n",
}


def written(folder, mine, **others):
    for name, text in {**UNITED, **{f"{key}.yaml": text for key, text in others.items()}, "mine.yaml": mine}.items():
        (folder / name).write_text(text)
    return folder / "mine.yaml"


def test_a_config_that_extends_several_unites_them_and_each_grid_keeps_to_its_own_query_sets(tmp_path):
    assert read(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n")) == {
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
        read(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n", two=other))
    assert read(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\nseed: 5\n", two=other))["seed"] == 5


def test_one_name_for_two_models_is_refused(tmp_path):
    other = UNITED["two.yaml"].replace("x: 1", "x: 2")
    with pytest.raises(SettingsError, match=r"differ in models\.m \(\{'x': 1\}, \{'x': 2\}\); give models in"):
        read(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n", two=other))


def test_an_item_of_a_grid_that_names_query_sets_keeps_them(tmp_path):
    other = UNITED["one.yaml"].replace("{models: [m]}", "{query_sets: [b], models: [m]}")
    found = read(written(tmp_path, "extends: [one.yaml, two.yaml]\nname: mine\n", one=other))
    assert [item["query_sets"] for item in found["grid"]] == [["b"], ["c"]]


@pytest.mark.parametrize("extends", ["[]", "3", "[one.yaml, 3]", "{one: yaml}"])
def test_extending_anything_but_names_is_refused(tmp_path, extends):
    with pytest.raises(SettingsError, match=r"mine\.yaml: extends is .*, expected the names of config files beside it"):
        read(written(tmp_path, f"extends: {extends}\nname: mine\n"))


@pytest.mark.parametrize("name", ["beir-small", "lotte-small", "beir", "lotte", "msmarco", "wikipedia"])
def test_paper_and_its_parts_share_their_builds(name):
    """Where encoding, clustering or the model differed, one of them would delete what the other has made."""
    part, whole = (read(ROOT / "config" / f"{file}.yaml") for file in (name, "paper"))
    shared = ("seed", "models", "kmeans") + (() if "small" in name else ("encode", "device", "depth"))
    assert {key: part[key] for key in shared} == {key: whole[key] for key in shared}


def test_a_value_of_an_extended_config_has_the_line_of_the_file_that_it_is_from(tmp_path):
    (tmp_path / "base.yaml").write_text("name: base\nqueries: {a: {}}\nseed: 3\n")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\nqueries:\n  c: {}\n")
    found = extends.read(tmp_path / "mine.yaml")
    assert found.line(("seed",)) == f"{tmp_path}/base.yaml:3"
    assert found.line(("queries", "c")) == f"{tmp_path}/mine.yaml:3"
    assert found.line(("queries", "a")) == f"{tmp_path}/mine.yaml:2"
