"""Means over groups of data sets: of all members or none."""

import pytest

from bench.report.macro import macro
from bench.report.quality import quality_table
from bench.report.records import quality_frame

GROUPS = {"Both": ["a", "b"]}


@pytest.fixture
def frame(metric):
    def make(*members, deviations=None, **changes):
        metrics = []
        for member, plain, compressed in members:
            for codec, value in (("fp16", plain), ("residual-2", compressed)):
                record = metric("m", codec, "exact", [value] * (8 if member == "a" else 2), dataset=member, **changes)
                metrics.append({**record, "deviations": (deviations or {}).get(member, {})})
        return quality_frame(metrics, [], seed=1)

    return make


def test_a_mean_counts_every_data_set_the_same_whatever_its_number_of_queries(frame):
    found = macro(frame(("a", 0.2, 0.1), ("b", 0.6, 0.5)), GROUPS)
    assert found.missing == []
    assert found.rows["dataset"].tolist() == ["Both", "Both"]
    assert found.rows["codec"].tolist() == ["fp16", "residual-2"]
    assert found.rows["value"].tolist() == pytest.approx([0.4, 0.3])
    assert found.rows["nDCG@10"].tolist() == pytest.approx([0.4, 0.3])
    assert found.rows["queries"].tolist() == [10, 10]


def test_a_mean_of_differences_is_the_difference_of_means(frame):
    rows = macro(frame(("a", 0.2, 0.1), ("b", 0.6, 0.5)), GROUPS).rows
    assert rows["difference"].isna().tolist() == [True, False]
    assert rows["difference"].iloc[1] == pytest.approx(-0.1)


def test_without_one_member_there_is_no_mean_and_the_member_is_named(frame):
    found = macro(frame(("a", 0.2, 0.1)), GROUPS)
    assert len(found.rows) == 0
    assert found.missing == ["Both, m / fp16 / exact: missing b", "Both, m / residual-2 / exact: missing b"]


def test_a_system_that_was_not_run_on_all_members_has_no_mean_beside_one_that_was(frame):
    whole = frame(("a", 0.2, 0.1), ("b", 0.6, 0.5))
    part = whole[(whole["dataset"] == "a") | (whole["codec"] == "fp16")]
    found = macro(part, GROUPS)
    assert found.rows["codec"].tolist() == ["fp16"]
    assert found.missing == ["Both, m / residual-2 / exact: missing b"]


def test_members_with_different_headlines_have_no_mean(frame, metric):
    whole = frame(("a", 0.2, 0.1), ("b", 0.6, 0.5))
    whole.loc[whole["dataset"] == "b", "headline"] = "RR@10"
    assert macro(whole, GROUPS).missing[0] == "Both, m / fp16 / exact: headlines differ: nDCG@10, RR@10"


def test_a_group_of_which_nothing_was_run_is_not_mentioned(frame):
    found = macro(frame(("c", 0.2, 0.1)), GROUPS)
    assert (len(found.rows), found.missing) == (0, [])


def test_the_marks_of_a_member_are_marks_of_the_mean(frame):
    found = macro(frame(("a", 0.2, 0.1), ("b", 0.6, 0.5), deviations={"b": {"doc_maxlen": "96, protocol 300"}}), GROUPS)
    assert set(found.rows["deviations"]) == {"b: doc_maxlen 96, protocol 300"}


def test_table_1_shows_the_mean_without_an_interval(frame):
    table = quality_table(frame(("a", 0.2, 0.1), ("b", 0.6, 0.5)), GROUPS)
    row = table.shown[table.shown["data set"] == "Both"].iloc[1]
    assert (row["nDCG@10"], row["Δ uncompressed"], row["bytes / vector"]) == ("0.300", "−0.100", "–")
    assert table.data["value"].tolist() == pytest.approx([0.2, 0.1, 0.6, 0.5, 0.4, 0.3])
    assert "counts each of them the same, and has no interval" in table.caption
    assert "Judged queries: a 8, b 2." in table.caption


def test_table_1_names_the_missing_members_and_has_no_row_for_the_mean(frame):
    table = quality_table(frame(("a", 0.2, 0.1)), GROUPS)
    assert set(table.shown["data set"]) == {"a"}
    assert "No Both, m / fp16 / exact: missing b." in table.caption
