"""Printed numbers beside measured ones: match, close, off, missing or not comparable, each with its reason."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bench.errors import DamagedFileError, DataError
from bench.report.records import Record, Row, row_of
from bench.report.table import MISSING, Table

MATCH, CLOSE, OFF, ABSENT, INCOMPARABLE = "match", "close", "off", "missing", "not comparable"
NEEDED = ("source", "table", "dataset", "measure", "printed", "unit", "decimals", "comparable")
JUDGED = ("measured", "difference", "verdict", "because")
MEASURED = ("model", "codec", "preset", "tolerance", "reason")
SCALE = {"percent": 100.0}


def read(path: Path, *, judged: bool = False) -> pd.DataFrame:
    """Return printed numbers, all columns as text; ``judged`` ones have measured numbers and verdicts beside them.

    Raises DamagedFileError for a file that is missing or lacks a column, DataError for a row that is said to be comparable
    and names no model, codec, engine, tolerance or reason, or whose number is none.
    """
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path} cannot be read as CSV: {error}") from error
    if missing := sorted({*NEEDED, *MEASURED, "why", *(JUDGED if judged else ())} - set(found)):
        raise DamagedFileError(f"{path} lacks the columns {missing}")
    for line, row in enumerate(found.to_dict("records"), start=2):
        comparable = row["comparable"] == "yes"
        if row["comparable"] not in ("yes", "no"):
            raise DataError(f"line {line} of {path}: comparable is {row['comparable']!r}, expected yes or no")
        if empty := [name for name in (MEASURED if comparable else ("why",)) if not row[name]]:
            raise DataError(f"line {line} of {path} says comparable {row['comparable']}, and gives no {empty[0]}")
        if comparable and not (_is_number(row["printed"]) and _is_number(row["tolerance"]) and row["unit"] in SCALE):
            number = f"{row['printed']!r} {row['unit']} within {row['tolerance']!r}"
            raise DataError(f"line {line} of {path}: {number} is no printed number with a tolerance")
    return found


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def judged(printed: pd.DataFrame, metrics: Sequence[Record]) -> pd.DataFrame:
    """Return the printed numbers with the columns measured, difference, verdict and because, in the unit of the print.

    A measured number that rounds to the printed one is a match, one within the tolerance close, and any other off, also
    where it is better. A row whose run was made with deviations from the protocol is not comparable.
    """
    runs: dict[Row, Record] = {row_of(record): record for record in metrics}
    found = printed.copy()
    cells = [_cell(row, runs) for row in printed.to_dict("records")]
    for place, name in enumerate(JUDGED):
        found[name] = [cell[place] for cell in cells]
    return found


def _cell(row: Mapping[str, str], runs: Mapping[Row, Record]) -> tuple[float | None, float | None, str, str]:
    if row["comparable"] == "no":
        return None, None, INCOMPARABLE, row["why"]
    record = runs.get((row["dataset"], row["model"], row["codec"], row["preset"]))
    if record is None or row["measure"] not in record["mean"]:
        return None, None, ABSENT, "not run"
    measured = SCALE[row["unit"]] * record["mean"][row["measure"]]
    difference, digits = measured - float(row["printed"]), int(row["decimals"])
    if record["deviations"]:
        said = "; ".join(f"{name} {value}" for name, value in record["deviations"].items())
        return measured, difference, INCOMPARABLE, f"not by the protocol: {said}"
    if round(measured, digits) == float(row["printed"]):
        return measured, difference, MATCH, f"equal at {digits} decimals"
    verdict = CLOSE if abs(difference) <= float(row["tolerance"]) else OFF
    return measured, difference, verdict, f"tolerance {row['tolerance']}: {row['reason']}"


def counted(found: pd.DataFrame) -> str:
    """Return how many printed numbers have each verdict."""
    return ", ".join(f"{count} {verdict}" for verdict, count in found["verdict"].value_counts().items())


def published_table(found: pd.DataFrame) -> Table:
    """Return the table of printed numbers that can be compared; the others are in its plain numbers."""
    rows = found[found["comparable"] == "yes"]
    columns = ["source", "table", "dataset", "measure", "codec", "preset", "printed"]
    shown = rows[columns].rename(columns={"preset": "search"})
    digits = [int(decimals) + 1 for decimals in rows["decimals"]]
    for name, title, sign in (("measured", "measured", ""), ("difference", "Δ", "+")):
        values = zip(rows[name], digits, strict=True)
        shown[title] = [
            MISSING if pd.isna(value) else f"{value:{sign}.{places}f}".replace("-", "−") for value, places in values
        ]
    shown["verdict"], shown["because"] = rows["verdict"], rows["because"]
    caption = (
        f"Printed numbers beside measured ones, in per cent. {counted(found)}. Match: equal when rounded as printed; close: "
        f"within the tolerance; off: beyond the tolerance, also where the measured number is better. The numbers that are "
        f"not comparable are in the CSV file, each with its reason. {MISSING} means: not run."
    )
    return Table(found, shown, caption)
