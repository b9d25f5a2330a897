"""Text files a line at a time, plain, gzip or zstd; whatever cannot be read is refused with file and line."""

import contextlib
import gzip
import importlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from bench.errors import DataError

LONGEST = 2**24  # bytes of a line, so that a file without line ends cannot fill the memory
EXTRA = "arrow"


def arrow(path: Path) -> Any:
    """Return the module pyarrow. Raise DataError that names the extra to install if the module is absent."""
    try:
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise DataError(f"{path} needs pyarrow, which is not installed: pip install 'colbertv2-bench[{EXTRA}]'") from error


@contextlib.contextmanager
def stream(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading in bytes, decompressed by its suffix ``.gz`` or ``.zst``."""
    if path.suffix == ".zst":
        raw: Any = arrow(path).input_stream(str(path), compression="zstd")
        with raw, io.BufferedReader(raw) as opened:
            yield cast(BinaryIO, opened)
    else:
        with path.open("rb") as plain:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if path.suffix == ".gz" else plain


@contextlib.contextmanager
def readable(path: Path, line: int | None = None) -> Iterator[None]:
    """Convert an error from reading a file into a DataError that names the file and, if given, the line."""
    where = f"{path}:{line}" if line else str(path)
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{where}: the compressed file is damaged or ends too early ({error}); copy it again") from error
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line, without its end.

    Raise DataError for a file that cannot be read or has no line, and for a line that is empty, longer than ``LONGEST``
    bytes or not UTF-8. A byte order mark and carriage returns at line ends are removed.
    """
    number = 0
    with contextlib.ExitStack() as stack:
        with readable(path):
            opened = stack.enter_context(stream(path))
        while True:
            with readable(path, number + 1):
                raw = opened.readline(LONGEST + 1)
            if not raw:
                break
            number += 1
            if len(raw) > LONGEST:
                raise DataError(f"{path}:{number}: the line is longer than {LONGEST:,} bytes; one record a line is expected")
            yield number, _text(raw, path, number)
    if not number:
        raise DataError(f"{path} is empty")


def _text(raw: bytes, path: Path, number: int) -> str:
    try:
        text = raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte {error.start + 1} of the line is {error.object[error.start]:#04x}"
        raise DataError(f"{path}:{number}: not text in UTF-8, {byte}; convert the file") from error
    if not text.strip():
        raise DataError(f"{path}:{number}: the line is empty; remove it")
    return text


def count(path: Path) -> int:
    """Return the number of lines of a file. Raise DataError for a file that cannot be read or has no line."""
    found, last = 0, b"\n"
    with readable(path), stream(path) as opened:
        while block := opened.read(2**20):
            found, last = found + block.count(b"\n"), block[-1:]
    found += last != b"\n"
    if not found:
        raise DataError(f"{path} is empty")
    return found
