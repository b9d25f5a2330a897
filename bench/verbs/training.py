"""What the verbs that train have in common: flags, checks of the start, checkpoints, validation, and the model written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import model_validator

from bench.config.inputs import InputSettings
from bench.config.settings import Count, Settings
from bench.config.training import LoopRecipe, LoopSettings
from bench.corpus.texts import Passages, open_queries
from bench.encoder import checkpoint
from bench.encoder.inputs import Inputs
from bench.encoder.model import LateInteraction
from bench.errors import SettingsError
from bench.evaluation.quality import evaluate
from bench.files.provenance import context
from bench.files.storage import Manifest
from bench.machine.progress import bar
from bench.training.checkpoints import Checkpoints
from bench.training.log import Step
from bench.training.loop import Outcome
from bench.training.objective import Validation
from bench.training.processes import Processes
from bench.training.validation import held_out

MEASURE, DEPTH = "RR@10", 10


class RunFlags(Settings):
    """Files of a training run, and settings that are not part of its recipe."""

    start: Path
    """Model folder to start from."""
    corpus: Path
    """Corpus folder of the examples."""
    queries: Path
    """Query folder of the examples."""
    dim: Count | None = None
    """Refuse a start whose vectors have other dimensions."""
    work: Path | None = None
    """Folder of checkpoints, emptied when the model is written; goes with --checkpoint-every."""
    validation_queries: Path | None = None
    """Query folder of the validation; queries that are trained on are left out."""
    validation_passages: Count | None = None
    """Passages of the corpus that they are searched in."""
    validate_every: Count | None = None
    """Steps between validations by RR@10; the best model is kept."""
    log: Path
    """JSON lines of steps to write."""
    output: Path
    """Model folder to write."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        names = ("validation_queries", "validation_passages", "validate_every")
        given = [getattr(self, name) is not None for name in names]
        if any(given) and not all(given):
            raise ValueError(f"{', '.join('--' + name.replace('_', '-') for name in names)} go together: give all or none")
        return self


def check_work(flags: RunFlags, settings: LoopRecipe) -> None:
    """Refuse checkpoints without a folder, and a folder without checkpoints, before anything is read."""
    if (flags.work is None) != (settings.checkpoint_every is None):
        raise SettingsError("--work, --checkpoint-every of the command line go together: give all or none")


def open_start(flags: RunFlags, settings: LoopSettings, inputs: InputSettings) -> tuple[LateInteraction, Manifest]:
    """Return the model to start from, with the inputs of the command line. Raise SettingsError if it cannot be trained."""
    encoder, manifest = checkpoint.load(flags.start)
    if not isinstance(encoder, LateInteraction):
        raise SettingsError(f"{flags.start} is a model of kind {encoder.kind!r}; only late interaction is trained here")
    if flags.dim is not None and encoder.dim != flags.dim:
        raise SettingsError(f"{flags.start} has vectors of dim {encoder.dim}, --dim of the command line is {flags.dim}")
    longest = encoder.inputs.positions
    for name in ("query_maxlen", "doc_maxlen"):
        if longest is not None and getattr(settings, name) > longest:
            raise SettingsError(
                f"{name} {getattr(settings, name)} of the command line: {flags.start} reads at most {longest} tokens"
            )
    changed = encoder.inputs.settings.model_copy(update=inputs.given())
    encoder.inputs = Inputs(encoder.inputs.tokenizer, changed, encoder.bert)
    return encoder, manifest


def validation_given(
    flags: RunFlags, settings: LoopSettings, corpus: Passages, trained_on: set[str], device: str, inputs: dict[str, str]
) -> Validation | None:
    """Return the validation by RR@10 over held-out queries, if there are any; add their digest to the inputs."""
    if flags.validation_queries is None or flags.validation_passages is None or flags.validate_every is None:
        return None
    queries = open_queries(flags.validation_queries)
    inputs["validation_queries"] = queries.manifest.digest
    held = held_out(corpus, queries, trained_on, flags.validation_passages, settings.seed)
    how = {name: getattr(settings, name) for name in ("query_maxlen", "doc_maxlen", "precision", "pool")}

    def value(encoder: LateInteraction) -> float:
        return evaluate(held.rank(encoder, DEPTH, device=device, **how), held.qrels, [MEASURE], DEPTH).mean[MEASURE]

    return Validation(flags.validate_every, MEASURE, value)


def described(
    flags: RunFlags,
    settings: LoopSettings,
    threads: int,
    encoder: LateInteraction,
    start: Manifest,
    processes: Processes,
) -> dict[str, Any]:
    """Return everything except the inputs that the weights depend on, which identifies a checkpoint and the model."""
    return {
        **settings.model_dump(exclude={"checkpoint_every"}),
        "threads": threads,
        "device": torch.device(processes.device).type,
        "devices": processes.count,
        "inputs": encoder.inputs.settings.stored(),
        "validate_every": flags.validate_every,
        "validation_passages": flags.validation_passages,
        "start": dict(start.settings),
    }


def run(
    flags: RunFlags,
    recipe: LoopSettings,
    encoder: LateInteraction,
    processes: Processes,
    train: Callable[..., Outcome],
    *,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    validation: Validation | None,
    module: str,
) -> None:
    """Train, write the model, remove the checkpoints, and print a summary; only the first process writes."""
    checkpoints = None
    if flags.work is not None and recipe.checkpoint_every is not None:
        checkpoints = Checkpoints(flags.work, recipe.checkpoint_every, settings, inputs)
    with bar(f"train {flags.output.name}", recipe.steps, "steps") as progress:

        def report(step: Step) -> None:
            if processes.first:
                progress.update(step.step - progress.n)

        outcome = train(processes=processes, log=flags.log, checkpoints=checkpoints, validation=validation, report=report)
    if processes.first:
        counts = {"steps": recipe.steps, "kept": outcome.kept}
        manifest = checkpoint.save(
            encoder, flags.output, settings=settings, inputs=inputs, counts=counts, context=context(module)
        )
        if checkpoints is not None:
            checkpoints.clear()
        print(f"{_summary(outcome)}; digest {manifest.digest[:16]}")
    processes.wait()


def _summary(outcome: Outcome) -> str:
    steps = outcome.steps
    last = steps[-len(steps) // 10 or None :]
    loss, accuracy = (sum(getattr(step, name) for step in last) / len(last) for name in ("loss", "accuracy"))
    text = f"{len(steps)} steps: loss {loss:.3f}, accuracy {accuracy:.3f}"
    kept = steps[outcome.kept - 1]
    if kept.validation:
        text += f"; kept step {kept.step} with {', '.join(f'{name} {value:.4f}' for name, value in kept.validation.items())}"
    if outcome.resumed_from:
        text += f"; resumed from step {outcome.resumed_from}"
    return text
