"""The tables of the papers in their own layout, each printed number beside the measured one and a verdict on it."""

from collections.abc import Mapping, Sequence

import pandas as pd

from bench.config.paper_tables import PaperTable, Where
from bench.errors import DataError
from bench.report.published import JUDGED, counted
from bench.report.records import Record
from bench.report.table import MISSING, Table

ROW, COLUMN, NOT_RUN = "row", "column", "not run"
FIRST_LINE = 2  # of the numbers in the CSV file


def placed(printed: pd.DataFrame, table: PaperTable) -> pd.DataFrame:
    """Return the printed numbers of one table with the numbers of their row and column in its layout.

    Raise DataError for a number that no cell of the layout takes, for two in one cell, and for a row or a column without.
    """
    own = printed[(printed["source"] == table.source) & printed["table"].isin(table.tables)].copy()
    rows, columns = list(table.rows.values()), list(table.columns.values())
    for name, places in ((ROW, rows), (COLUMN, columns)):
        own[name] = [_place(values, places, table, line) for line, values in _lines(own)]
        if empty := [where for number, where in enumerate(places) if number not in set(own[name])]:
            raise DataError(f"{table.source} has no printed number in {table.tables} for the {name} {dict(empty[0])}")
    if (twice := own.duplicated([ROW, COLUMN])).any():
        line = own.index[twice][0] + FIRST_LINE
        raise DataError(f"line {line} of the printed numbers stands in a cell of {table.tables} that another line has")
    return own.sort_values([ROW, COLUMN], kind="stable")


def _lines(found: pd.DataFrame) -> list[tuple[int, Mapping[str, str]]]:
    return [(int(index) + FIRST_LINE, row) for index, row in zip(found.index, found.to_dict("records"), strict=True)]


def _place(row: Mapping[str, str], places: Sequence[Where], table: PaperTable, line: int) -> int:
    found = [number for number, where in enumerate(places) if where.items() <= row.items()]
    if len(found) != 1:
        what = f"{row['system']}, {row['dataset']}, {row['measure']}, bits {row['bits'] or 'none'}"
        raise DataError(f"line {line} of the printed numbers ({what}) has {len(found)} places in {table.tables}, expected 1")
    return found[0]


def check_datasets(table: PaperTable, metrics: Sequence[Record]) -> None:
    """Raise DataError for a run of a data set that the table does not print."""
    if unknown := sorted({record["dataset"] for record in metrics} - set(table.datasets)):
        raise DataError(
            f"a run is of the data set {unknown[0]!r}, which is not in {table.tables}: {', '.join(table.datasets)}"
        )


def paper_table(found: pd.DataFrame, table: PaperTable) -> Table:
    """Return a table of ``placed`` and judged numbers: in each cell what is printed, what was measured, and the verdict."""
    cells = {(row[ROW], row[COLUMN]): _cell(row) for row in found.to_dict("records")}
    lines = [
        [*titles, *(cells.get((number, place), MISSING) for place in range(len(table.columns)))]
        for number, titles in enumerate(table.rows)
    ]
    titles = {ROW: [", ".join(titles) for titles in table.rows], COLUMN: list(table.columns)}
    data = found.assign(**{name: [titles[name][place] for place in found[name]] for name in (ROW, COLUMN)})
    caption = (
        f"{table.caption} Each cell: printed / measured here, and the verdict. {counted(found)}. Match: equal when rounded "
        f"as printed; close: within the tolerance; off: beyond it, also where the measured number is better; missing: "
        f"comparable and not run; not comparable: the CSV file says why. {MISSING} means: not printed."
    )
    numbers = data[[ROW, COLUMN, *(name for name in data if name not in (ROW, COLUMN, *JUDGED)), *JUDGED]]
    return Table(numbers, pd.DataFrame(lines, columns=[*table.heads, *table.columns]), caption)


def _cell(row: Mapping[str, str]) -> str:
    measured = NOT_RUN if pd.isna(row["measured"]) else f"{row['measured']:.{int(row['decimals']) + 1}f}"
    return f"{row['printed']} / {measured}\n{row['verdict']}"
