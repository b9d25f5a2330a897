import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BusyError, DamagedFileError, DiskFullError, SettingsError
from bench.files import opening, stamps, storage
from bench.files.opening import open_folder, read_manifest, verified
from bench.files.storage import (
    FolderWriter,
    atomic,
    digest_of,
    growing_array,
    json_text,
    read_array,
    read_json,
    release,
    sha256_file,
    write_array,
    write_json,
    write_text,
)
from tests.changes import signed


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_while_writing(path, text):
    with atomic(path) as temporary:
        temporary.write_text(text)
        raise RuntimeError("out of luck")


def fail_while_growing(path):
    with growing_array(path, (3, 2), np.float32) as out:
        out[0] = 1
        raise RuntimeError("out of luck")


def test_a_write_that_succeeds_leaves_only_the_file_and_makes_its_folder(tmp_path):
    write_text(tmp_path / "a" / "b" / "file.txt", "grün\n")
    assert names(tmp_path / "a" / "b") == ["file.txt"]
    assert (tmp_path / "a" / "b" / "file.txt").read_bytes() == "grün\n".encode()


def test_a_write_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="out of luck"):
        fail_while_writing(tmp_path / "file.txt", "half")
    assert names(tmp_path) == []


def test_a_write_that_fails_keeps_the_old_file(tmp_path):
    write_text(tmp_path / "file.txt", "old")
    with pytest.raises(RuntimeError, match="out of luck"):
        fail_while_writing(tmp_path / "file.txt", "half")
    assert names(tmp_path) == ["file.txt"]
    assert (tmp_path / "file.txt").read_text() == "old"


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path):
    write_text(tmp_path / "file.txt", "old")
    with atomic(tmp_path / "file.txt") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "file.txt").read_text() == "old"
    assert (tmp_path / "file.txt").read_text() == "new"


def test_an_array_that_fails_half_way_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="out of luck"):
        fail_while_growing(tmp_path / "a.npy")
    assert names(tmp_path) == []


def test_json_has_sorted_keys_and_the_same_bytes_every_time(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1.5, "a": [1, None, "ä"]})
    write_json(tmp_path / "b.json", {"a": [1, None, "ä"], "b": 1.5})
    text = '{\n  "a": [\n    1,\n    null,\n    "ä"\n  ],\n  "b": 1.5\n}\n'
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes() == text.encode()
    assert read_json(tmp_path / "a.json") == {"a": [1, None, "ä"], "b": 1.5}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_json_refuses_what_is_no_number_and_keeps_the_old_file(tmp_path, value):
    write_json(tmp_path / "a.json", {"mean": 0.5})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == {"mean": 0.5}
    assert names(tmp_path) == ["a.json"]


