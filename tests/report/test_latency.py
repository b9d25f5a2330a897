"""Table 3 and Figure 3: timings beside the quality and the size of the same search."""

import json

import numpy as np
import pytest

from bench.errors import DataError
from bench.report.figures import save
from bench.report.latency import latency_frame, latency_table, pareto, read_latencies
from bench.report.latency_figure import FRONT, quality_against_latency
from bench.report.point_labels import letters

PLAID = {"ncells": 2, "centroid_score_threshold": 0.45, "ndocs": 1024}


@pytest.fixture
def runs(metric):
    """Records of quality: nDCG@10 of 0.6, 0.55, 0.5 and 0.45."""
    return [
        metric("m", "fp16", "exact", [0.6]),
        metric("m", "residual-2", "exact", [0.55]),
        metric("m", "residual-2", "plaid", [0.5], settings=PLAID),
        metric("m", "residual-1", "plaid", [0.45], settings=PLAID),
    ]


@pytest.fixture
def frame(runs, latency, size):
    """The four runs, timed at 40, 8, 2 and 3 ms."""
    sizes = [size("m", codec) for codec in ("fp16", "residual-2", "residual-1")]
    return latency_frame([latency(run, p50) for run, p50 in zip(runs, (40.0, 8.0, 2.0, 3.0), strict=True)], runs, sizes)


def test_a_timing_stands_beside_the_quality_and_the_bytes_of_its_own_search(frame):
    assert frame["value"].tolist() == [0.6, 0.55, 0.5, 0.45]
    assert frame["p50"].tolist() == [40.0, 8.0, 2.0, 3.0]
    assert frame["bytes_per_vector"].tolist() == [260.0, 64.0, 64.0, 40.0]
    row = frame.iloc[2]
    assert (row["codec"], row["preset"], row["headline"]) == ("residual-2", "plaid", "nDCG@10")
    assert (row["p99"], row["mean_best"], row["batch"], row["encode"]) == (6.0, 1.5, 1250.0, 7.5)
    assert (row["centroids"], row["scoring"], row["open_s"], row["load"]) == (0.5, 1.0, 0.75, 0.25)


@pytest.mark.parametrize(
    "changes", [{"inputs": {"index": "another"}}, {"queries": {"precision": "bfloat16"}}, {"settings": {"ndocs": 512}}]
)
def test_a_timing_of_another_search_than_was_evaluated_is_refused(runs, latency, changes):
    timed = latency(runs[2], 2.0)
    changed = {**timed, **changes, "settings": {**timed["settings"], **changes.get("settings", {})}}
    with pytest.raises(DataError, match="a timing of plaid over residual-2 has no record of quality"):
        latency_frame([changed], runs, [])


def test_two_timings_of_the_same_search_on_as_many_threads_are_refused(runs, latency, tmp_path):
    paths = [tmp_path / name for name in ("a.json", "b.json", "c.json")]
    for path, threads in zip(paths, (1, 2, 1), strict=True):
        path.write_text(json.dumps(latency(runs[0], 1.0, threads=threads)))
    assert [record["settings"]["threads"] for record in read_latencies(paths[:2])] == [1, 2]
    with pytest.raises(DataError, match="same search on as many threads"):
        read_latencies(paths)


def test_a_row_of_table_3_shows_three_digits_of_every_time(frame):
    row = latency_table(frame).shown.iloc[2]
    assert row["search"] == "plaid (ncells=2, centroid_score_threshold=0.45, ndocs=1024)"
    assert (row["threads"], row["nDCG@10"], row["bytes / vector"]) == ("1", "0.500", "64.0")
    assert (row["p50, ms"], row["p95, ms"], row["p99, ms"], row["best of three, ms"]) == ("2.00", "4.00", "6.00", "1.50")
    assert (row["batch, queries / s"], row["encode, ms"], row["centroids, ms"]) == ("1,250", "7.50", "0.500")
    assert row["passes"] == "4"


def test_what_was_not_measured_is_a_dash_and_never_a_zero(runs, latency):
    timed = latency(runs[0], 2.0, encode=None, search={"p99": None, "stages": {"scoring": 1.5}})
    row = latency_table(latency_frame([timed], runs, [])).shown.iloc[0]
    missing = {name for name, cell in row.items() if cell == "–"}
    assert missing == {"p99, ms", "encode, ms", "centroids, ms", "candidates, ms", "bytes / vector"}


def test_a_timing_that_did_not_settle_says_so(runs, latency):
    timed = latency(runs[0], 2.0, search={"passes": 10, "stable": False})
    assert latency_table(latency_frame([timed], runs, [])).shown["passes"].tolist() == ["10 (unstable)"]


