"""Figures: identical bytes, and the lines and points that the numbers ask for."""

import numpy as np
import pytest

from bench.errors import SettingsError
from bench.report.figures import codec_colour, quality_against_bytes, save, size_by_component
from bench.report.records import quality_frame, size_frame


def frame(quick, keep=lambda record: True):
    metrics, sizes = quick
    return quality_frame([record for record in metrics if keep(record)], sizes, seed=1)


def curves(axes):
    """Points by label of the lines that are drawn through points."""
    found = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    lines = {label: getattr(handle, "lines", [handle])[0] for label, handle in found.items() if "baseline" not in label}
    return {label: list(zip(line.get_xdata(), line.get_ydata(), strict=True)) for label, line in lines.items()}


def horizontal(axes, *, baselines):
    """Heights of the lines across a panel: of baselines, which the legend names, or of uncompressed vectors."""
    lines = [line for line in axes.lines if line.get_marker() in ("None", None, "") and line.get_linestyle() == "--"]
    return [float(line.get_ydata()[0]) for line in lines if line.get_label().endswith("(baseline)") == baselines]


def test_a_codec_has_one_colour_and_sizes_of_a_family_are_told_apart():
    codecs = ["residual-1", "residual-2", "residual-4", "residual-8", "opq-8", "opq-16", "opq-32", "fp16"]
    assert len({codec_colour(codec) for codec in codecs}) == len(codecs)
    assert codec_colour("residual-8") == "#0072b2"
    assert codec_colour("residual-1") == "#8cc0dc"  # 0.45 of the family's and 0.55 of white
    with pytest.raises(SettingsError, match="codec 'zip' in config is not one of"):
        codec_colour("zip")


def test_a_figure_saved_twice_has_identical_bytes(quick, tmp_path):
    for name in ("a", "b"):
        save(quality_against_bytes(frame(quick)), tmp_path / name)
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
        assert (tmp_path / f"a{suffix}").stat().st_size > 1000


def test_figure_1_has_one_point_per_codec_on_the_line_of_a_model_and_preset(quick):
    (axes,) = quality_against_bytes(frame(quick)).axes
    found = curves(axes)
    assert set(found) == {"minilm, exact", "minilm, plaid", "contrastive, exact", "contrastive, plaid"}
    np.testing.assert_allclose(found["minilm, exact"], [(40, 0.525), (64, 0.565), (260, 0.575)])
    np.testing.assert_allclose(found["contrastive, plaid"], [(40, 0.615), (64, 0.655)])


def test_figure_1_has_one_dashed_line_per_model_at_its_uncompressed_quality(quick):
    (axes,) = quality_against_bytes(frame(quick)).axes
    assert horizontal(axes, baselines=False) == pytest.approx([0.575, 0.675])


def test_figure_1_has_one_line_per_baseline(quick):
    (axes,) = quality_against_bytes(frame(quick)).axes
    assert horizontal(axes, baselines=True) == pytest.approx([0.35, 0.4])
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert [label for label in labels if "baseline" in label] == ["pooled (baseline)", "bm25 (baseline)"]


def test_figure_1_has_bars_of_the_paired_interval_around_compressed_points_under_exact_search(quick):
    quality = frame(quick)
    (axes,) = quality_against_bytes(quality).axes
    containers = {container.get_label(): container for container in axes.containers}
    _, _, (bars,) = containers["minilm, exact"].lines
    rows = quality[(quality["model"] == "minilm") & (quality["preset"] == "exact")].sort_values("bytes_per_vector")
    reference = rows["value"].iloc[-1]
    expected = [[reference + row.difference_low, reference + row.difference_high] for row in rows.itertuples()]
    expected[-1] = [reference, reference]
    np.testing.assert_allclose([segment[:, 1] for segment in bars.get_segments()], expected)
    assert containers["minilm, plaid"].has_yerr is False


def test_figure_1_names_its_measure_and_its_data_set(quick):
    (axes,) = quality_against_bytes(frame(quick)).axes
    assert (axes.get_title(), axes.get_ylabel()) == ("toy", "nDCG@10")
    assert axes.get_xlabel() == "bytes per vector, everything counted"