def test_a_missing_and_a_broken_json_file_are_refused_by_name(tmp_path):
    with pytest.raises(DamagedFileError, match=r"a\.json is missing"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(DamagedFileError, match=r"a\.json is not valid JSON"):
        read_json(tmp_path / "a.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(items=st.dictionaries(st.text(max_size=5), JSON, max_size=5), data=st.data())
def test_a_digest_does_not_depend_on_the_order_of_keys(items, data):
    shuffled = dict(data.draw(st.permutations(list(items.items()))))
    assert digest_of(shuffled) == digest_of(items)
    assert json.loads(json_text(items)) == items


@pytest.mark.parametrize("other", [{"a": 2}, {"b": 1}, {"a": "1"}, {"a": 1.5}, {"a": 1, "b": None}, {"a": [1]}, [["a", 1]]])
def test_a_digest_depends_on_every_key_and_value(other):
    assert digest_of(other) != digest_of({"a": 1})


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("shape", [(3, 4), (5,), (0, 4), (0,), (3, 0)])
def test_an_array_filled_piece_by_piece_reads_back(tmp_path, shape, mapped):
    expected = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    with growing_array(tmp_path / "a.npy", shape, np.float32) as out:
        for row in range(len(expected)):
            out[row] = expected[row]
    found = read_array(tmp_path / "a.npy", mapped=mapped)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    assert names(tmp_path) == ["a.npy"]


def test_an_array_grown_and_one_written_at_once_are_the_same_bytes(tmp_path):
    array = np.arange(12, dtype=np.uint16).reshape(3, 4)
    write_array(tmp_path / "a.npy", array)
    with growing_array(tmp_path / "b.npy", (3, 4), np.uint16) as out:
        out[:] = array
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_an_array_in_another_memory_order_is_written_in_the_plain_one(tmp_path):
    array = np.arange(12.0).reshape(3, 4).T
    write_array(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), array)
    assert read_array(tmp_path / "a.npy").flags.c_contiguous


def test_objects_are_never_written_as_an_array(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle=False"):
        write_array(tmp_path / "a.npy", np.array([{}], object))
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"not an array", b"PK\x03\x04broken"])
def test_a_file_that_is_no_array_is_refused_by_name(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    for mapped in (True, False):
        with pytest.raises(DamagedFileError, match=r"a\.npy is not a readable \.npy file"):
            read_array(tmp_path / "a.npy", mapped=mapped)


def test_a_missing_array_is_refused_by_name(tmp_path):
    with pytest.raises(DamagedFileError, match=r"a\.npy is missing"):
        read_array(tmp_path / "a.npy")


def make_folder(folder, value=1.0):
    writer = FolderWriter(folder, "thing", 3)
    writer.array("a.npy", np.full(4, value))
    write_text(writer.path("b.txt"), "text\n")
    return writer.close(settings={"x": {"y": 1}}, inputs={"model": "m"}, counts={"rows": 4}, context={"code": "c"})


def test_a_folder_opens_with_what_its_writer_said(tmp_path):
    written = make_folder(tmp_path / "f")
    manifest = open_folder(tmp_path / "f", "thing", 3, "make")
    assert manifest == written
    assert names(tmp_path / "f") == ["a.npy", "b.txt", "manifest.json"]
    assert manifest.settings == {"x": {"y": 1}}
    assert manifest.files["b.txt"] == {"bytes": 5, "sha256": sha256_file(tmp_path / "f" / "b.txt")}


def test_the_digest_of_a_folder_is_what_it_holds_and_not_how_it_was_made(tmp_path):
    one, same, other = (make_folder(tmp_path / name, value) for name, value in (("a", 1.0), ("b", 1.0), ("c", 2.0)))
    assert one.digest == same.digest != other.digest
    writer = FolderWriter(tmp_path / "a", "thing", 3)
    writer.path("a.npy")
    writer.path("b.txt")
    assert writer.close(context={"code": "changed"}).digest == one.digest
    later = FolderWriter(tmp_path / "b", "thing", 4)
    later.path("a.npy")
    later.path("b.txt")
    assert later.close().digest != one.digest


def test_a_new_writer_removes_the_old_manifest_first(tmp_path):
    make_folder(tmp_path / "f")
    FolderWriter(tmp_path / "f", "thing", 3)
    assert names(tmp_path / "f") == ["a.npy", "b.txt"]
    with pytest.raises(DamagedFileError, match=r"no manifest\.json: it is not a finished thing folder"):
        open_folder(tmp_path / "f", "thing", 3, "make")


def test_a_writer_that_is_killed_leaves_no_folder_that_opens(tmp_path):
    make_folder(tmp_path / "f")
    script = """
import os, sys
from pathlib import Path
import numpy as np
from bench.files.storage import FolderWriter, atomic
writer = FolderWriter(Path(sys.argv[1]), "thing", 3)
writer.array("a.npy", np.zeros(4))
with atomic(writer.path("b.txt")) as temporary:
    temporary.write_text("half")
    os._exit(9)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "f")], check=False)
    assert done.returncode == 9
    assert (tmp_path / "f" / "b.txt").read_text() == "text\n"
    with pytest.raises(DamagedFileError, match=r"no manifest\.json"):
        open_folder(tmp_path / "f", "thing", 3, "make")
    make_folder(tmp_path / "f")
    assert open_folder(tmp_path / "f", "thing", 3, "make").counts == {"rows": 4}


def test_a_file_that_was_named_but_not_written_gives_no_manifest(tmp_path):
    writer = FolderWriter(tmp_path / "f", "thing", 3)
    writer.path("a.npy")
    with pytest.raises(FileNotFoundError):
        writer.close()
    assert names(tmp_path / "f") == []


def test_another_kind_and_another_version_are_refused(tmp_path):
    make_folder(tmp_path / "f")
    with pytest.raises(DamagedFileError, match="describes a 'thing' folder, but a 'codec' folder was expected"):
        read_manifest(tmp_path / "f", "codec", 3, "make")
    with pytest.raises(
        DamagedFileError,
        match=r"format version 3, this code reads 4; delete .* and rebuild it \(make results, or `bench make`\)",
    ):
        read_manifest(tmp_path / "f", "thing", 4, "make")


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(DamagedFileError, match=r"nowhere has no manifest\.json"):
        open_folder(tmp_path / "nowhere", "thing", 3, "make")


def test_what_was_written_through_a_map_stays_when_its_pages_are_let_go(tmp_path):
    with growing_array(tmp_path / "a.npy", (1000, 8), np.uint8) as out:
        out[:500] = 7
        release(out)
        out[500:] = 9
        assert out[:500].min() == 7
    mapped = read_array(tmp_path / "a.npy")
    assert mapped.sum() == 500 * 8 * (7 + 9)
    release(mapped[10:20])
    release(np.asarray(mapped))
    assert mapped.sum() == 500 * 8 * (7 + 9)


def test_an_array_in_memory_has_nothing_to_let_go():
    array = np.arange(5)
    release(array[1:])
    assert array.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("inside", ["x", "x/y"])
def test_an_output_below_a_file_is_refused_in_one_line(tmp_path, inside):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"cannot be a folder, since .*file.* is a file; name another output"):
        FolderWriter(tmp_path / "file" / inside, "corpus", 1)
    with pytest.raises(SettingsError, match="is a file"):
        storage.write_text(tmp_path / "file" / inside / "a.txt", "")


def test_a_second_writer_of_a_folder_is_refused_until_the_first_one_is_closed(tmp_path):
    first = FolderWriter(tmp_path / "f", "thing", 3)
    with pytest.raises(BusyError, match="is being written by another process: wait for it, or name another output"):
        FolderWriter(tmp_path / "f", "thing", 3)
    first.array("a.npy", np.zeros(4))
    first.close()
    make_folder(tmp_path / "f")
    assert names(tmp_path / "f") == ["a.npy", "b.txt", "manifest.json"]


HOLD = """
import sys, time
from pathlib import Path
from bench.files.storage import FolderWriter
writer = FolderWriter(Path(sys.argv[1]), "thing", 3)
(writer.folder / ".a.npy.1.partial").write_text("half")
print("held", flush=True)
time.sleep(60)
"""


def test_the_lock_of_a_killed_writer_is_gone_and_what_it_left_is_removed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "f")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BusyError):
            make_folder(tmp_path / "f")
        process.kill()
    make_folder(tmp_path / "f")
    assert names(tmp_path / "f") == ["a.npy", "b.txt", "manifest.json"]


def test_a_writer_whose_folder_was_removed_leaves_the_one_that_another_writer_makes_in_its_place(tmp_path):
    """As when a run is killed, its job goes on, and the next run removes the folder before it starts the job again."""
    first = FolderWriter(tmp_path / "f", "thing", 3)
    first.path("a.txt").write_text("first")
    shutil.rmtree(tmp_path / "f")
    with FolderWriter(tmp_path / "f", "thing", 3).path("a.txt").open("w") as stream:
        stream.write("second")
    with pytest.raises(BusyError, match="f was removed while it was written"):
        first.close()
    assert names(tmp_path / "f") == ["a.txt"]
    assert (tmp_path / "f" / "a.txt").read_text() == "second"


def test_every_file_of_a_folder_has_the_mode_of_new_files_whatever_wrote_it(tmp_path):
    old = os.umask(0o022)
    try:
        writer = FolderWriter(tmp_path / "f", "thing", 3)
        for name in ("own.bin", "atomic.bin"):
            with atomic(writer.path(name)) if name == "atomic.bin" else contextlib.nullcontext(writer.path(name)) as path:
                path.write_text("x")
                path.chmod(0o600)
        writer.close()
    finally:
        os.umask(old)
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "f").iterdir()} == dict.fromkeys(
        ["own.bin", "atomic.bin", "manifest.json"], 0o644
    )


@pytest.mark.parametrize("change", ["counts", "settings", "files", "drop", "inputs", "extra"])
def test_an_edited_manifest_is_refused(tmp_path, change):
    make_folder(tmp_path / "f")
    path = tmp_path / "f" / "manifest.json"
    manifest = json.loads(path.read_text())
    match change:
        case "counts":
            manifest["counts"]["rows"] *= 10
        case "settings":
            manifest["settings"]["x"]["y"] = 2
        case "files":
            manifest["files"] = {}
        case "drop":
            del manifest["files"]["a.npy"]
        case "inputs":
            manifest["inputs"]["model"] = "other"
        case "extra":
            manifest["context"]["more"] = None
    path.write_text(json.dumps(manifest))
    with pytest.raises(DamagedFileError, match=r"manifest\.json was changed after it was written"):
        open_folder(tmp_path / "f", "thing", 3, "make")


def test_a_manifest_without_a_file_that_its_kind_has_is_refused(tmp_path):
    make_folder(tmp_path / "f")
    assert open_folder(tmp_path / "f", "thing", 3, "make", ["a.npy", "b.txt"]).counts == {"rows": 4}
    with pytest.raises(DamagedFileError, match=r"manifest\.json does not list c\.npy"):
        open_folder(tmp_path / "f", "thing", 3, "make", ["a.npy", "c.npy"])


def test_counts_are_held_against_what_the_files_hold(tmp_path):
    manifest = make_folder(tmp_path / "f")
    manifest.check_counts(tmp_path / "f", rows=4)
    for found in ({"rows": 5}, {"columns": 1}):
        with pytest.raises(DamagedFileError, match=r"says (4|nothing) of (rows|columns), the files hold"):
            manifest.check_counts(tmp_path / "f", **found)


SIGNED = st.sampled_from(["kind", "version", "settings", "inputs", "counts", "context", "files"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(name=SIGNED, value=JSON, inner=st.booleans())
def test_a_manifest_of_any_other_shape_is_refused_or_read_and_never_an_error_of_python(tmp_path_factory, name, value, inner):
    folder = tmp_path_factory.mktemp("any")
    make_folder(folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    if inner and isinstance(manifest[name], dict):
        manifest[name][next(iter(manifest[name]))] = value
    else:
        manifest[name] = value
    path.write_text(json.dumps(signed(manifest)))
    with contextlib.suppress(DamagedFileError):
        open_folder(folder, "thing", 3, "make")


@pytest.mark.parametrize(
    "text", ["null", "[]", "3", '{"kind": NaN}', "[" * 100_000, '{"a": 1' + "0" * 5000 + "}", '"\\ud800"']
)
def test_json_that_is_no_manifest_is_refused_in_one_line(tmp_path, text):
    make_folder(tmp_path / "f")
    (tmp_path / "f" / "manifest.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"manifest\.json (is not valid JSON|holds)"):
        open_folder(tmp_path / "f", "thing", 3, "make")


@pytest.mark.parametrize("name", ["../out.npy", "/etc/passwd", "a/b", "..", "", "a\0b"])
def test_a_manifest_cannot_name_a_file_outside_of_its_folder(tmp_path, name):
    make_folder(tmp_path / "f")
    path = tmp_path / "f" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][name] = manifest["files"]["a.npy"]
    path.write_text(json.dumps(signed(manifest)))
    with pytest.raises(DamagedFileError, match="expected bytes and sha256"):
        open_folder(tmp_path / "f", "thing", 3, "make")


def flip(path, keep_times=False):
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    if keep_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("keep_times", [False, True])
def test_a_large_file_is_hashed_once_and_again_after_a_write_or_a_copy(tmp_path, monkeypatch, keep_times):
    monkeypatch.setattr(stamps, "LARGE", 100)
    monkeypatch.setattr(stamps, "SETTLED", -1.0)
    hashed = []
    monkeypatch.setattr(opening, "sha256_file", lambda path: hashed.append(path.name) or sha256_file(path))
    make_folder(tmp_path / "f")
    hashed.clear()
    for expected in (["a.npy", "b.txt"], ["b.txt"], ["b.txt"]):
        open_folder(tmp_path / "f", "thing", 3, "make")
        assert hashed == expected
        hashed.clear()
    shutil.copytree(tmp_path / "f", tmp_path / "copy")
    open_folder(tmp_path / "copy", "thing", 3, "make")
    assert hashed == ["a.npy", "b.txt"]
    flip(tmp_path / "f" / "a.npy", keep_times)
    with pytest.raises(DamagedFileError, match=r"a\.npy has sha256"):
        open_folder(tmp_path / "f", "thing", 3, "make")
    flip(tmp_path / "f" / "a.npy")
    hashed.clear()
    with stamps.ignored():
        open_folder(tmp_path / "f", "thing", 3, "make")
    assert hashed == ["a.npy", "b.txt"]


def test_a_folder_whose_content_was_refused_is_read_whole_again(tmp_path, monkeypatch):
    monkeypatch.setattr(stamps, "LARGE", 100)
    monkeypatch.setattr(stamps, "SETTLED", -1.0)
    make_folder(tmp_path / "f")
    manifest = read_manifest(tmp_path / "f", "thing", 3, "make")
    for _ in range(2):
        with contextlib.suppress(ValueError), verified(tmp_path / "f", manifest) as hashed:
            assert hashed == {"a.npy", "b.txt"}
            raise ValueError
    for expected in ({"a.npy", "b.txt"}, {"b.txt"}):
        with verified(tmp_path / "f", manifest) as hashed:
            assert hashed == expected


def test_room_on_the_disk_is_reserved_before_an_array_is_filled(tmp_path):
    with growing_array(tmp_path / "a.npy", (1000, 128), np.float16):
        (partial,) = tmp_path.glob(".a.npy.*.partial")
        assert partial.stat().st_blocks * 512 >= 256_000
    with pytest.raises(DiskFullError, match=r"a\.npy takes .* bytes, the disk of .* has .* free: .* bytes are missing"):
        write_array(tmp_path / "a.npy", np.broadcast_to(np.float64(1), (2**50,)))
    assert names(tmp_path) == ["a.npy"]


def test_a_disk_that_fills_while_text_is_written_is_refused_with_what_is_free(tmp_path):
    def fill(path):
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DiskFullError, match=r"a\.txt cannot be written whole \(No space left on device\): its disk has"):
        fill(tmp_path / "a.txt")
    assert names(tmp_path) == []
