import pytest

from bench.codec.names import CodecName, parse
from bench.errors import SettingsError


@pytest.mark.parametrize(
    ("name", "family", "size"),
    [
        ("residual-1", "residual", 1),
        ("residual-8", "residual", 8),
        ("lloyd-2", "lloyd", 2),
        ("rotated-4", "rotated", 4),
        ("pq-16", "pq", 16),
        ("opq-8", "opq", 8),
        ("aware-16", "aware", 16),
    ],
)
def test_a_codec_name_gives_its_family_and_size_and_prints_back(name, family, size):
    assert parse(name) == CodecName(family, size)
    assert str(parse(name)) == name
    assert parse(f"{name}x4") == CodecName(family, size, times=4)
    assert str(parse(f"{name}x4")) == f"{name}x4"
    assert parse(f"{name}t") == CodecName(family, size, by_token=True)
    assert str(parse(f"{name}x4t")) == f"{name}x4t"


@pytest.mark.parametrize("times", [0, 1, 3, 16])
def test_other_multiples_of_the_centroids_are_refused_with_those_that_there_are(times):
    with pytest.raises(SettingsError, match=rf"'pq-8x{times}' in a.yaml asks for {times} times .* not one of \[2, 4, 8\]"):
        parse(f"pq-8x{times}", "a.yaml")


def test_the_uncompressed_codec_is_none():
    assert parse("fp16") is None


@pytest.mark.parametrize("nbits", [0, 3, 16])
def test_other_bits_are_refused_with_the_value_its_source_and_the_uncompressed_codec(nbits):
    with pytest.raises(SettingsError, match=rf"nbits {nbits} .*'residual-{nbits}' in a.yaml .*\[1, 2, 4, 8\].*codec fp16"):
        parse(f"residual-{nbits}", "a.yaml")


def test_other_bytes_are_refused_as_bytes():
    with pytest.raises(SettingsError, match=r"bytes 12 of codec 'pq-12' in a.yaml is not one of \[8, 16, 32\]"):
        parse("pq-12", "a.yaml")


@pytest.mark.parametrize(
    "name", ["rq-8", "fp32", "residual", "residual-", "residual-2 ", "Residual-2", "pq-8x", "fp16x4", "fp16t", "pq-8tx4", ""]
)
def test_an_unknown_codec_is_refused_with_the_known_ones(name):
    with pytest.raises(SettingsError) as refusal:
        parse(name, "a.yaml")
    assert f"{name!r} in a.yaml" in str(refusal.value)
    for known in ("fp16", "residual-1", "residual-8", "lloyd-2", "rotated-1", "pq-32", "opq-16"):
        assert repr(known) in str(refusal.value)


@pytest.mark.parametrize(("name", "dim", "multiple"), [("lloyd-2", 10, 4), ("rotated-1", 12, 8), ("pq-16", 24, 16)])
def test_a_dim_that_does_not_fill_bytes_is_refused_with_the_multiple_that_would(name, dim, multiple):
    with pytest.raises(SettingsError, match=f"dim {dim} .* use a multiple of {multiple}$"):
        parse(name).check_dim(dim)
    parse(name).check_dim(multiple * 4)
