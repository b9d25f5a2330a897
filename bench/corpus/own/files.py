"""Passages and queries with an id and a text, judgements with a grade, from files of the user."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.corpus.own import lines, tables
from bench.corpus.texts import Text, check_id
from bench.errors import DataError

FIELD = re.compile(r"\{([^{}]+)\}")
HEADERS = ("query-id", "query_id", "qid", "query")  # first cell of the header of judgements in TSV


class Texts:
    """Passages or queries of a file, in its order. ``place``: file and line of the last one that was read."""

    def __init__(self, path: Path, template: str, id_column: str | None = None):
        self.path, self.template, self.id_column, self.place = path, template, id_column, str(path)

    def __iter__(self) -> Iterator[Text]:
        """Yield texts. Raise DataError for a missing column and for an id or a text that is none."""
        parts = FIELD.split(self.template)  # text and names of columns in turn
        for place, record in tables.records(self.path, self.id_column):
            self.place = place
            name = _value(record, id_column(record, self.id_column, place), place, number=True)
            values = (part if number % 2 == 0 else _value(record, part, place) for number, part in enumerate(parts))
            yield Text(name, "".join(values))


def distinct(texts: Texts) -> Iterator[Text]:
    """Yield texts whose ids are checked: none stands twice or has white space."""
    seen: set[str] = set()
    for text in texts:
        check_id(text.id, seen, texts.place)
        yield text


def id_column(record: Any, wanted: str | None, place: str) -> str:
    """Return the name of the column with the id: ``wanted``, or else ``_id`` or ``id``."""
    found = [name for name in ([wanted] if wanted else tables.IDS) if name in record]
    if not found:
        named = f"column {wanted!r}" if wanted else "column '_id' or 'id'"
        raise DataError(
            f"{place}: no {named} with the id; the columns are {sorted(record)}: name one as passage_id or query_id"
        )
    return found[0]


def template_of(path: Path, column: str | None = None) -> str:
    """Return the template for passages that name none: with the title, as BEIR has it, if there is such a column."""
    place, record = next(iter(tables.records(path, column)))
    if "text" not in record:
        raise DataError(f"{place}: no column 'text'; the columns are {sorted(record)}: name them in a template '{{column}}'")
    return "{title} {text}" if "title" in record else "{text}"


def _value(record: Any, column: str, place: str, *, number: bool = False) -> str:
    if column not in record:
        raise DataError(f"{place}: no column {column!r}; the columns are {sorted(record)}: name them in the template")
    value = record[column]
    if number and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise DataError(f"{place}: column {column!r} is {value!r}, expected text")
    return value


class Judgements:
    """Judgements of a file in the format of TREC or in TSV, in its order. ``place``: file and line of the last one."""

    def __init__(self, path: Path):
        self.path, self.place = path, str(path)

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        """Yield query id, passage id and grade. Raise DataError for a line that is no judgement.

        Four fields are those of TREC: query, a field that means nothing, passage and grade. In TSV they are three, perhaps
        under a header. The first line decides whether fields stand between tabs or between any white space.
        """
        _, first = next(lines.lines(self.path))
        tab = "\t" if "\t" in first else None
        fields = len(first.split(tab))
        header = fields == 3 and first.split(tab)[0] in HEADERS
        found = 0
        for number, line in itertools.islice(lines.lines(self.path), int(header), None):
            self.place, found = f"{self.path}:{number}", number
            cells = line.split(tab)
            if len(cells) != fields or fields not in ((3, 4) if tab else (4,)):
                raise DataError(
                    f"{self.place}: {len(cells)} fields, expected QUERY 0 PASSAGE GRADE of TREC on every line, or on every "
                    f"line QUERY, PASSAGE and GRADE between tabs"
                )
            for name in (cells[0], cells[-2]):
                check_id(name, set(), self.place)
            try:
                yield cells[0], cells[-2], int(cells[-1])
            except ValueError as error:
                raise DataError(f"{self.place}: grade {cells[-1]!r} is not a whole number") from error
        if not found:
            raise DataError(f"{self.path} has a header and no judgement")
