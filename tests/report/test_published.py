"""Printed numbers beside measured ones, from records made by hand in the layout of the real ones."""

from pathlib import Path

import pandas as pd
import pytest

from bench.cli import main
from bench.config import datasets
from bench.errors import DamagedFileError, DataError
from bench.files.storage import write_json
from bench.report import published

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "results" / "published.csv"


@pytest.fixture(scope="module")
def printed():
    return published.read(NUMBERS)


@pytest.fixture
def made(printed, metric):
    """``made(shift)``: a record for every printed number that can be compared, all of them off by so many points."""

    def records(shift=0.0, **changes):
        rows = printed[printed["comparable"] == "yes"]
        found = {}
        for row in rows.to_dict("records"):
            key = (row["dataset"], row["model"], row["codec"], row["preset"])
            record = found.setdefault(key, metric(*key[1:], [0.0], dataset=row["dataset"], **changes))
            record["mean"] = {**record["mean"], row["measure"]: (float(row["printed"]) + shift) / 100}
        return list(found.values())

    return records


CELL = ["dataset", "model", "codec", "preset", "measure"]  # two papers print some cells, one of them 98.4 and 98.3


def verdicts(printed, records):
    """Verdicts by number of cells, each judged by the last paper that prints it, which the records are made from."""
    found = published.judged(printed, published.Measured(records))
    return found[found["comparable"] == "yes"].drop_duplicates(CELL, keep="last")["verdict"].value_counts().to_dict()


@pytest.fixture(scope="module")
def cells(printed):
    """Number of different cells that can be compared."""
    return len(printed[printed["comparable"] == "yes"].drop_duplicates(CELL))


def test_every_printed_number_is_there_and_says_why_it_cannot_be_compared_if_so(printed):
    assert len(printed) == 484
    assert (printed["comparable"] == "yes").sum() == 59
    assert (printed[printed["comparable"] == "no"]["why"] != "").all()


def test_a_comparable_number_is_of_a_data_set_and_a_measure_of_the_protocol(printed):
    known = datasets.read(ROOT / "config" / "datasets.yaml").sets
    for row in printed[printed["comparable"] == "yes"].to_dict("records"):
        assert row["measure"] in known[row["dataset"]]["measures"]


@pytest.mark.parametrize(
    ("shift", "expected"), [(0.0, "match"), (0.04, "match"), (0.4, "close"), (-0.4, "close"), (1.1, "off"), (-1.1, "off")]
)
def test_a_number_is_matched_close_or_off_in_both_directions(printed, cells, made, shift, expected):
    assert verdicts(printed, made(shift)) == {expected: cells}


def test_what_was_not_run_is_missing_and_what_is_not_by_the_protocol_is_not_comparable(printed, cells, made):
    assert verdicts(printed, []) == {"missing": cells}
    assert verdicts(printed, made(deviations={"sample": "100 of 6980 queries, by seed"})) == {"not comparable": cells}


def test_the_table_shows_print_measurement_and_difference_and_keeps_the_rest_as_plain_numbers(printed, made, tmp_path):
    table = published.published_table(published.judged(printed, published.Measured(made(0.4))))
    row = table.shown[table.shown["dataset"] == "msmarco-passage/dev/small"].iloc[0]
    assert (row["printed"], row["measured"], row["Δ"], row["verdict"]) == ("39.7", "40.10", "+0.40", "close")
    table.write(tmp_path / "published")
    assert len(pd.read_csv(tmp_path / "published.csv")) == 484
    assert "425 not comparable, 59 close" in table.caption


@pytest.mark.parametrize(("shift", "code"), [(0.0, 0), (1.1, 1)])
def test_the_verdict_fails_where_a_number_is_off_and_names_it(printed, made, tmp_path, capsys, shift, code):
    paths = []
    for number, record in enumerate(made(shift)):
        write_json(tmp_path / f"{number}.json", record)
        paths.append(str(tmp_path / f"{number}.json"))
    assert main(["published", "--numbers", str(NUMBERS), "--metrics", *paths, "--output", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["verdict", str(tmp_path / "published.csv")]) == code
    out = capsys.readouterr().out
    assert ("msmarco-passage/dev/small RR@10 printed 39.7, measured 40.80" in out) == bool(code)


@pytest.mark.parametrize("name", ["preset", "codec", "model", "tolerance", "reason"])
def test_a_comparable_row_without_its_engine_or_bits_is_refused(tmp_path, printed, name):
    broken = printed[printed["comparable"] == "yes"].head(1).assign(**{name: ""})
    broken.to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(DataError, match=rf"line 2 of .*p\.csv says comparable yes, and gives no {name}"):
        published.read(tmp_path / "p.csv")


def test_other_rows_that_cannot_be_read_are_refused(tmp_path, printed):
    one = printed[printed["comparable"] == "yes"].head(1)
    for changes, words in (
        ({"printed": "39.7*"}, "'39.7\\*' percent within '0.5' is no printed number"),
        ({"comparable": "maybe"}, "comparable is 'maybe', expected yes or no"),
        ({"comparable": "no"}, "says comparable no, and gives no why"),
    ):
        one.assign(**changes).to_csv(tmp_path / "p.csv", index=False)
        with pytest.raises(DataError, match=words):
            published.read(tmp_path / "p.csv")
    one.drop(columns="why").to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(DamagedFileError, match=r"lacks the columns \['why'\]"):
        published.read(tmp_path / "p.csv")