def test_figure_1_works_with_one_model(quick):
    (axes,) = quality_against_bytes(frame(quick, lambda record: record["model"] == "minilm")).axes
    assert set(curves(axes)) == {"minilm, exact", "minilm, plaid"}
    assert horizontal(axes, baselines=False) == pytest.approx([0.575])


def test_figure_1_works_without_baselines(quick):
    (axes,) = quality_against_bytes(frame(quick, lambda record: record["model"] not in ("pooled", "bm25"))).axes
    assert len(curves(axes)) == 4
    assert horizontal(axes, baselines=True) == []


def test_figure_1_works_with_baselines_alone(quick, tmp_path):
    figure = quality_against_bytes(frame(quick, lambda record: record["model"] in ("pooled", "bm25")))
    save(figure, tmp_path / "figure")
    assert curves(figure.axes[0]) == {}
    assert horizontal(figure.axes[0], baselines=True) == pytest.approx([0.35, 0.4])


def test_fonts_are_embedded_as_truetype_which_publishers_ask_for(quick, tmp_path):
    save(quality_against_bytes(frame(quick)), tmp_path / "figure")
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"/Type3" not in content
    assert b"/FontFile2" in content


def test_figure_1_has_a_panel_per_data_set_with_numbers_of_its_own(quick, metric):
    metrics, sizes = quick
    other = [metric("minilm", "fp16", "exact", [0.25, 0.75], dataset="other")]
    sizes = [*sizes, {**sizes[0], "corpus": "other", "index": "other/minilm/fp16"}]
    left, right = quality_against_bytes(quality_frame([*metrics, *other], sizes, seed=1)).axes
    assert (left.get_title(), right.get_title()) == ("toy", "other")
    assert len(curves(left)) == 4
    assert curves(right) == {"minilm, exact": [(260.0, 0.5)]}
    assert horizontal(right, baselines=False) == [0.5]
    assert horizontal(right, baselines=True) == []


def test_figure_1_draws_more_models_than_it_has_colours(metric, size):
    metrics = [metric(f"m{number}", "fp16", "exact", [number / 10, 0.5]) for number in range(9)]
    sizes = [size(f"m{number}", "fp16") for number in range(9)]
    (axes,) = quality_against_bytes(quality_frame(metrics, sizes, seed=1)).axes
    assert len(curves(axes)) == 9


def test_figure_2_has_a_bar_per_codec_as_long_as_its_bytes_per_vector(quick):
    figure = size_by_component(size_frame(quick[1]))
    assert [axes.get_title() for axes in figure.axes] == ["toy, minilm", "toy, contrastive"]
    axes = figure.axes[0]
    ends = {}
    for bar in axes.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        ends[row] = max(ends.get(row, 0), bar.get_x() + bar.get_width())
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert {labels[row]: pytest.approx(end) for row, end in ends.items()} == {
        "fp16": 260,
        "residual-2": 64,
        "residual-1": 40,
    }


def test_figure_2_splits_a_bar_by_component(quick):
    axes = size_by_component(size_frame(quick[1])).axes[0]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    widths = {bars.get_label(): bars[labels.index("residual-2")].get_width() for bars in axes.containers}
    assert widths == {
        "float16": 0,
        "codes": 2,
        "residuals": 32,
        "inverted list": 6,
        "norms": 1,
        "centroids": 10,
        "other": 13,
    }


def test_figure_2_saved_twice_has_identical_bytes(quick, tmp_path):
    for name in ("a", "b"):
        save(size_by_component(size_frame(quick[1])), tmp_path / name)
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_figure_2_of_single_indexes_is_empty_but_drawn(size, tmp_path):
    figure = size_by_component(size_frame([size("pooled", "fp16")]))
    save(figure, tmp_path / "figure")
    assert figure.axes == []
    assert (tmp_path / "figure.png").exists()


def test_figure_1_names_the_papers_codecs_below_their_bytes_and_no_others(quick):
    quality = frame(quick)
    (axes,) = quality_against_bytes(quality).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["40\n1 bit", "64\n2 bits", "260\nfp16"]
    other = quality.assign(codec=quality["codec"].replace({"residual-1": "pq-8"}))
    (axes,) = quality_against_bytes(other).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["64\n2 bits", "260\nfp16"]
