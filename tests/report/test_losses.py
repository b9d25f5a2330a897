"""Table 8 and Figure 8: the loss in parts, the agreement of rankings, and errors beside the bound, from records by hand."""

import numpy as np
import pandas as pd
import pytest

from bench.errors import DataError
from bench.report.figures import codec_colour, save
from bench.report.losses import losses_frame, losses_table
from bench.report.losses_figure import loss_by_part
from bench.report.records import quality_frame, row_of

VALUES = {
    ("fp16", "exact"): [0.75, 0.5],
    ("residual-2", "exact"): [0.75, 0.25],
    ("residual-2", "plaid"): [0.25, 0.25],
    ("opq-16", "plaid"): [0.75, 0.75],
}
KEPT = {("fp16", "exact"): 4, ("residual-2", "exact"): 3, ("residual-2", "plaid"): 1, ("opq-16", "plaid"): 4}
ERRORS = {"cosine": 0.9, "squared_error": 0.2, "maxsim_error": 0.3, "maxsim_rms": 0.4}


def ranking(kept):
    return [(f"p{place}" if place < kept else f"x{place}", -float(place)) for place in range(4)]


@pytest.fixture
def world(metric, size):
    records = [metric("m", codec, preset, values) for (codec, preset), values in VALUES.items()]
    for record in records:
        record["run"]["inputs"].update({"corpus": "c", "queries": "q", "model": "m"})
    runs = {row_of(record): {q: ranking(KEPT[row_of(record)[2:]]) for q in ("q0", "q1")} for record in records}
    bound = {name: value / 2 for name, value in ERRORS.items()}
    codecs = [
        {
            "codec": codec,
            "bits": {"code": 16, "residual": 256},
            "measured": ERRORS,
            "bound": bound,
            "residual_bound": 0.125,
            "index": f"toy/m/{codec}",
        }
        for codec in ("residual-2", "opq-16")
    ]
    sizes = [size("m", "fp16"), size("m", "residual-2")]
    return records, sizes, runs, [{"dataset": "toy", "model": "m", "codecs": codecs}]


@pytest.fixture
def frame(world):
    return losses_frame(*world, [1, 4, 10], seed=1)


def test_a_row_per_compressed_run_with_the_loss_of_table_1_in_its_two_parts(frame, world):
    assert list(zip(frame["codec"], frame["preset"], strict=True)) == list(VALUES)[1:]
    exact, plaid, lone = frame.to_dict("records")
    assert (exact["codec_loss"], exact["engine_loss"]) == (-0.125, 0)
    assert (plaid["codec_loss"], plaid["engine_loss"], plaid["difference"]) == (-0.125, -0.25, -0.375)
    assert pd.isna(lone["codec_loss"])
    assert lone["difference"] == 0.125
    table1 = quality_frame(world[0], world[1], seed=1)
    assert table1["difference_low"].tolist()[1:] == frame["difference_low"].tolist()


def test_agreement_is_with_exhaustive_search_over_uncompressed_vectors(frame):
    assert frame["overlap@1"].tolist() == [1, 1, 1]
    assert frame["overlap@4"].tolist() == [0.75, 0.25, 1]
    # Depths 1 to 4 agree by 1, 1, 1, 3/4, and so does what follows.
    by_hand = 0.1 / 0.9 * (0.9 + 0.9**2 + 0.9**3 + 0.75 * 0.9**4) + 0.75 * 0.9**4
    assert frame["RBO"].tolist()[::2] == pytest.approx([by_hand, 1])
    assert frame["RBO_low"].tolist() == pytest.approx(frame["RBO"].tolist())


def test_an_overlap_deeper_than_a_ranking_is_missing_and_not_0(frame):
    assert frame["overlap@10"].isna().all()
    assert losses_table(frame).shown["overlap@10"].tolist() == ["–"] * 3


def test_the_table_shows_each_error_beside_the_bound_at_its_bits(frame):
    shown = losses_table(frame).shown.iloc[0]
    assert shown["bits"] == "272"
    assert shown["cosine (bound)"] == "0.9000 (0.4500)"
    assert shown["squared error, bound of residuals"] == "0.1250"
    assert shown["MaxSim error (bound)"] == "0.300 (0.150)"
    assert (shown["Δ codec"], shown["Δ engine"]) == ("−0.125", "0.000")
    assert shown["overlap@4"] == "0.750 [0.750, 0.750]"


def test_a_codec_without_a_reconstruction_of_its_index_is_refused(world):
    records, sizes, runs, rebuilt = world
    rebuilt[0]["codecs"][0]["index"] = "another"
    with pytest.raises(DataError, match="run toy/m/residual-2/exact has no reconstruction over the index that it searched"):
        losses_frame(records, sizes, runs, rebuilt, [4], seed=1)
    with pytest.raises(DataError, match="run toy/m/residual-2/exact has no reconstruction"):
        losses_frame(records, sizes, runs, [], [4], seed=1)


def test_figure_8_stacks_the_part_of_the_engine_on_that_of_the_codec_in_its_colour(frame, tmp_path):
    figure = loss_by_part(frame)
    (axes,) = figure.axes
    codec, engine = axes.containers
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in (*codec, *engine)]
    np.testing.assert_allclose(bars, [(0, 0.125), (0, 0.125), (0, 0), (0, 0), (0.125, 0.375), (0, 0)])
    assert axes.lines[0].get_xdata().tolist() == [0.125, 0.375, -0.125]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "residual-2, exact",
        "residual-2, plaid",
        "opq-16, plaid",
    ]
    colours = [bar.get_facecolor()[:3] for bar in codec]
    assert colours[0] == colours[1] == pytest.approx(rgb(codec_colour("residual-2")))
    assert colours[2] == pytest.approx(rgb(codec_colour("opq-16")))
    assert axes.get_xlabel() == "loss of nDCG@10"
    save(figure, tmp_path / "figure")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_a_gain_of_the_engine_goes_the_other_way_from_a_loss_by_the_codec(frame):
    gained = frame.assign(engine_loss=[0.0, 0.25, np.nan], difference=[-0.125, 0.125, 0.125])
    _, engine = loss_by_part(gained).axes[0].containers
    assert (engine[1].get_x(), engine[1].get_width()) == (0, -0.25)


def rgb(text):
    return tuple(int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))
