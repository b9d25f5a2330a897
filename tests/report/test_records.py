"""Records to data frames: differences, their two parts, and what is missing."""

import json

import pandas as pd
import pytest

from bench.errors import DataError
from bench.report.records import quality_frame, read_metrics, read_sizes, size_frame

REFERENCE = [1.0, 0.5, 0.0, 0.5]
DECODED = [1.0, 0.5, 0.0, 0.0]
SEARCHED = [0.5, 0.5, 0.0, 0.0]


@pytest.fixture
def three(metric, size):
    metrics = [
        metric("m", "fp16", "exact", REFERENCE),
        metric("m", "residual-2", "exact", DECODED),
        metric("m", "residual-2", "plaid", SEARCHED, settings={"ncells": 2, "ndocs": 1024}),
    ]
    return quality_frame(metrics, [size("m", "fp16"), size("m", "residual-2")], seed=1).set_index(["codec", "preset"])


def test_the_difference_to_uncompressed_is_split_into_codec_and_engine(three):
    row = three.loc[("residual-2", "plaid")]
    assert row["value"] == 0.25
    assert row["difference"] == pytest.approx(-0.25)
    assert row["codec_loss"] == pytest.approx(-0.125)
    assert row["engine_loss"] == pytest.approx(-0.125)
    assert row["codec_loss"] + row["engine_loss"] == pytest.approx(row["difference"])


def test_the_exact_run_over_a_codec_loses_nothing_to_its_engine(three):
    row = three.loc[("residual-2", "exact")]
    assert (row["difference"], row["codec_loss"], row["engine_loss"]) == (-0.125, -0.125, 0.0)


def test_the_uncompressed_exact_run_has_no_difference_to_itself(three):
    row = three.loc[("fp16", "exact")]
    assert row[["difference", "difference_low", "difference_high", "difference_p", "codec_loss", "engine_loss"]].isna().all()


def test_intervals_hold_their_values_and_p_is_a_share(three):
    assert ((three["low"] <= three["value"]) & (three["value"] <= three["high"])).all()
    compared = three.dropna(subset="difference")
    assert (compared["difference_low"] <= compared["difference"]).all()
    assert (compared["difference"] <= compared["difference_high"]).all()
    # 2 of 4 queries change, by 0.5 each: half of all signs reach that sum
    assert compared.loc[("residual-2", "plaid"), "difference_p"] == pytest.approx(0.5, abs=0.03)


def test_a_row_carries_its_size_settings_and_counts(three):
    row = three.loc[("residual-2", "plaid")]
    assert row["settings"] == "ncells=2, ndocs=1024"
    assert row["bytes_per_vector"] == 64.0
    assert (row["queries"], row["short"], row["tied"], row["precision"]) == (4, 1, 2, "float32")
    assert (row["headline"], row["nDCG@10"], row["RR@10"]) == ("nDCG@10", 0.25, 0.5)


def test_without_a_reference_the_difference_is_absent_and_not_zero(metric, size):
    metrics = [metric("m", "residual-2", "exact", DECODED), metric("bm25", "text", "bm25", REFERENCE)]
    found = quality_frame(metrics, [size("m", "residual-2")], seed=1)
    assert found[["difference", "difference_p", "codec_loss", "engine_loss"]].isna().all(axis=None)
    assert found["bytes_per_vector"].isna().tolist() == [False, True]


def test_without_an_exact_run_over_the_codec_the_parts_are_absent_but_not_the_difference(metric):
    metrics = [metric("m", "fp16", "exact", REFERENCE), metric("m", "residual-2", "plaid", SEARCHED)]
    row = quality_frame(metrics, [], seed=1).iloc[1]
    assert row["difference"] == pytest.approx(-0.25)
    assert pd.isna(row["codec_loss"])
    assert pd.isna(row["engine_loss"])


def test_a_difference_is_taken_within_one_data_set_and_one_model(metric):
    metrics = [
        metric("m", "fp16", "exact", [1.0, 1.0]),
        metric("m", "fp16", "exact", [0.0, 0.0], dataset="other"),
        metric("n", "fp16", "exact", [0.4, 0.4]),
        metric("n", "residual-2", "exact", [0.3, 0.3]),
        metric("m", "residual-2", "exact", [0.25, 0.25], dataset="other"),
    ]
    found = quality_frame(metrics, [], seed=1).set_index(["dataset", "model", "codec"])["difference"]
    assert found["toy", "n", "residual-2"] == pytest.approx(-0.1)
    assert found["other", "m", "residual-2"] == pytest.approx(0.25)


