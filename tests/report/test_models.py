"""Models beside each other: paired differences to a baseline."""

import pytest

from bench.errors import DataError
from bench.report.models import models_frame, models_table


def record(model, values, codec="fp16", preset="exact", dataset="toy"):
    per_query = {f"q{number}": value for number, value in enumerate(values)}
    return {
        "dataset": dataset,
        "model": model,
        "codec": codec,
        "preset": preset,
        "measures": ["RR@10"],
        "mean": {"RR@10": sum(values) / len(values)},
        "per_query": {"RR@10": per_query},
        "counts": {"judged": len(values)},
        "deviations": {},
    }


BASE, BETTER = [0.5, 0.25, 1.0, 0.5] * 10, [0.75, 0.5, 1.0, 0.75] * 10


def test_a_row_per_model_is_paired_with_the_baseline_on_the_same_queries():
    found = models_frame([record("base", BASE), record("new", BETTER), record("new", BASE, "residual-2")], "base", seed=1)
    assert found["model"].tolist() == ["base", "new"]
    base, new = found.to_dict("records")
    assert base["difference"] != base["difference"] or base["difference"] is None
    assert new["difference"] == pytest.approx(0.1875)
    assert new["difference_low"] <= 0.1875 <= new["difference_high"]
    assert new["difference_p"] < 0.01
    assert new["low"] < new["value"] < new["high"]


def test_equal_models_differ_by_nothing():
    found = models_frame([record("base", BASE), record("same", BASE)], "base", seed=1)
    assert (found["difference"].iloc[1], found["difference_p"].iloc[1]) == (0, 1)


def test_a_data_set_without_the_baseline_is_refused_by_its_name():
    with pytest.raises(DataError, match="baseline 'base' has no run over uncompressed vectors on other"):
        models_frame([record("base", BASE), record("new", BASE, dataset="other")], "base", seed=1)


def test_other_queries_than_those_of_the_baseline_are_refused():
    with pytest.raises(DataError, match="cover different queries"):
        models_frame([record("base", BASE), record("new", BASE[:-1])], "base", seed=1)


def test_the_table_says_where_a_model_comes_from_and_how_much_it_has_seen():
    found = models_frame([record("base", BASE), record("new", BETTER)], "base", seed=1)
    table = models_table(found, "base", {"new": "start"}, {"new": 3840})
    assert table.shown["trained from"].tolist() == ["–", "start"]
    assert table.shown["passages seen"].tolist() == ["–", "3,840"]
    assert table.shown["Δ base"].iloc[0] == "–"
    assert table.shown["Δ base"].iloc[1].startswith("+0.188 [")
    assert "toy 40" in table.caption
