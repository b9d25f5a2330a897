"""Progress of long steps: one line every few seconds with share, rate and remaining time, also readable in a log."""

import sys
from typing import TextIO

from tqdm import tqdm

EVERY_SECONDS = 5.0
_FORMAT = "{desc}: {percentage:3.0f} % |{bar:20}| {n_fmt}/{total_fmt} {unit}, {rate_fmt}, {remaining} left"


class _Lines:
    """Write each refresh of a bar as a separate line, so that bars of parallel jobs do not overwrite each other."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> None:
        if text.strip():
            self._stream.write(text.strip() + "\n")

    def flush(self) -> None:
        self._stream.flush()


def bar(what: str, total: int, unit: str) -> tqdm:
    """Return a progress bar over ``total`` items; a step of less than a few seconds prints nothing."""
    return tqdm(
        desc=what,
        total=total,
        unit=f" {unit}",
        file=_Lines(sys.stderr),
        mininterval=EVERY_SECONDS,
        delay=EVERY_SECONDS,
        miniters=1,
        bar_format=_FORMAT,
        leave=False,
        ascii=" #",
    )
