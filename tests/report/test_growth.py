import pandas as pd
import pytest

from bench.report import growth


def record(*sizes):
    """Sizes of (vectors, p50 of one preset, p50 of another)."""
    return {
        "indexes": [
            {
                "codec": "residual-2",
                "counts": {"vectors": vectors, "passages": vectors // 10, "centroids": 64},
                "build_s": {"centroids": 1.5, "index": 0.5},
                "bytes_per_vector": 38.25,
                "search": {"plaid": {"p50": fast, "overlap": 0.9}, "colbertv2": {"p50": slow, "overlap": 0.95}},
            }
            for vectors, fast, slow in sizes
        ]
    }


POWERS = {"residual-2, plaid": 0.25, "residual-2, colbertv2": 0.5}


@pytest.fixture
def found():
    return growth.frame(record((10_000, 1.0, 2.0), (40_000, 1.5, 4.5), (160_000, 2.0, 8.0)))


def test_a_row_is_a_size_and_a_preset(found):
    assert len(found) == 6
    row = found[(found["preset"] == "plaid") & (found["vectors"] == 40_000)].iloc[0]
    assert (row["passages"], row["p50"], row["build_s"], row["bytes_per_vector"]) == (4000, 1.5, 2.0, 38.25)
    assert (row["codec"], row["overlap"]) == ("residual-2", 0.9)


def test_the_power_is_that_of_the_first_and_last_size(found):
    assert growth.exponents(found) == pytest.approx(POWERS)
    assert growth.exponents(found.sample(frac=1, random_state=0)) == pytest.approx(POWERS)


def test_the_table_names_the_powers_and_groups_digits(found):
    table = growth.table(found)
    assert "0.5 is the square root. residual-2, plaid: 0.25; residual-2, colbertv2: 0.50." in table.caption
    assert table.shown.iloc[-1].tolist() == [
        "residual-2",
        "colbertv2",
        "160,000",
        "16,000",
        "64",
        "8.00",
        "0.950",
        "2",
        "38.2",
    ]


def test_the_figure_has_a_line_for_each_preset_and_one_to_compare_with(found):
    axes = growth.figure(found).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["plaid: power 0.25", "colbertv2: power 0.50", "square root: power 0.50"]
    line = axes.get_lines()[1]
    pd.testing.assert_series_equal(pd.Series(line.get_ydata()), pd.Series([2.0, 4.5, 8.0]))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_each_codec_has_a_panel_with_the_same_colours(found):
    both = pd.concat([found, found.assign(codec="opq-16x4t", p50=found["p50"] / 2)])
    left, right = growth.figure(both).axes
    assert (left.get_title(), right.get_title()) == ("residual-2", "opq-16x4t")
    assert [line.get_color() for line in left.get_lines()] == [line.get_color() for line in right.get_lines()]
    assert right.get_lines()[1].get_ydata().tolist() == [1.0, 2.25, 4.0]
