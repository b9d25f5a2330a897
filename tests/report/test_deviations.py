"""Marks of what differs from the protocol, in every table that has a row of it."""

import pandas as pd
import pytest

from bench.report.deviations import MARK, cells, described, note
from bench.report.latency import latency_frame, latency_table
from bench.report.models import models_frame, models_table
from bench.report.quality import quality_table, size_table
from bench.report.records import quality_frame, size_frame

MARKS = {"doc_maxlen": "96, protocol 180"}


def test_marks_become_one_line_in_the_order_of_their_keys():
    assert described({"sample": "5 of 9 queries, by seed", **MARKS}) == (
        "doc_maxlen 96, protocol 180; sample 5 of 9 queries, by seed"
    )
    assert described({}) == ""


def test_only_what_differs_is_marked_and_explained_once():
    names, deviations = pd.Series(["a", "a", "b"]), pd.Series(["x", "x", ""])
    assert cells(names, deviations) == [f"a {MARK}", f"a {MARK}", "b"]
    assert note(names, deviations) == f" {MARK} differs from the protocol: a (x)."
    assert note(names, pd.Series(["", "", ""])) == ""


@pytest.fixture
def every_table(metric, size, latency):
    record = {**metric("m", "fp16", "exact", [0.5, 0.25]), "deviations": MARKS}
    sized = size("m", "fp16", deviations=MARKS)
    return {
        "1": quality_table(quality_frame([record], [sized], seed=1)),
        "2": size_table(size_frame([sized])),
        "3": latency_table(latency_frame([latency(record, 1.0)], [record], [sized])),
        "5": models_table(models_frame([record], "m", seed=1), "m", {}, {}),
    }


@pytest.mark.parametrize("number", ["1", "2", "3", "5"])
def test_a_row_that_differs_is_marked_in_table(every_table, number, tmp_path):
    table = every_table[number]
    assert table.shown.iloc[0, 0] == f"toy {MARK}"
    assert table.caption.endswith(f" {MARK} differs from the protocol: toy (doc_maxlen 96, protocol 180).")
    assert table.data["deviations"].tolist() == ["doc_maxlen 96, protocol 180"]
    table.write(tmp_path / "t")
    assert r"toy $\dagger$" in (tmp_path / "t.tex").read_text(encoding="utf-8")
