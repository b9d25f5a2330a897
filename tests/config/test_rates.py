import pytest

from bench.config.rates import Rates, resolve
from bench.errors import SettingsError

SEARCHES = [("m", "fp16", "exact"), ("m", "residual-2", "exact"), ("m", "opq-16", "plaid")]


def test_depths_and_comparisons_are_those_of_the_config():
    found = resolve({"depths": [10, 100], "against": {"opq-16": "residual-2"}}, SEARCHES, 100, "rates in a.yaml")
    assert found == Rates(depths=(10, 100), against={"opq-16": "residual-2"})
    assert resolve({"depths": [10]}, SEARCHES, 100, "rates").against == {}


@pytest.mark.parametrize(
    ("values", "searches", "message"),
    [
        ({"depths": [10, 1000]}, SEARCHES, r"depths \[1000\] of rates in a.yaml look deeper than the runs of depth 100"),
        ({"depths": [10]}, SEARCHES[1:], r"fp16 searched by the preset exact, which models \['m'\] lack"),
        ({"depths": [10], "against": {"opq-8": "residual-2"}}, SEARCHES, r"codecs \['opq-8'\]; those of the grid: \['fp16'"),
    ],
)
def test_what_no_run_can_show_is_refused(values, searches, message):
    with pytest.raises(SettingsError, match=message):
        resolve(values, searches, 100, "rates in a.yaml")
