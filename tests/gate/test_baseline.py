"""Baselines: what may be accepted, and files that are refused in one line."""

import json
import subprocess

import pytest

from bench.cli import main
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.gate import baseline, facts
from bench.gate.facts import Facts
from tests.gate.test_check import facts as toy


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A git repository with one commit, and facts outside of it."""
    root = tmp_path / "clone"
    root.mkdir()
    monkeypatch.chdir(root)
    (root / "code.py").write_text("x = 1\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "m"]):
        subprocess.run(["git", *words], check=True)
    facts.write(tmp_path / "results" / facts.FILE, toy())
    return root


def test_a_baseline_is_accepted_and_then_passes(clone, capsys):
    assert main(["accept", "../results", "--baseline", "base.json"]) == 0
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert json.loads((clone / "base.json").read_text())["made"]["commit"] == commit
    capsys.readouterr()
    assert main(["check", "../results", "--baseline", "base.json"]) == 0
    assert capsys.readouterr().out.startswith("passed: 9 facts")


def test_a_work_tree_with_changes_is_refused_but_the_baseline_itself_may_change(clone, capsys):
    assert main(["accept", "../results", "--baseline", "base.json"]) == 0
    assert main(["accept", "../results", "--baseline", "base.json"]) == 0
    (clone / "code.py").write_text("x = 2\n")
    capsys.readouterr()
    assert main(["accept", "../results", "--baseline", "base.json"]) == 1
    assert "changes that are not committed, such as code.py" in capsys.readouterr().err


def test_outside_of_a_repository_nothing_is_accepted(clone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(DataError, match="no git work tree"):
        baseline.write(tmp_path / "base.json", toy())


def test_tolerances_of_the_baseline_that_is_there_are_kept(clone, capsys):
    main(["accept", "../results", "--baseline", "base.json"])
    body = json.loads((clone / "base.json").read_text())
    body["tolerances"]["margin"] = 0.02
    (clone / "base.json").write_text(json.dumps(body))
    main(["accept", "../results", "--baseline", "base.json"])
    assert baseline.read(clone / "base.json")[1].margin == 0.02
    assert "passed: 9 facts" in capsys.readouterr().out


def test_facts_without_a_row_are_not_accepted(clone):
    with pytest.raises(DataError, match="has no row of quality"):
        baseline.write(clone / "base.json", Facts({"quality": {}, "size": {}, "latency": {}}, toy().made, "results"))


def edited(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_edited_truncated_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "records.json"
    facts.write(path, toy())
    whole = path.read_text()
    assert facts.read(path)[0].rows == toy().rows
    path.write_text(whole.replace('"RR@10": 0.5', '"RR@10": 0.6', 1))
    with pytest.raises(DamagedFileError, match="it was edited or is not whole"):
        facts.read(path)
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(DamagedFileError, match="is not valid JSON"):
        facts.read(path)
    path.write_text("[]")
    with pytest.raises(DataError, match="holds no facts"):
        facts.read(path)
    path.write_text(whole)
    edited(path, made={**toy().made, "packages": {}})
    with pytest.raises(DamagedFileError, match="it was edited or is not whole"):
        facts.read(path)
    path.write_text(whole)
    edited(path, format=1)
    with pytest.raises(DataError, match="has the format 1, this version reads 2"):
        facts.read(path)


def test_records_alone_are_no_baseline_and_margins_are_of_measures_that_rows_have(tmp_path):
    facts.write(tmp_path / "a.json", toy())
    with pytest.raises(DamagedFileError, match="has no tolerances: it is no baseline"):
        baseline.read(tmp_path / "a.json")
    facts.write(tmp_path / "a.json", toy(), tolerances={"margins": {"R@5": 0.1}})
    with pytest.raises(SettingsError, match=r"names 'R@5', which no row has; the rows have \['RR@10'\]"):
        baseline.read(tmp_path / "a.json")
    facts.write(tmp_path / "a.json", toy(), tolerances={"margin": -1})
    with pytest.raises(SettingsError, match=r"tolerances of .*a\.json: margin: -1"):
        baseline.read(tmp_path / "a.json")


@pytest.mark.parametrize("missing", ["records", "baseline"])
def test_a_missing_file_never_passes(tmp_path, capsys, missing):
    facts.write(tmp_path / facts.FILE, toy())
    facts.write(tmp_path / "base.json", toy(), tolerances={})
    (tmp_path / {"records": facts.FILE, "baseline": "base.json"}[missing]).unlink()
    assert main(["check", str(tmp_path), "--baseline", str(tmp_path / "base.json")]) == 2
    assert capsys.readouterr().err.strip().endswith("is missing")
