"""What is checked in of the declarations, beside the declarations."""

import json

import jsonschema
import pytest

from bench.config import extends, reference
from bench.config.settings import Settings
from bench.files.provenance import ROOT

CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "datasets.yaml")


@pytest.mark.parametrize("name", reference.SCHEMAS)
def test_the_schemas_that_are_checked_in_are_current(name):
    assert (ROOT / "config" / name).read_text(encoding="utf-8") == reference.schemas()[name], "run bench settings"


def test_the_page_that_is_checked_in_is_current():
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == reference.page(), "run bench settings"


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(reference.schemas()["benchmark.schema.json"])
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_is_valid_by_its_schema_too(validator, name):
    validator.validate(extends.read(ROOT / "config" / name).values)


@pytest.mark.parametrize(("key", "value"), [("depth", 0), ("depth", "x"), ("colour", 1), ("kmeans", {"iterations": 0})])
def test_the_schema_refuses_what_the_declarations_refuse(validator, key, value):
    values = {**extends.read(ROOT / "config" / "quick.yaml").values, key: value}
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(values)


def test_the_page_has_every_setting_with_its_bounds_default_and_text():
    page = reference.page()
    assert "| `nway` | integer, ≥ 2 | required | Passages per tuple, the positive among them. |" in page
    assert "| `group_size` | integer, ≥ 1 | `1` |" in page
    assert "| `teachers` | mapping to [BiEncoder](#biencoder) or [CrossEncoder](#crossencoder)" in page
    for kind in (each for each in Settings.__subclasses__() if f"## {each.__name__}\n" in page):
        assert [name for name in kind.model_fields if f"| `{name}` |" not in page] == []
