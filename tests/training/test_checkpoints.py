"""Checkpoints: whole, half-written, damaged, and of other runs."""

import pytest
import torch

from bench.errors import DamagedFileError, SettingsError
from bench.training.checkpoints import Checkpoints, State, random_states, restore_random_states

SETTINGS = {"learning_rate": 1e-3, "batch": 4, "micro_batch": None}
INPUTS = {"start": "aaaa", "tuples": "bbbb"}


def state(step, best=True):
    rng = torch.Generator().manual_seed(step)
    tensors = {"linear.weight": torch.randn(3, 2, generator=rng)}
    return State(
        step=step,
        weights=tensors,
        optimizer={"linear.weight.exp_avg": tensors["linear.weight"] * 2, "linear.weight.step": torch.tensor(float(step))},
        random=[random_states("cpu")],
        log="".join(f'{{"step": {number + 1}}}\n' for number in range(step)),
        best=tensors if best else {},
        best_step=step if best else None,
        best_value=0.25 if best else None,
    )


def checkpoints(folder, **changes):
    return Checkpoints(folder, 2, SETTINGS | changes.get("settings", {}), INPUTS | changes.get("inputs", {}))


@pytest.mark.parametrize("best", [True, False])
def test_a_checkpoint_comes_back_as_it_was(tmp_path, best):
    saved = state(4, best)
    checkpoints(tmp_path / "w").save(saved)
    found = checkpoints(tmp_path / "w").latest()
    for name in ("weights", "optimizer", "best"):
        assert getattr(found, name).keys() == getattr(saved, name).keys()
        assert all(torch.equal(getattr(found, name)[key], tensor) for key, tensor in getattr(saved, name).items())
    for name in ("step", "random", "log", "best_step", "best_value"):
        assert getattr(found, name) == getattr(saved, name)


def test_a_run_without_checkpoint_begins_at_the_beginning(tmp_path):
    assert checkpoints(tmp_path / "nowhere").latest() is None


def test_the_previous_checkpoint_goes_when_the_next_is_whole(tmp_path):
    own = checkpoints(tmp_path)
    own.save(state(2))
    own.save(state(4))
    assert [folder.name for folder in tmp_path.iterdir()] == ["step-00000004"]
    assert own.latest().step == 4


def test_the_previous_checkpoint_stays_when_the_next_cannot_be_written(tmp_path, monkeypatch):
    own = checkpoints(tmp_path)
    own.save(state(2))

    def full(*words, **named):
        raise OSError("no space left on device")

    monkeypatch.setattr("bench.training.checkpoints.write_json", full)
    with pytest.raises(OSError, match="no space"):
        own.save(state(4))
    assert own.latest().step == 2


def two(tmp_path):
    """Two whole checkpoints side by side, as a kill between writing and removing leaves them."""
    own = checkpoints(tmp_path)
    own.save(state(2))
    (tmp_path / "step-00000002").rename(tmp_path / "aside")
    newest = own.save(state(4))
    (tmp_path / "aside").rename(tmp_path / "step-00000002")
    assert own.latest().step == 4
    return own, newest


def test_a_half_written_checkpoint_is_passed_over(tmp_path):
    own, newest = two(tmp_path)
    (newest / "manifest.json").unlink()
    assert own.latest().step == 2


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "state.json", "steps.jsonl"])
def test_a_damaged_checkpoint_is_passed_over_for_the_whole_one_before(tmp_path, name):
    own, newest = two(tmp_path)
    content = bytearray((newest / name).read_bytes())
    content[-3] ^= 1
    (newest / name).write_bytes(content)
    assert own.latest().step == 2


def test_a_damaged_checkpoint_without_a_whole_one_is_refused(tmp_path):
    own = checkpoints(tmp_path)
    (own.save(state(2)) / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(DamagedFileError, match=r"weights.safetensors has 1 bytes.*no other checkpoint is whole: delete"):
        own.latest()


def test_a_kill_within_the_first_checkpoint_leaves_nothing_to_go_on_from(tmp_path):
    (checkpoints(tmp_path).save(state(2)) / "manifest.json").unlink()
    assert checkpoints(tmp_path).latest() is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"learning_rate": 2e-3}}, r"learning_rate 0.001 among its settings, this one has 0.002"),
        ({"settings": {"micro_batch": 2}}, r"micro_batch None among its settings, this one has 2"),
        ({"settings": {"seed": 1}}, r"seed None among its settings, this one has 1"),
        ({"inputs": {"start": "cccc"}}, r"start 'aaaa' among its inputs, this one has 'cccc'"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_the_difference(tmp_path, changes, message):
    checkpoints(tmp_path).save(state(2))
    with pytest.raises(SettingsError, match=message):
        checkpoints(tmp_path, **changes).latest()


def test_no_checkpoints_can_be_every_zero_steps(tmp_path):
    with pytest.raises(SettingsError, match="checkpoint_every 0"):
        Checkpoints(tmp_path, 0, {}, {})


def test_clearing_removes_checkpoints_and_nothing_else(tmp_path):
    own = checkpoints(tmp_path / "w")
    own.save(state(2))
    (tmp_path / "w" / "notes.txt").write_text("mine")
    own.clear()
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["notes.txt"]


def test_random_numbers_go_on_where_they_were():
    torch.manual_seed(9)
    before = random_states("cpu")
    expected = torch.rand(5)
    torch.rand(17)
    restore_random_states(before, "cpu")
    assert torch.equal(torch.rand(5), expected)
