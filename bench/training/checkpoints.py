"""Checkpoints of a training run: everything that an interrupted run needs to end with the same result.

A checkpoint is a folder such as ``step-00000040`` of kind "checkpoint". The folder holds ``weights.safetensors``,
``optimizer.safetensors`` (moments by parameter), ``best.safetensors`` (weights of the best validation so far, if any),
``state.json`` (step, best value and random states), ``steps.jsonl`` (the log up to this step) and a manifest, written last.
"""

import base64
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from bench.errors import DamagedFileError, SettingsError
from bench.files.opening import open_folder, read_manifest
from bench.files.storage import MANIFEST, FolderWriter, atomic, digest_of, read_json, write_json, write_text

KIND = "checkpoint"
VERSION = 1
Tensors = Mapping[str, torch.Tensor]


@dataclass
class State:
    """State of a run: the number of steps taken, and everything that the next step depends on.

    random: states of the random generators of each process; best: weights of the best validation so far (empty without a
    validation); best_step and best_value: step and value of the best validation.
    """

    step: int = 0
    weights: Tensors = field(default_factory=dict)
    optimizer: Tensors = field(default_factory=dict)
    random: list[dict[str, str]] = field(default_factory=list)
    log: str = ""
    best: Tensors = field(default_factory=dict)
    best_step: int | None = None
    best_value: float | None = None


class Checkpoints:
    """The folder of checkpoints of one run, which is identified by its settings and the digests of its inputs."""

    def __init__(self, folder: Path, every: int, settings: Mapping[str, Any], inputs: Mapping[str, str]):
        if every < 1:
            raise SettingsError(f"checkpoint_every {every} of a training is below 1 step")
        self.folder, self.every, self.settings, self.inputs = folder, every, dict(settings), dict(inputs)

    def save(self, state: State) -> Path:
        """Write a checkpoint. Remove the earlier checkpoints only after the new checkpoint is complete."""
        folder = self.folder / f"step-{state.step:08}"
        writer = FolderWriter(folder, KIND, VERSION)
        for name, tensors in (("weights", state.weights), ("optimizer", state.optimizer), ("best", state.best)):
            if tensors:
                with atomic(writer.path(f"{name}.safetensors")) as temporary:
                    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
                    safetensors.torch.save_file(plain, temporary)
        facts = {name: getattr(state, name) for name in ("step", "random", "best_step", "best_value")}
        write_json(writer.path("state.json"), facts)
        write_text(writer.path("steps.jsonl"), state.log)
        writer.close(settings=self.settings, inputs=self.inputs, counts={"steps": state.step})
        for other in self._folders():
            if other != folder:
                _remove(other)
        return folder

    def latest(self) -> State | None:
        """Return the newest complete checkpoint, or None if the run has not written a checkpoint yet.

        A folder that an interrupted run left without a manifest is skipped. A damaged checkpoint is skipped if an earlier
        complete checkpoint exists. Raise DamagedFileError if all finished checkpoints are damaged, and SettingsError if a
        checkpoint has other settings or inputs.
        """
        damaged: DamagedFileError | None = None
        for folder in self._folders():
            if not (folder / MANIFEST).exists():
                continue
            try:
                manifest = read_manifest(folder, KIND, VERSION, "train|distill")
                self._check(folder, {"settings": manifest.settings, "inputs": manifest.inputs})
                open_folder(folder, KIND, VERSION, "train|distill")
                return _read(folder)
            except DamagedFileError as error:
                damaged = damaged or error
        if damaged is not None:
            raise DamagedFileError(f"{damaged}; no other checkpoint is whole: delete {self.folder} to begin again")
        return None

    def clear(self) -> None:
        """Remove all checkpoints, and then their folder if the folder is empty."""
        for folder in self._folders():
            _remove(folder)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _folders(self) -> list[Path]:
        """Return the folders of checkpoints, complete or not, newest first."""
        return sorted(self.folder.glob("step-*"), reverse=True)

    def _check(self, folder: Path, found: Mapping[str, Mapping[str, Any]]) -> None:
        wanted = {"settings": self.settings, "inputs": self.inputs}
        for part, own in wanted.items():
            theirs = found[part]
            for name in sorted(own.keys() | theirs.keys()):
                if digest_of(own.get(name)) != digest_of(theirs.get(name)):
                    raise SettingsError(
                        f"{folder} is of a run with {name} {theirs.get(name)!r} among its {part}, this one has "
                        f"{own.get(name)!r}: give the same, or another folder, or delete {self.folder} to begin again"
                    )


def _read(folder: Path) -> State:
    tensors = {
        name: safetensors.torch.load_file(path) if (path := folder / f"{name}.safetensors").exists() else {}
        for name in ("weights", "optimizer", "best")
    }
    log = (folder / "steps.jsonl").read_text(encoding="utf-8")
    return State(**read_json(folder / "state.json"), **tensors, log=log)


def _remove(folder: Path) -> None:
    """Remove a checkpoint, manifest first, so that an interrupted removal leaves no folder that looks complete."""
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder)


def random_states(device: str) -> dict[str, str]:
    """Return the states of torch's generators in this process (CPU, and CUDA if used), encoded in base64."""
    states = {"cpu": torch.get_rng_state()}
    if torch.device(device).type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return {name: base64.b64encode(state.numpy().tobytes()).decode() for name, state in states.items()}


def restore_random_states(states: Mapping[str, str], device: str) -> None:
    """Reset torch's generators to the states that ``random_states`` returned."""
    tensors = {
        name: torch.from_numpy(np.frombuffer(base64.b64decode(text), np.uint8).copy()) for name, text in states.items()
    }
    torch.set_rng_state(tensors["cpu"])
    if "cuda" in tensors:
        torch.cuda.set_rng_state(tensors["cuda"], device)
