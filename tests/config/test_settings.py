"""Settings: bounds of every declaration, derived seeds, and flags."""

import math
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.config import extends, yaml
from bench.config.benchmark import Benchmark
from bench.config.inputs import InputSettings
from bench.config.settings import Settings, derived_seed, flags
from bench.errors import SettingsError
from bench.files.provenance import ROOT

CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "datasets.yaml")
QUICK = ROOT / "config" / "quick.yaml"


def declarations(kind: type[Settings] = Settings):
    for each in kind.__subclasses__():
        yield each
        yield from declarations(each)


NUMBERS = [
    (each, name, field)
    for each in declarations()
    for name, field in each.model_fields.items()
    if any(kind in str(field.annotation) for kind in ("int", "float")) and "tuple" not in str(field.annotation)
]


def refused(kind: type[Settings], name: str, value: Any) -> bool:
    """Whether a value of one field is refused, whatever the others are."""
    try:
        kind.model_validate({name: value}, strict=True)
    except ValidationError as error:
        return any(name in each["loc"] for each in error.errors())
    return False


@pytest.mark.parametrize(("kind", "name", "field"), NUMBERS, ids=lambda value: getattr(value, "__name__", str(value)[:40]))
def test_every_numeric_setting_refuses_what_is_no_number_of_its_kind(kind, name, field):
    whole = "float" not in str(field.annotation)
    wrong = [math.nan, math.inf, -math.inf, True, "3", [3], *([2.0, 0.5] if whole else [])]
    assert [value for value in wrong if not refused(kind, name, value)] == []


@pytest.mark.parametrize("kind", declarations(), ids=lambda kind: kind.__name__)
def test_every_setting_is_described_in_a_sentence(kind):
    undescribed = [name for name, field in kind.model_fields.items() if not (field.description or "").endswith(".")]
    assert undescribed == []


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_in_the_repository_is_valid(name):
    document = extends.read(ROOT / "config" / name)
    assert Benchmark.parse(document.values, document).name == name.removesuffix(".yaml")


def test_a_missing_key_is_named():
    values = yaml.read(QUICK).values
    del values["depth"]
    with pytest.raises(SettingsError, match=r"x\.yaml: depth: is missing"):
        Benchmark.parse(values, "x.yaml")


def test_a_value_outside_of_a_list_of_allowed_ones_is_refused_with_the_list():
    values = yaml.read(QUICK).values
    values["encode"]["precision"] = "float16"
    with pytest.raises(SettingsError, match=r"encode\.precision: is 'float16'; allowed: 'auto', 'float32' or 'bfloat16'"):
        Benchmark.parse(values, "x.yaml")


def test_a_number_below_its_minimum_is_refused_with_the_line_it_stands_on(tmp_path):
    text = QUICK.read_text()
    line = text.splitlines().index("kmeans: {iterations: 5}") + 1
    (tmp_path / "x.yaml").write_text(text.replace("kmeans: {iterations: 5}", "kmeans: {iterations: 0}"))
    document = extends.read(tmp_path / "x.yaml")
    with pytest.raises(SettingsError, match=rf"x\.yaml:{line}: kmeans\.iterations: 0: input should be greater"):
        Benchmark.parse(document.values, document)


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
    assert InputSettings(**given).given() == {**given, "query_marker": None}
