"""Codecs beside each other: bytes, paired differences, overlap, and the figure of them."""

import pandas as pd
import pytest

from bench.errors import DataError
from bench.files.provenance import ROOT
from bench.report.codecs import codecs_frame, codecs_table, overlaps
from bench.report.codecs_figure import quality_against_rate
from bench.report.figures import save
from bench.report.point_labels import letters
from bench.report.records import row_of

FULL, LOW = [0.5, 0.25, 1.0, 0.5] * 10, [0.25, 0.25, 0.5, 0.5] * 10


def run_of(record, kept):
    """Rankings of 4 passages, those beyond the first ``kept`` of a query being others than the reference has."""
    record["run"]["inputs"].update({"corpus": "c", "queries": "q", "model": record["model"]})
    return {
        query: [(f"p{place}" if place < some else f"x{place}", -float(place)) for place in range(4)]
        for query, some in zip(record["per_query"]["nDCG@10"], kept, strict=True)
    }


@pytest.fixture
def world(metric, size):
    """Records of quality and of size, and rankings: uncompressed, at 2 bits (3 of 4 passages are the same), and at 1 bit."""
    codecs = {"fp16": (FULL, [4] * 40), "residual-2": (FULL, [3] * 40), "residual-1": (LOW, [1, 2] * 20)}
    records = [metric("m", codec, "exact", values) for codec, (values, _) in codecs.items()]
    runs = {row_of(record): run_of(record, codecs[record["codec"]][1]) for record in records}
    return records, [size("m", codec) for codec in codecs], runs


@pytest.fixture
def frame(world):
    records, sizes, runs = world
    return codecs_frame(records, sizes, overlaps(records, runs, [1, 4]), {"residual-1": "residual-2"}, seed=1)


def test_rows_are_runs_the_smallest_index_first(frame):
    assert frame["codec"].tolist() == ["residual-1", "residual-2", "fp16"]
    assert frame["coded"].tolist() == [18.0, 34.0, 256.0]
    assert frame["bytes_per_vector"].tolist() == [40.0, 64.0, 260.0]
    assert frame["overlap@1"].tolist() == [1, 1, 1]
    assert frame["overlap@4"].tolist() == [0.375, 0.75, 1.0]


def test_differences_are_paired_with_uncompressed_vectors_and_with_the_codec_to_replace(frame):
    low, two, full = frame.to_dict("records")
    assert low["difference"] == pytest.approx(-0.1875)
    assert low["difference_p"] < 0.01
    assert (two["difference"], two["difference_p"]) == (0, 1)
    assert pd.isna(full["difference"])
    assert low["against"] == "residual-2"
    assert low["against_difference"] == pytest.approx(-0.1875)
    assert low["against_overlap"] == pytest.approx(-0.375)
    assert low["against_overlap_low"] <= -0.375 <= low["against_overlap_high"] < 0
    assert low["overlap_low"] < 0.375 < low["overlap_high"]
    assert pd.isna(two["against_difference"])


def test_the_table_shows_both_ways_of_counting_bytes_and_what_does_not_apply(frame):
    table = codecs_table(frame)
    assert table.shown["code + residual, bytes"].tolist() == ["18.0", "34.0", "256.0"]
    assert table.shown["all files, bytes"].tolist() == ["40.0", "64.0", "260.0"]
    assert table.shown["overlap@4"].iloc[0].startswith("0.375 [")
    assert table.shown["Δ uncompressed"].iloc[0].startswith("−0.188 [")
    assert table.shown["Δ overlap"].tolist()[1:] == ["–", "–"]
    assert table.shown["against"].tolist() == ["residual-2", "–", "–"]
    assert "overlap@4" in table.caption


def test_the_figure_joins_the_paper_s_codecs_in_both_panels(frame, tmp_path):
    figure = quality_against_rate(frame)
    assert [axes.get_ylabel() for axes in figure.axes] == ["nDCG@10", "overlap@4"]
    line = next(line for line in figure.axes[1].get_lines() if line.get_label() == "residual (the paper's)")
    assert line.get_xdata().tolist() == [40.0, 64.0]
    assert line.get_ydata().tolist() == [0.375, 0.75]
    names = {axes.get_title() for axes in figure.axes}
    marked = {axes.get_title() for axes in quality_against_rate(frame.assign(deviations="query_maxlen 64")).axes}
    assert marked == {name.replace(",", " †,") for name in names}
    save(figure, tmp_path / "figure")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_the_figure_has_codecs_of_every_kind_of_centroids_and_names_no_family_that_is_not_there(frame):
    frame["codec"] = frame["codec"].replace({"residual-1": "opq-8x4t", "residual-2": "opq-16t"})
    figure = quality_against_rate(frame)
    points = [line for line in figure.axes[0].lines if len(line.get_xdata()) and line.get_label() == "opq"]
    assert [line.get_xdata().tolist() for line in points] == [[40.0, 64.0]]
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["16t", "8×4t"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["opq", "uncompressed"]


def test_names_of_22_codecs_overlap_neither_each_other_nor_a_line():
    frame = pd.read_csv(ROOT / "results/baselines/codecs.csv").assign(deviations="")
    figure = quality_against_rate(frame[frame["model"] == "minilm"])
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [letters(text) for text in axes.texts]
        lines = [line for line in axes.lines if len(line.get_xdata()) > 1 and line.get_linestyle() != "None"]
        paths = [line.get_transform().transform_path(line.get_path()) for line in lines]
        assert len(boxes) == 23
        assert len(paths) == 2
        assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number])
        assert not any(path.intersects_bbox(box, filled=False) for path in paths for box in boxes)


def test_a_run_without_a_size_or_without_uncompressed_vectors_is_refused(world):
    records, sizes, runs = world
    with pytest.raises(DataError, match="toy/m/residual-1/exact has no record of the size of its index"):
        codecs_frame(records, sizes[:2], overlaps(records, runs, [4]), {}, seed=1)
    with pytest.raises(DataError, match="toy/m/residual-2/exact has no run fp16/exact of the same model"):
        overlaps(records[1:], runs, [4])


def test_runs_of_other_query_vectors_are_not_compared(world):
    records, _, runs = world
    records[1]["run"]["inputs"]["queries"] = "others"
    with pytest.raises(DataError, match="were made with a different queries"):
        overlaps(records, runs, [4])