def test_the_rows_of_a_model_stand_together_in_the_order_of_their_records(metric):
    axes = [("m", "fp16"), ("n", "fp16"), ("m", "residual-2"), ("n", "residual-1"), ("m", "residual-1")]
    found = quality_frame([metric(model, codec, "exact", [0.5, 0.25]) for model, codec in axes], [], seed=1)
    assert list(zip(found["model"], found["codec"], strict=True)) == [
        ("m", "fp16"),
        ("m", "residual-2"),
        ("m", "residual-1"),
        ("n", "fp16"),
        ("n", "residual-1"),
    ]


def test_queries_are_paired_by_id_and_not_by_place(metric):
    reference = metric("m", "fp16", "exact", REFERENCE)
    decoded = metric("m", "residual-2", "exact", REFERENCE)
    for name, found in decoded["per_query"].items():
        decoded["per_query"][name] = dict(reversed(found.items()))
    row = quality_frame([reference, decoded], [], seed=1).iloc[1]
    assert (row["difference"], row["difference_low"], row["difference_high"], row["difference_p"]) == (0.0, 0.0, 0.0, 1.0)


def test_runs_over_different_queries_are_not_paired(metric):
    reference = metric("m", "fp16", "exact", REFERENCE)
    other = metric("m", "residual-2", "exact", REFERENCE)
    other["per_query"] = {
        name: {f"other-{query}": value for query, value in found.items()} for name, found in other["per_query"].items()
    }
    with pytest.raises(DataError, match="quer"):
        quality_frame([reference, other], [], seed=1)


def test_the_same_seed_gives_the_same_frame(metric):
    metrics = [metric("m", "fp16", "exact", REFERENCE), metric("m", "residual-2", "plaid", SEARCHED)]
    first, second = (quality_frame(metrics, [], seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def write(folder, records):
    paths = [folder / f"{number}.json" for number in range(len(records))]
    for path, record in zip(paths, records, strict=True):
        path.write_text(json.dumps(record))
    return paths


def test_records_are_read_in_the_order_given(metric, tmp_path):
    records = [metric("m", "residual-2", "exact", DECODED), metric("m", "fp16", "exact", REFERENCE)]
    assert read_metrics(write(tmp_path, records)) == records


def test_two_records_of_runs_for_one_row_are_refused(metric, tmp_path):
    records = [metric("m", "fp16", "exact", REFERENCE), metric("m", "fp16", "exact", DECODED)]
    with pytest.raises(DataError, match=r"same row: \[\('toy', 'm', 'fp16', 'exact'\)\]"):
        read_metrics(write(tmp_path, records))


def test_two_records_of_sizes_for_one_row_are_refused(size, tmp_path):
    with pytest.raises(DataError, match=r"same row: \[\('toy', 'm', 'fp16'\)\]"):
        read_sizes(write(tmp_path, [size("m", "fp16"), size("m", "fp16")]))


def test_sizes_carry_every_component_and_their_ratios(size):
    found = size_frame([size("m", "fp16"), size("m", "residual-2")])
    assert found["total"].tolist() == [2600, 640]
    assert found["residuals"].tolist() == [0, 320]
    assert found["ratio_paper"].isna().tolist() == [True, False]
    assert found["ratio_with_centroids"].iloc[1] == 5.12


@pytest.mark.parametrize("part", ["corpus", "queries"])
def test_rows_of_one_data_set_that_were_made_with_other_data_do_not_stand_in_one_table(tmp_path, metric, part):
    records = [metric("m", codec, "exact", [1.0]) for codec in ("fp16", "residual-2")]
    for number, record in enumerate(records):
        record["run"]["inputs"] |= {"corpus": "c", "queries": "q", part: str(number)}
    with pytest.raises(DataError, match=f"toy/m/fp16/exact and toy/m/residual-2/exact were made with different {part}"):
        read_metrics(write(tmp_path, records))
    records[1]["dataset"] = "other"
    assert len(read_metrics(write(tmp_path, records))) == 2
