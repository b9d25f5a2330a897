"""Check that the measured figures in README and docs stand in the files that they name.

A comment stands before each table: ``<!-- numbers: FILE [FILE ...] -->`` names files of this repository;
``<!-- numbers: not kept; COMMAND -->`` names the command that measures the numbers, where no file of them is kept. Every
decimal number of the table must be one of the numbers in the files, rounded alike. A table with decimal numbers and without
such a comment fails.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"<!-- numbers: (.+?) -->")
NUMBER = re.compile(r"(?<![\w./-])[+\-−]?\d*\.\d+(?![\w/]|\.\d)")
ANY_NUMBER = re.compile(r"[+\-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")
# No figures: code, versions and section numbers, and links.
NAMES = re.compile(r"`[^`]*`|(?:arXiv|sections?|Python|YAML|version) [\d.]+(?: to [\d.]+)?|\[[^\]]*\]\([^)]*\)")
KEPT_NOT = "not kept; "


def tables(lines: list[str]) -> Iterator[tuple[int, list[str], str | None]]:
    """First line number, lines, and comment of each Markdown table."""
    mark, start = None, None
    for number, line in enumerate([*lines, ""], start=1):
        if found := MARK.search(line):
            mark = found[1]
        elif line.startswith("|"):
            start = number if start is None else start
        elif start is not None:
            yield start, lines[start - 1 : number - 1], mark
            mark, start = None, None
        elif line.strip():
            mark = None


def numbers_of(files: list[Path]) -> list[float]:
    """All numbers in files, without their signs."""
    text = " ".join(path.read_text(encoding="utf-8") for path in files)
    return [abs(float(found.replace(",", "").replace("−", "-"))) for found in ANY_NUMBER.findall(text)]


def wrong(text: str, known: list[float]) -> bool:
    """Whether no known number rounds to this text."""
    places = len(text.partition(".")[2])
    value = abs(float(text.replace("−", "-")))
    half = 0.5000001 * 10**-places
    return not any(abs(other - value) <= half for other in known)


def problems(path: Path) -> Iterator[str]:
    """What is wrong with the tables of a page, a line each."""
    for number, table, mark in tables(path.read_text(encoding="utf-8").splitlines()):
        where = f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{number}"
        found = [text for line in table for text in NUMBER.findall(NAMES.sub("", line))]
        if not found:
            continue
        if mark is None:
            yield f"{where}: a table with numbers such as {found[0]} names neither a file nor a command"
        elif not mark.startswith(KEPT_NOT):
            files = [ROOT / name for name in mark.split()]
            if absent := [str(file) for file in files if not file.exists()]:
                yield f"{where}: {absent[0]} is not there"
                continue
            known = numbers_of(files)
            yield from (f"{where}: {text} stands nowhere in {mark}" for text in dict.fromkeys(found) if wrong(text, known))


def main(paths: list[str]) -> int:
    pages = [Path(path) for path in paths] or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = [problem for page in pages for problem in problems(page)]
    print("\n".join(found) or f"{len(pages)} pages: every figure of a marked table stands in the file that it names")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
