"""Text files a line at a time: what is read, and every damage refused in one line with file and line."""

import gzip
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.corpus.own import lines
from bench.errors import DataError


def read(path):
    return list(lines.lines(path))


def test_plain_and_gzip_give_the_same_numbered_lines_without_ends_and_byte_order_mark(tmp_path):
    data = "\ufeffa\tb\r\nc\nd".encode()
    (tmp_path / "x.tsv").write_bytes(data)
    (tmp_path / "x.tsv.gz").write_bytes(gzip.compress(data, mtime=0))
    for name in ("x.tsv", "x.tsv.gz"):
        assert read(tmp_path / name) == [(1, "a\tb"), (2, "c"), (3, "d")]
        assert lines.count(tmp_path / name) == 3


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.tsv", b"", "x.tsv is empty"),
        ("x.tsv", b"a\n\nb\n", "x.tsv:2: the line is empty; remove it"),
        ("x.tsv", b"a\nb\xe9\n", "x.tsv:2: not text in UTF-8, byte 2 of the line is 0xe9; convert the file"),
        ("x.tsv.gz", b"plain\n", r"x.tsv.gz:1: the compressed file is damaged or ends too early \(Not a gzipped"),
        (
            "x.tsv.gz",
            gzip.compress(b"a\n" * 9, mtime=0)[:-4],
            "x.tsv.gz:1.*: the compressed file is damaged or ends too early",
        ),
        ("x.tsv", "a\n".encode("utf-16"), "x.tsv:1: not text in UTF-8, byte 1 of the line is 0xff"),
    ],
)
def test_a_damaged_file_is_refused_with_file_and_line(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_a_truncated_gzip_file_is_refused_whether_it_is_read_or_counted(tmp_path):
    data = gzip.compress("".join(f"{number}\n" for number in range(100_000)).encode())
    (tmp_path / "x.tsv.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"x\.tsv\.gz:\d{4,}: the compressed file .* ends too early"):
        read(tmp_path / "x.tsv.gz")
    with pytest.raises(DataError, match=r"x\.tsv\.gz: the compressed file .* ends too early"):
        lines.count(tmp_path / "x.tsv.gz")


def test_a_missing_file_a_loop_of_links_and_a_folder_are_refused(tmp_path):
    (tmp_path / "loop.tsv").symlink_to(tmp_path / "loop.tsv")
    with pytest.raises(DataError, match=r"loop\.tsv cannot be read: Too many levels of symbolic links"):
        read(tmp_path / "loop.tsv")
    with pytest.raises(DataError, match=r"nosuch\.tsv does not exist"):
        read(tmp_path / "nosuch.tsv")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 10)
    (tmp_path / "x.tsv").write_bytes(b"0123456789a\n")
    with pytest.raises(DataError, match=r"x\.tsv:1: the line is longer than 10 bytes"):
        read(tmp_path / "x.tsv")


def test_zstd_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"x\.tsv\.zst needs pyarrow, .*: pip install 'colbertv2-bench\[arrow\]'"):
        read(tmp_path / "x.tsv.zst")


def test_zstd_is_read_and_a_truncated_file_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    data = pyarrow.compress("".join(f"{number}\n" for number in range(100_000)).encode(), "zstd", asbytes=True)
    (tmp_path / "x.tsv.zst").write_bytes(data)
    assert lines.count(tmp_path / "x.tsv.zst") == 100_000
    assert read(tmp_path / "x.tsv.zst")[-1] == (100_000, "99999")
    (tmp_path / "x.tsv.zst").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"x\.tsv\.zst"):
        read(tmp_path / "x.tsv.zst")


@given(data=st.binary(max_size=60))
def test_any_bytes_are_lines_of_text_or_one_refusal_that_names_the_file(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_bytes(data)
    if data and all(line.strip() for line in data.removesuffix(b"\n").split(b"\n")) and _is_text(data):
        assert len(read(path)) == lines.count(path)
    else:
        with pytest.raises(DataError, match=rf"^{re.escape(str(path))}[: ][^\n]*$"):
            read(path)


def _is_text(data):
    try:
        found = data.decode("utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        return False
    return all(line.strip() for line in found)
