import pytest

from bench.codec.names import residual_nbits
from bench.errors import SettingsError


@pytest.mark.parametrize(
    ("name", "nbits"), [("fp16", None), ("residual-1", 1), ("residual-2", 2), ("residual-4", 4), ("residual-8", 8)]
)
def test_a_codec_name_gives_its_bits(name, nbits):
    assert residual_nbits(name) == nbits


@pytest.mark.parametrize("nbits", [0, 3, 16])
def test_other_bits_are_refused_with_the_value_its_source_and_the_uncompressed_codec(nbits):
    with pytest.raises(SettingsError, match=rf"nbits {nbits} .*'residual-{nbits}' in a.yaml .*\[1, 2, 4, 8\].*codec fp16"):
        residual_nbits(f"residual-{nbits}", "a.yaml")


@pytest.mark.parametrize("name", ["pq-8", "fp32", "residual", "residual-", "residual-2 ", "Residual-2", ""])
def test_an_unknown_codec_is_refused_with_the_known_ones(name):
    with pytest.raises(SettingsError) as refusal:
        residual_nbits(name, "a.yaml")
    assert f"{name!r} in a.yaml" in str(refusal.value)
    for known in ("fp16", "residual-1", "residual-2", "residual-4", "residual-8"):
        assert repr(known) in str(refusal.value)
