"""YAML 1.2, keys once, and lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.yaml import nearest, read
from bench.errors import SettingsError


def values(folder, text):
    path = folder / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path).values


def test_a_missing_config_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"config file .*x\.yaml does not exist"):
        read(tmp_path / "x.yaml")


def test_a_config_that_is_no_yaml_is_refused(tmp_path):
    (tmp_path / "x.yaml").write_text("a: [1, 2\n")
    with pytest.raises(SettingsError, match=r"x\.yaml is not valid YAML"):
        read(tmp_path / "x.yaml")


@pytest.mark.parametrize(("content", "found"), [("", "NoneType"), ("- 1\n", "list"), ("words\n", "str")])
def test_a_config_that_is_no_mapping_is_refused(tmp_path, content, found):
    (tmp_path / "x.yaml").write_text(content)
    with pytest.raises(SettingsError, match=f"holds a {found}, expected a mapping"):
        read(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("144", 144),
        ("0144", 144),
        ("0o144", 100),
        ("0x64", 100),
        ("-3", -3),
        ("1:40", "1:40"),
        ("1_000", "1_000"),
        ("yes", "yes"),
        ("no", "no"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1e-5", 1e-5),
        ("1.0e+2", 100.0),
        (".5", 0.5),
        (".inf", float("inf")),
        ("'144'", "144"),
        ('"null"', "null"),
        ("2021-12-02", "2021-12-02"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(tmp_path, text, value):
    found = values(tmp_path, f"a: {text}\n")["a"]
    assert (found, type(found)) == (value, type(value))


@given(st.integers())
def test_every_integer_comes_back(tmp_path_factory, number):
    assert values(tmp_path_factory.mktemp("yaml"), f"a: {number}\n") == {"a": number}


@pytest.mark.parametrize(
    ("text", "line", "first"), [("a: 1\nb: 2\na: 3\n", 3, 1), ("m:\n  x: {d: 1, d: 2}\n", 2, 2), ("a: 1\n'a': 2\n", 2, 1)]
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(tmp_path, text, line, first):
    with pytest.raises(SettingsError, match=rf"x\.yaml:{line}: the key '[ad]' stands twice, first on line {first}"):
        values(tmp_path, text)


def test_a_byte_order_mark_is_left_out_and_other_encodings_are_refused(tmp_path):
    assert values(tmp_path, b"\xef\xbb\xbfname: \xc3\xa9\n") == {"name": "é"}
    with pytest.raises(SettingsError, match=r"x\.yaml is not text in UTF-8: byte 6 is 0xe9"):
        values(tmp_path, b"name: \xe9\n")


def test_merged_mappings_give_way_to_own_keys_and_to_earlier_ones(tmp_path):
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {<<: *b}\n"
    found = values(tmp_path, text)
    assert (found["c"], found["d"]) == ({"x": 3, "y": 1, "z": 2}, {"y": 2, "z": 2})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object:os.system x\n", "the tag .* is not supported"),
        ("? [1]\n: 2\n", "a key must be text, not a sequence"),
        ("a: {<<: 3}\n", "<< takes a mapping, not a scalar"),
        ("a: &a [*a]\n", "an alias that contains itself"),
    ],
)
def test_what_configs_have_no_use_for_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(SettingsError, match=rf"x\.yaml:1: {message}"):
        values(tmp_path, text)


def test_the_line_of_a_value_is_that_of_its_key_or_of_what_holds_it(tmp_path):
    (tmp_path / "x.yaml").write_text("a:\n  b:\n    - c: 1\n    - 2\n")
    found = read(tmp_path / "x.yaml")
    places = {("a",): 1, ("a", "b"): 2, ("a", "b", 0, "c"): 3, ("a", "b", 1): 4, ("a", "b", 1, "z"): 4}
    assert {place: found.line(place) for place in places} == {p: f"{tmp_path}/x.yaml:{line}" for p, line in places.items()}
    assert found.line(("q",)) == f"{tmp_path}/x.yaml"


def test_the_nearest_known_word_is_named_where_one_is_near():
    assert nearest("nprob", ["nprobe", "ncells"]) == " (did you mean 'nprobe'?)"
    assert nearest("colour", ["nprobe", "ncells"]) == ""
