"""Ask an index questions in the terminal: ranked passages, with the tokens that won marked in their texts."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from bench.config.settings import Count
from bench.notebook.matching import as_text, pieces, shortened
from bench.notebook.search_page import Found, named, searched
from bench.verbs.asked import AskedEngine, Place
from bench.verbs.common import Flat, prepare_torch

PROMPT = "question> "
SHOWN = 320
PLAIN, COLOURED = ("[", "]"), ("\x1b[1;33m", "\x1b[0m")


def ask(
    index: Path,
    question: str | None = None,
    *,
    against: Path | None = None,
    place: Annotated[Place, Flat] = Place(),
    engine: Annotated[AskedEngine, Flat] = AskedEngine(),
    k: Count = 5,
    threads: Count = 1,
) -> None:
    """Ask an index questions in the terminal: ranked passages, with the tokens that won marked in their texts.

    :param index: Index folder of the workflow (build/CORPUS/MODEL/CODEC/index) or of bench.build_index.
    :param question: One question; without it questions are read line by line, until an empty one.
    :param against: Another index of the same passages, shown below it with what moved.
    :param k: Passages that are shown.
    :param threads: Threads of a search.
    """
    prepare_torch(threads=threads)
    indexes = [place.open(folder, threads) for folder in (index, against) if folder is not None]
    for text in [question] if question is not None else _typed():
        sides = searched(indexes, text, k, **engine.given())
        for opened, found in zip(indexes, sides, strict=True):
            if len(indexes) > 1:
                print(f"\n{named(opened)}")
            for each in found:
                print(_shown(each, coloured=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
        print(flush=True)


def _typed() -> Iterator[str]:
    """Yield the lines that are typed, until an empty one or the end of the input."""
    while True:
        if sys.stdin.isatty():
            print(PROMPT, end="", flush=True)
        line = sys.stdin.readline().strip()
        if not line:
            return
        yield line


def _shown(found: Found, *, coloured: bool) -> str:
    text = as_text(shortened(pieces(found.hit.text, found.matches), SHOWN), *(COLOURED if coloured else PLAIN))
    won = ", ".join(f"{match.token}→{match.match} {match.value:.2f}" for match in found.matches if match.of_text)
    head = "  ".join(filter(None, (f"{found.hit.rank:>3}", f"{found.hit.score:.3f}", found.hit.id, found.moved)))
    return f"{_printable(head)}\n     {_printable(text, coloured)}\n     {_printable(won)}"


def _printable(text: str, coloured: bool = False) -> str:
    """Replace control characters, which a passage could move the cursor with; our own colours stay."""
    codes = COLOURED if coloured else ()
    for number, code in enumerate(codes):
        text = text.replace(code, chr(0xE000 + number))
    text = "".join(letter if letter.isprintable() or "\ue000" <= letter <= "\ue001" else "�" for letter in text)
    for number, code in enumerate(codes):
        text = text.replace(chr(0xE000 + number), code)
    return text
