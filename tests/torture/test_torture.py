"""Short versions of ``make torture``."""

import pytest

from tests.torture.damage import READERS, tortured
from tests.torture.inputs import read_any
from tests.torture.kill import killed
from tests.torture.pipeline import built


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return built(tmp_path_factory.mktemp("made"), 1)


def test_damage_to_any_file_of_any_stage_is_refused_by_its_reader(made, tmp_path):
    found = tortured(made, built(tmp_path / "other", 2), tmp_path, count=10, seed=5)
    assert {kind: dict(tally) for kind, tally in found.items()} == {kind: {"refused": 10} for kind in READERS}


def test_an_input_of_any_shape_is_read_or_refused_and_writes_nothing_outside(made, tmp_path):
    found = read_any(made, tmp_path, count=12)
    assert {kind: sum(tally[word] for word in ("read", "refused")) for kind, tally in found.items()} == dict.fromkeys(
        found, 12
    )
    assert {kind: dict(tally) for kind, tally in found.items() if set(tally) - {"read", "refused"}} == {}
    assert len(found) == 8


def test_a_stage_that_is_killed_at_any_moment_leaves_after_a_rerun_the_bytes_of_an_undisturbed_run(tmp_path):
    found = killed(tmp_path / "one", count=2, seed=3)
    assert sum(tally["killed"] for tally in found.values()) >= 20
    assert [(name, dict(tally)) for name, tally in found.items() if tally["other bytes"] or tally["failed after"]] == []
    assert sum(tally["files"] for tally in found.values()) >= 40
