"""Rows over merged vectors in tables and figures: their factor, their bytes per passage, and what they are compared with."""

import itertools

import numpy as np
import pytest

from bench.evaluation.runs import Rankings
from bench.report.codecs import codecs_frame, codecs_table
from bench.report.codecs_figure import quality_against_rate
from bench.report.figures import quality_against_bytes, size_by_component
from bench.report.latency import latency_frame, latency_table
from bench.report.quality import quality_table, size_table
from bench.report.records import quality_frame, row_of, size_frame

VALUES = {
    "fp16": [0.8, 0.6, 0.4, 0.6],
    "residual-2": [0.8, 0.6, 0.4, 0.5],
    "residual-1": [0.7, 0.6, 0.4, 0.5],
    "fp16.pool-2": [0.6, 0.6, 0.4, 0.5],
    "residual-2.pool-2": [0.6, 0.5, 0.3, 0.5],
    "residual-1.pool-2": [0.5, 0.5, 0.3, 0.5],
}


@pytest.fixture
def records(metric, size):
    """Quality and sizes of a model at pool 1 and 2, of BM25 and of a model with one vector per passage."""

    def sized(codec):
        record = size("m", codec.partition(".")[0])
        if "pool" not in codec:
            return record
        halves = {
            "vectors": 5,
            "total": record["total"] / 2,
            "bytes": {name: part / 2 for name, part in record["bytes"].items()},
        }
        return {**record, **halves, "codec": codec, "index": f"toy/m/{codec}"}

    metrics = [metric("m", codec, "exact", values) for codec, values in VALUES.items()]
    return [*metrics, metric("bm25", "text", "bm25", [0.4] * 4)], [sized(codec) for codec in VALUES]


def test_tables_show_the_factor_and_bytes_per_passage_and_compare_with_all_vectors(records):
    table = quality_table(quality_frame(*records, seed=1))
    shown = table.shown
    assert shown["codec"].tolist() == ["fp16", "residual-2", "residual-1"] * 2 + ["text"]
    assert shown["pool"].tolist() == ["–"] * 3 + ["2"] * 3 + ["–"]
    assert shown["bytes / vector"].tolist() == ["260.0", "64.0", "40.0"] * 2 + ["–"]
    assert shown["bytes / passage"].tolist() == ["650", "160", "100", "325", "80", "50", "–"]
    assert shown["Δ uncompressed"].iloc[0] == "–"
    assert [cell.split(" ")[0] for cell in shown["Δ uncompressed"].iloc[3:5]] == ["−0.075", "−0.125"]
    assert shown["Δ codec"].iloc[3:5].tolist() == ["−0.075", "−0.125"]  # what merging loses is in it
    assert table.data["codec"].iloc[4] == "residual-2.pool-2"
    assert table.data["pool"].tolist() == [1, 1, 1, 2, 2, 2, 1]
    assert "what merging loses is part of Δ codec" in table.caption
    sizes = size_table(size_frame(records[1]))
    assert sizes.shown["pool"].tolist() == ["–"] * 3 + ["2"] * 3
    assert sizes.shown["bytes / passage"].tolist() == ["650", "160", "100", "325", "80", "50"]
    assert "m 10 vectors and 2 centroids, m at pool 2 5 vectors and 2 centroids" in sizes.caption


def test_tables_without_merged_vectors_have_no_column_more(records):
    metrics, sizes = ([each for each in found if "pool" not in each["codec"]] for found in records)
    table, sizes = quality_table(quality_frame(metrics, sizes, seed=1)), size_table(size_frame(sizes))
    for each in (table, sizes):
        assert not {"pool", "bytes_per_passage"} & {*each.data, *each.shown}
        assert "Pool" not in each.caption
    assert "bytes / passage" not in table.shown


def test_figures_are_over_bytes_per_passage_and_name_the_factor(records):
    (axes,) = quality_against_bytes(quality_frame(*records, seed=1)).axes
    assert axes.get_xlabel() == "bytes per passage, everything counted"
    lines = {each.get_label(): each.lines[0].get_xdata().tolist() for each in axes.containers}
    assert lines == {"m, exact": [100, 160, 650], "m, pool 2, exact": [50, 80, 325]}
    dashed = [line for line in axes.lines if line.get_linestyle() == "--" and "baseline" not in line.get_label()]
    assert [line.get_ydata()[0] for line in dashed] == pytest.approx([0.6])  # of all vectors alone
    bars = size_by_component(size_frame(records[1])).axes[0]
    assert bars.get_xlabel() == "bytes per passage"
    assert [text.get_text() for text in bars.get_yticklabels()][-1] == "residual-1, pool 2"
    assert bars.texts[-1].get_text() == "50"


@pytest.fixture
def frame(records):
    metrics, sizes = records[0][:-1], records[1]
    ranking: Rankings = {query: [("p0", 0.0)] for query in metrics[0]["per_query"]["nDCG@10"]}
    shares = {row_of(record): {1: dict.fromkeys(ranking, 1.0)} for record in metrics}
    return codecs_frame(metrics, sizes, shares, {"residual-1": "residual-2"}, seed=1)


def test_codecs_are_compared_at_the_same_factor_and_drawn_a_line_for_each(frame):
    found = frame.set_index("codec")
    assert frame["bytes_per_passage"].tolist() == [50, 80, 100, 160, 325, 650]
    assert found.loc["residual-1.pool-2", ["against", "against_difference"]].tolist() == [
        "residual-2",
        pytest.approx(-0.025),
    ]
    assert found.loc["residual-1", "against_difference"] == pytest.approx(-0.025)
    assert codecs_table(frame).shown["pool"].tolist() == ["2", "2", "–", "–", "2", "–"]
    axes = quality_against_rate(frame).axes[0]
    papers = [line.get_xdata().tolist() for line in axes.lines if line.get_label() == "residual (the paper's)"]
    assert papers == [[100, 160], [50, 80]]
    assert sorted(text.get_text() for text in axes.texts) == ["(pool 2)", "1", "1 (pool 2)", "2", "2 (pool 2)"]


def test_labels_of_bytes_do_not_overlap_where_the_range_is_narrow(frame):
    narrow = frame.assign(bytes_per_passage=np.linspace(8_000, 20_000, len(frame)))
    for found in (frame, narrow):
        figure = quality_against_rate(found)
        figure.canvas.draw()
        axes = figure.axes[0]
        low, high = axes.get_xlim()
        shown = [label.get_window_extent() for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high]
        assert len(shown) >= 2
        assert all(one.x1 < other.x0 for one, other in itertools.pairwise(sorted(shown, key=lambda box: box.x0)))


def test_timings_show_the_factor_beside_their_codec(records, latency):
    metrics, sizes = records
    table = latency_table(latency_frame([latency(metrics[1], 2.0), latency(metrics[4], 1.0)], metrics, sizes))
    assert table.shown[["codec", "pool", "bytes / passage"]].to_numpy().tolist() == [
        ["residual-2", "–", "160"],
        ["residual-2", "2", "80"],
    ]
