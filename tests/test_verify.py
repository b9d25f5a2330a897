"""The verb verify, over folders of every stage."""

import json

import numpy as np
import pytest

from bench.cli import main
from bench.files import stamps
from bench.files.opening import read_manifest
from bench.files.storage import FolderWriter
from bench.index.index import VERSION
from tests.changes import signed
from tests.torture.pipeline import built

KINDS = {"index": 13, "plain": 3, "vectors/0": 2, "codes/0": 1, "residuals/1": 1, "centroids": 3, "codec": 8}
KINDS |= {"corpus": 2, "queries": 2, "query-vectors": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return built(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_folder_of_every_kind_is_whole(made, capsys, name):
    assert main(["verify", str(made / name)]) == 0
    assert f": whole; {json.loads((made / name / 'manifest.json').read_text())['kind']} of " in capsys.readouterr().out


def test_a_flipped_bit_that_was_noted_as_hashed_is_found(made, tmp_path, capsys):
    path = made / "index" / "residuals.npy"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        digest = read_manifest(made / "index", "index", VERSION, "index").digest
        stamps.write(made / "index", {"residuals.npy": stamps.stamp(path, digest)})  # as if the disk had changed it
        assert main(["verify", str(made / "index")]) == 1
        assert "residuals.npy has sha256" in capsys.readouterr().err
    finally:
        path.write_bytes(content)
        (made / "index" / stamps.NAME).unlink()


@pytest.mark.parametrize(("name", "count"), [("vectors", 10), ("passages", 7), ("centroids", 1)])
def test_counts_that_are_not_those_of_the_arrays_are_found_though_the_digest_fits(made, capsys, name, count):
    path = made / "index" / "manifest.json"
    text = path.read_text()
    manifest = json.loads(text)
    manifest["counts"][name] = count
    path.write_text(json.dumps(signed(manifest)))
    try:
        for words in (["verify"], ["size", "--corpus", "c", "--model", "m", "--output", str(made / "s.json"), "--index"]):
            assert main([*words, str(made / "index")]) == 1
            assert f"says {count} of {name}, the files hold " in capsys.readouterr().err
    finally:
        path.write_text(text)
    assert not (made / "s.json").exists()


def rebound(source, target, **inputs):
    """A copy of residual bytes that says that it was made from other folders."""
    manifest = json.loads((source / "manifest.json").read_text())
    writer = FolderWriter(target, "residuals", 1)
    writer.array("residuals.npy", np.load(source / "residuals.npy"))
    writer.close(counts=manifest["counts"], inputs={**manifest["inputs"], **inputs})
    return target


@pytest.mark.parametrize(
    ("part", "dtype", "value"), [("codes", None, 60_000), ("codes", "int8", None), ("residuals", "int8", 0)]
)
def test_a_part_with_what_compiled_loops_would_follow_out_of_bounds_is_refused(made, capsys, part, dtype, value, tmp_path):
    array = np.load(made / part / "0" / f"{part}.npy")
    array = array if dtype is None else array.astype(dtype)
    array[3] = array[3] if value is None else value
    manifest = json.loads((made / part / "0" / "manifest.json").read_text())
    writer = FolderWriter(tmp_path / "part", part, 1)  # whole, by its digests
    writer.array(f"{part}.npy", array)
    opened = writer.close(counts=manifest["counts"], inputs=manifest["inputs"])
    folders = {name: [str(made / name / "0"), str(made / name / "1")] for name in ("vectors", "codes", "residuals")}
    folders[part][0] = str(tmp_path / "part")
    if part == "codes":
        folders["residuals"][0] = str(rebound(made / "residuals" / "0", tmp_path / "residuals", codes=opened.digest))
    words = [word for name, each in folders.items() for word in (f"--{name}", *each)]
    output = tmp_path / "index"
    index = ["index", "--corpus", str(made / "corpus"), "--codec", str(made / "codec"), *words, "--output", str(output)]
    assert main(index) == 1
    assert ("to 60000 of uint16" if value == 60_000 else "of int8") in capsys.readouterr().err
    assert not output.exists()


def test_parts_of_other_shards_are_refused(made, capsys, tmp_path):
    def index(**changed):
        folders = {name: [made / name / "0", made / name / "1"] for name in ("vectors", "codes", "residuals")} | changed
        words = [str(word) for name, each in folders.items() for word in (f"--{name}", *each)]
        index = ["index", "--corpus", str(made / "corpus"), "--codec", str(made / "codec"), *words]
        code = main([*index, "--output", str(tmp_path / "index")])
        return code, capsys.readouterr().err

    for part, said in (("codes", "other vectors"), ("residuals", "other codes")):
        code, err = index(**{part: [made / part / "1", made / part / "0"]})
        assert code == 1
        assert f"was made from {said} than are given with it" in err
    assert index()[0] == 0
