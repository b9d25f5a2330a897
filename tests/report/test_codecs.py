"""Codecs beside each other: bytes, paired differences, overlap, and the figure of them."""

import pandas as pd
import pytest

from bench.errors import DataError
from bench.report.codecs import codecs_frame, codecs_table
from bench.report.codecs_figure import quality_against_rate
from bench.report.figures import save

FULL, LOW = [0.5, 0.25, 1.0, 0.5] * 10, [0.25, 0.25, 0.5, 0.5] * 10


@pytest.fixture
def overlap():
    """``overlap(metric, values)``: overlap@10 of 1 everywhere, and overlap@100 by query."""

    def make(metric, values):
        per_query = {name: {f"q{number}": value for number, value in enumerate(values)} for name in ("overlap@100",)}
        per_query = {"overlap@10": dict.fromkeys(per_query["overlap@100"], 1.0), **per_query}
        axes = {name: metric[name] for name in ("dataset", "model", "codec", "preset")}
        return {**axes, "mean": {"overlap@10": 1.0, "overlap@100": sum(values) / len(values)}, "per_query": per_query}

    return make


@pytest.fixture
def frame(metric, size, overlap):
    runs = [
        metric("m", "fp16", "exact", FULL),
        metric("m", "residual-2", "exact", FULL),
        metric("m", "residual-1", "exact", LOW),
    ]
    shares = [overlap(run, values) for run, values in zip(runs, ([1.0] * 40, [0.9] * 40, [0.5, 0.7] * 20), strict=True)]
    sizes = [size("m", codec) for codec in ("fp16", "residual-2", "residual-1")]
    others = [metric("bm25", "text", "bm25", LOW), metric("p", "fp16", "flat", LOW)]
    return codecs_frame([*runs, *others], sizes, shares, {"residual-1": "residual-2"}, seed=1)


def test_rows_are_runs_with_an_overlap_the_smallest_index_first(frame):
    assert frame["codec"].tolist() == ["residual-1", "residual-2", "fp16"]
    assert frame["coded"].tolist() == [18.0, 34.0, 256.0]
    assert frame["bytes_per_vector"].tolist() == [40.0, 64.0, 260.0]
    assert frame["overlap@100"].tolist() == [pytest.approx(0.6), pytest.approx(0.9), 1.0]


def test_differences_are_paired_with_uncompressed_vectors_and_with_the_codec_to_replace(frame):
    low, two, full = frame.to_dict("records")
    assert low["difference"] == pytest.approx(-0.1875)
    assert low["difference_p"] < 0.01
    assert (two["difference"], two["difference_p"]) == (0, 1)
    assert pd.isna(full["difference"])
    assert low["against"] == "residual-2"
    assert low["against_difference"] == pytest.approx(-0.1875)
    assert low["against_overlap"] == pytest.approx(-0.3)
    assert low["against_overlap_low"] <= -0.3 <= low["against_overlap_high"] < 0
    assert low["overlap_low"] < 0.6 < low["overlap_high"]
    assert pd.isna(two["against_difference"])


def test_the_table_shows_both_ways_of_counting_bytes_and_what_does_not_apply(frame):
    table = codecs_table(frame)
    assert table.shown["code + residual, bytes"].tolist() == ["18.0", "34.0", "256.0"]
    assert table.shown["all files, bytes"].tolist() == ["40.0", "64.0", "260.0"]
    assert table.shown["overlap@100"].iloc[0].startswith("0.600 [")
    assert table.shown["Δ uncompressed"].iloc[0].startswith("−0.188 [")
    assert table.shown["Δ overlap"].tolist()[1:] == ["–", "–"]
    assert "overlap@100" in table.caption


def test_the_figure_joins_the_paper_s_codecs_in_both_panels(frame, tmp_path):
    figure = quality_against_rate(frame)
    assert [axes.get_ylabel() for axes in figure.axes] == ["nDCG@10", "overlap@100"]
    line = next(line for line in figure.axes[1].get_lines() if line.get_label() == "residual (the paper's)")
    assert line.get_xdata().tolist() == [40.0, 64.0]
    assert line.get_ydata().tolist() == [pytest.approx(0.6), pytest.approx(0.9)]
    save(figure, tmp_path / "figure")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_records_of_other_runs_are_refused(metric, size):
    with pytest.raises(DataError, match="no run has both a size and an overlap"):
        codecs_frame([metric("m", "fp16", "exact", FULL)], [size("m", "fp16")], [], {}, seed=1)