def test_the_caption_names_the_machine_the_depth_and_the_queries(frame):
    caption = latency_table(frame).caption
    assert "A Processor, 8 CPUs." in caption
    assert "toy 200" in caption
    assert "ranking of the best 100" in caption


@pytest.mark.parametrize(
    ("times", "quality", "expected"),
    [
        ([1, 2, 3], [0.1, 0.2, 0.3], [True, True, True]),
        ([1, 2, 3], [0.3, 0.2, 0.1], [True, False, False]),
        ([1, 1, 2], [0.1, 0.2, 0.2], [False, True, False]),
        ([2, 2], [0.5, 0.5], [True, True]),
        ([5], [0.0], [True]),
    ],
)
def test_the_pareto_front_is_what_no_other_point_beats(times, quality, expected):
    assert pareto(np.array(times, float), np.array(quality)).tolist() == expected


def fronts(axes):
    return [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axes.lines if line.get_label() == FRONT]


def test_figure_3_joins_the_points_of_the_front_in_the_order_of_time(frame):
    (axes,) = quality_against_latency(frame).axes
    assert fronts(axes) == [([2.0, 8.0, 40.0], [0.5, 0.55, 0.6])]
    assert axes.get_xscale() == "log"
    assert (axes.get_ylabel(), axes.get_title()) == ("nDCG@10", "toy, m, 1 thread")


def test_figure_3_has_a_colour_per_codec_and_a_marker_per_preset(frame):
    (axes,) = quality_against_latency(frame).axes
    points = [line for line in axes.lines if line.get_label() != FRONT]
    colours, markers = [line.get_color() for line in points], [line.get_marker() for line in points]
    assert colours[1] == colours[2]
    assert len(set(colours)) == 3
    assert markers[0] == markers[1] != markers[2] == markers[3]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "fp16",
        "residual-2",
        "residual-1",
        "exact",
        "plaid",
        FRONT,
    ]


def test_figure_3_has_a_panel_per_number_of_threads(runs, latency):
    timed = [latency(run, 4.0 / threads, threads=threads) for run in runs for threads in (1, 2)]
    one, two = quality_against_latency(latency_frame(timed, runs, [])).axes
    assert (one.get_title(), two.get_title()) == ("toy, m, 1 thread", "toy, m, 2 threads")
    assert fronts(two) == [([2.0], [0.6])]


def test_names_in_figure_3_overlap_nothing_even_where_points_crowd(metric, latency):
    rng = np.random.default_rng(0)
    runs = [
        metric("m", codec, f"plaid-{number}", [0.5 + rng.normal(0, 0.001)], settings={"ndocs": number})
        for codec in ("fp16", "residual-2", "residual-1")
        for number in range(12)
    ]
    figure = quality_against_latency(latency_frame([latency(run, float(rng.uniform(1, 1.5))) for run in runs], runs, []))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [letters(text) for text in axes.texts]
    assert 0 < len(boxes) < len(runs)
    assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number])
    places = [axes.transData.transform(line.get_xydata()[0]) for line in axes.lines if line.get_label() != FRONT]
    assert not any(box.contains(*place) for box in boxes for place in places)


@pytest.mark.parametrize(("spread", "expected"), [(0.0002, 0.01), (0.2, 0.28)])
def test_figure_3_shows_no_less_than_a_hundredth_of_the_measure(spread, expected, metric, latency):
    runs = [metric("m", "residual-2", preset, [value]) for preset, value in (("exact", 0.5), ("plaid", 0.5 + spread))]
    (axes,) = quality_against_latency(latency_frame([latency(run, 2.0) for run in runs], runs, [])).axes
    low, high = axes.get_ylim()
    assert high - low == pytest.approx(expected)
    assert (low + high) / 2 == pytest.approx(0.5 + spread / 2)


def test_lone_points_are_named(frame):
    (axes,) = quality_against_latency(frame).axes
    assert {text.get_text() for text in axes.texts} == {"exact, fp16", "exact, 2 bits", "plaid, 2 bits", "plaid, 1 bit"}


def test_figure_3_of_the_same_numbers_has_identical_bytes(frame, tmp_path):
    for name in ("a", "b"):
        save(quality_against_latency(frame), tmp_path / name)
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_two_data_sets_with_measures_of_their_own_have_a_column_each(metric, latency):
    runs = [
        metric("m", "fp16", "exact", [0.5]),
        metric("m", "fp16", "exact", [0.25], dataset="other", measures=["RR@10"], mean={"RR@10": 0.5}),
    ]
    shown = latency_table(latency_frame([latency(run, 1.0) for run in runs], runs, [])).shown
    assert shown["nDCG@10"].tolist() == ["0.500", "–"]
    assert shown["RR@10"].tolist() == ["–", "0.500"]
