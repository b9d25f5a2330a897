"""Where a number comes from: every command that `bench show` prints makes the same bytes again."""

import shlex
import shutil

import pytest

from bench.cli import main

RUN = "build/pydocs-tiny/minilm/residual-2/plaid/pydocs-tiny"
RECORDS = {
    f"{RUN}/metrics.json": ["run.trec.gz", "run.json", "metrics.json"],
    f"{RUN}/run.json": ["run.trec.gz", "run.json"],
    "build/pydocs-tiny/bm25/pydocs-tiny/metrics.json": ["run.trec.gz", "run.json", "metrics.json"],
    "build/pydocs-tiny/minilm/residual-2/size.json": ["size.json"],
    "build/pydocs-tiny/minilm/reconstruction/pydocs-tiny.json": ["pydocs-tiny.json"],
}


@pytest.fixture
def copied(finished, tmp_path, monkeypatch):
    """A copy of what was built, without vectors of passages, in which commands run."""
    shutil.copytree(finished.root / "build", tmp_path / "build", ignore=shutil.ignore_patterns("vectors", "models"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("record", RECORDS)
def test_the_commands_that_are_shown_make_the_record_again(copied, capsys, record):
    assert main(["show", record]) == 0
    lines = capsys.readouterr().out.splitlines()
    commands = lines[lines.index("Make it again:") + 1 :]
    files = [(copied / record).with_name(name) for name in RECORDS[record]]
    before = [path.read_bytes() for path in files]
    for path in files:
        path.unlink()
    for command in commands:
        name, *words = shlex.split(command)
        assert name == "bench"
        assert main(words) == 0
    assert [path.read_bytes() for path in files] == before


def test_digests_settings_and_versions_are_shown(copied, capsys):
    assert main(["show", f"{RUN}/metrics.json"]) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if " " in line)
    assert len(shown["run.inputs.corpus"]) == len(shown["run.digest"]) == 64
    assert shown["run.settings.ncells"] == "2"
    assert shown["run.index.encode.precision"] == "float32"
    assert shown["run.context.packages.torch"].startswith("2.")


def test_a_timing_is_shown_with_its_host_and_its_command(copied, capsys):
    assert main(["show", f"{RUN}/threads-1/latency.json"]) == 0
    out = capsys.readouterr().out
    assert "host.cpu " in out
    index = "build/pydocs-tiny/minilm/residual-2/index"
    assert f"bench latency --index {index} --queries build/pydocs-tiny/minilm/queries/pydocs-tiny" in out


def test_another_file_is_no_record(copied, capsys):
    (copied / "other.json").write_text("[1]")
    assert main(["show", "other.json"]) == 1
    assert "other.json is no record; give a metrics.json" in capsys.readouterr().err
