import importlib.metadata
import os
import re
import tomllib

import pytest
import yaml

from bench.corpus.pydocs import SUBSETS
from bench.files.provenance import PACKAGES, ROOT
from workflow.peer_jobs import PEERS


def lock() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_line_of_the_lock_file_pins_one_exact_version():
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and line[0] != "#"]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []


def test_conda_users_get_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert dict(line.split("==") for line in pip) == lock()


def test_what_is_installed_is_what_is_locked():
    installed = {name: importlib.metadata.version(name).split("+")[0] for name in lock()}
    assert installed == lock()


def test_every_direct_dependency_is_locked_but_what_only_a_gpu_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {name: group for name, group in project["optional-dependencies"].items() if name not in ("cuda", "arrow")}
    named = [*project["dependencies"], *(name for group in locked.values() for name in group)]
    assert {normal(re.split("[<>=]", name)[0]) for name in named} <= {normal(name) for name in lock()}


def test_the_extra_of_the_embedded_corpora_pins_every_package_that_they_are_made_of_as_the_lock_does():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = dict(line.split("==") for line in project["optional-dependencies"]["pydocs"])
    assert sorted(pinned) == sorted(name for subset in SUBSETS.values() for name in subset)
    assert pinned == {name: version for name, version in lock().items() if name in pinned}


def test_the_packages_that_records_name_are_locked():
    assert {normal(name) for name in PACKAGES} <= {normal(name) for name in lock()}


@pytest.mark.parametrize("peer", PEERS)
def test_the_environment_of_a_peer_is_pinned_line_by_line_for_pip_and_conda(peer):
    folder = ROOT / "workflow" / "envs"
    lines = [line for line in (folder / f"{peer}.txt").read_text().splitlines() if line[0] != "#"]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
    assert normal(peer) in {normal(line.split("==")[0]) for line in lines}
    conda = yaml.safe_load((folder / f"{peer}.yaml").read_text())
    assert conda["dependencies"][-1] == {"pip": [f"-r {peer}.txt"]}


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_a_worker_takes_whole_files_and_not_tests_here_and_there(request):
    """pytest 9.2 and pytest-xdist 3.8 lose the groups that conftest.py makes, without a word."""
    assert request.node.nodeid.endswith("@test_environment.py")
