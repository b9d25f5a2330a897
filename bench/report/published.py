"""Printed numbers beside measured ones: match, close, off, missing or not comparable, each with its reason."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bench.config.datasets import slug
from bench.errors import DamagedFileError, DataError
from bench.report.latency import run_of, runs_of
from bench.report.records import Record, Row, row_of
from bench.report.seeds import mean, over_seeds, sizes_over_seeds
from bench.report.table import MISSING, Table

MATCH, CLOSE, OFF, ABSENT, INCOMPARABLE = "match", "close", "off", "missing", "not comparable"
NEEDED = ("source", "table", "dataset", "measure", "printed", "unit", "decimals", "comparable")
JUDGED = ("measured", "difference", "verdict", "because")
MEASURED = ("model", "codec", "preset", "tolerance", "reason")
SCALE = {"percent": 100.0}
CODED = ("float16", "codes", "residuals", "norms")
COLLECTION = "/collection"
INDEX_GIB, LIST_GIB, RATIO = "index_GiB (as printed)", "inverted_list_GiB (as printed)", "compression ratio"
PER_VECTOR = "bytes_per_vector (incl. 4-byte centroid id when compressed)"
THREADS = {"latency_ms_cpu1": 1, "latency_ms_cpu8": 8}


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


class Measured:
    """Measured numbers, means over seeds, by the data set, model, codec, preset and measure that a printed number names."""

    def __init__(self, metrics: Sequence[Record], sizes: Sequence[Record] = (), latencies: Sequence[Record] = ()):
        """Take records of runs, indexes and timings. Raise DataError for a timing whose search none of the runs is of."""
        self.runs: dict[Row, Record] = {row_of(record): record for record in over_seeds(metrics)}
        self.sizes = {(size["corpus"], size["model"], size["codec"]): size for size in sizes_over_seeds(sizes)}
        known = runs_of(metrics)
        self.timings: dict[tuple[object, ...], list[float]] = {}
        for timing in latencies:
            key = (*row_of(run_of(timing, known)), timing["settings"]["threads"])
            self.timings.setdefault(key, []).append(timing["search"]["mean_best"])

    def find(self, row: Mapping[str, str]) -> tuple[float, Mapping[str, str]] | None:
        """Return the number in the unit of the print and the deviations of its record; None where it was not measured."""
        measure, made = row["measure"], (row["model"], row["codec"])
        if row["dataset"].endswith(COLLECTION):
            size = self.sizes.get((slug(row["dataset"].removesuffix(COLLECTION)), *made))
            found = None if size is None else _of_index(size, measure)
            return None if size is None or found is None else (found, size["deviations"])
        key = (row["dataset"], *made, row["preset"])
        run = self.runs.get(key)
        if measure in THREADS:
            timing = self.timings.get((*key, THREADS[measure]))
            return None if run is None or timing is None else (mean(timing), run["deviations"])
        if run is None or measure not in run["mean"]:
            return None
        return SCALE[row["unit"]] * run["mean"][measure], run["deviations"]


def _of_index(size: Record, measure: str) -> float | None:
    """Return a size as arXiv 2112.01488 counts it: the vectors or what codes them; of an index, the inverted list too."""
    sizes = size["bytes"]
    coded = sum(sizes[name] for name in CODED)
    if measure == RATIO:
        return size["ratio"]["paper"] if size["ratio"] else None
    return {
        INDEX_GIB: (coded + sizes["inverted list"]) / 2**30,
        LIST_GIB: sizes["inverted list"] / 2**30,
        PER_VECTOR: coded / size["vectors"],
    }.get(measure)


def judged(printed: pd.DataFrame, measured: Measured) -> pd.DataFrame:
    """Return the printed numbers with the columns measured, difference, verdict and because, in the unit of the print.

    A measured number that rounds to the printed one is a match, one within the tolerance close, and any other off, also
    where it is better. A number that is said not to be comparable stays so beside a measured one, and so does one whose
    run was made with deviations from the protocol.
    """
    found = printed.copy()
    cells = [_cell(row, measured) for row in printed.to_dict("records")]
    for place, name in enumerate(JUDGED):
        found[name] = [cell[place] for cell in cells]
    return found


def _cell(row: Mapping[str, str], records: Measured) -> tuple[float | None, float | None, str, str]:
    comparable, found = row["comparable"] == "yes", records.find(row) if row["model"] else None
    if found is None:
        return None, None, *((ABSENT, "not run") if comparable else (INCOMPARABLE, row["why"]))
    measured, deviations = found
    difference, digits = measured - float(row["printed"]), int(row["decimals"])
    if not comparable:
        return measured, difference, INCOMPARABLE, row["why"]
    if deviations:
        said = "; ".join(f"{name} {value}" for name, value in deviations.items())
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
