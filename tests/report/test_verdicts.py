"""Verdicts in tables: corrected over the rows, in words, and never "the same" for a large p."""

import numpy as np
import pandas as pd
import pytest

from bench.errors import SettingsError
from bench.evaluation.equivalence import holm
from bench.report import verdicts
from bench.report.models import models_frame, models_table
from bench.report.quality import quality_table
from bench.report.records import quality_frame

RNG = np.random.default_rng(3)
BASE = RNG.choice([0.0, 0.25, 0.5, 1.0], 400)


@pytest.fixture
def frame(metric):
    """Codecs that lose next to nothing, a tenth, and nothing on average with much noise."""
    noise = RNG.permutation(np.tile([0.3, -0.3], 200))
    metrics = [
        metric("m", "fp16", "exact", BASE.tolist()),
        metric("m", "residual-4", "exact", (BASE - np.tile([0.001, 0.0], 200)).tolist()),
        metric("m", "residual-1", "exact", (BASE - np.tile([0.2, 0.0], 200)).tolist()),
        metric("m", "residual-2", "exact", (BASE + noise).tolist()),
    ]
    return quality_frame(metrics, [], seed=1, margins={"nDCG@10": 0.01}).set_index("codec")


def test_each_row_says_what_was_shown_of_it(frame):
    assert pd.isna(frame["difference_verdict"].iloc[0])
    assert frame["difference_verdict"].tolist()[1:] == ["equivalent within the margin", "worse", "undecided"]
    assert frame.loc["residual-1", ["difference_wins", "difference_ties", "difference_losses"]].tolist() == [0, 200, 200]


def test_p_values_are_corrected_over_all_rows_of_the_table(frame):
    compared = frame.dropna(subset="difference")
    for kind in ("p", "equivalence_p"):
        assert compared[f"difference_{kind}_holm"].tolist() == holm(compared[f"difference_{kind}"].tolist())
    assert frame.loc["residual-1", "difference_p_holm"] == pytest.approx(3 / 10_001)


def test_an_undecided_row_names_the_queries_that_its_margin_needs(frame):
    """((1.6449 + 1.2816) * sd / 0.01) ** 2 with differences of 0.3 either way, so that sd is 0.3 * sqrt(400 / 399)."""
    shown = quality_table(frame.reset_index(), margins={"nDCG@10": 0.01}).shown
    needed = round(8.5644 * 0.09 * 400 / 399 / 0.0001)
    found = shown["verdict"].tolist()[3]
    assert found.startswith("undecided (margin needs ")
    assert int(found.split()[3].replace(",", "")) == pytest.approx(needed, abs=2)


def test_without_a_margin_no_row_is_equivalent_and_the_caption_says_so(metric):
    metrics = [metric("m", "fp16", "exact", BASE.tolist()), metric("m", "residual-8", "exact", BASE.tolist())]
    frame = quality_frame(metrics, [], seed=1)
    assert frame["difference_verdict"].tolist()[1:] == ["undecided"]
    assert "No margin was set, so no row can be called equivalent" in quality_table(frame).caption


def test_models_are_judged_by_the_same_margin(metric):
    metrics = [metric(name, "fp16", "exact", BASE.tolist()) for name in ("old", "new")]
    frame = models_frame(metrics, "old", seed=1, margins={"nDCG@10": 0.01})
    table = models_table(frame, "old", {}, {}, {"nDCG@10": 0.01})
    assert table.shown["verdict"].tolist() == ["–", "equivalent within the margin"]
    assert table.shown["wins / ties / losses"].tolist() == ["–", "0 / 400 / 0"]
    assert "0.01 of nDCG@10" in table.caption


def test_a_mean_over_data_sets_has_no_verdict(metric):
    metrics = [
        metric("m", codec, "exact", BASE.tolist(), dataset=dataset)
        for dataset in ("a", "b")
        for codec in ("fp16", "residual-2")
    ]
    frame = quality_frame(metrics, [], seed=1, margins={"nDCG@10": 0.01})
    shown = quality_table(frame, {"mean of a, b": ["a", "b"]}, {"nDCG@10": 0.01}).shown
    assert shown[shown["data set"].str.startswith("mean")]["verdict"].tolist() == ["–", "–"]


def test_a_margin_of_a_measure_that_no_row_is_compared_by_is_refused():
    with pytest.raises(SettingsError, match=r"margin of here names 'RR@1', .* those are: \['nDCG@10'\]"):
        verdicts.check_margins({"RR@1": 0.1}, ["nDCG@10"], "here")


def test_rows_without_a_comparison_have_no_verdict():
    frame = pd.DataFrame([verdicts.compared("difference", None, 0.1, 0)])
    verdicts.judge(frame, "difference")
    assert verdicts.verdict_cells(frame, "difference") == verdicts.count_cells(frame, "difference") == ["–"]
