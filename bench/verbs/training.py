"""What the verbs that train have in common: flags, checks of the start, checkpoints, validation, and the model written."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from bench.corpus.texts import Passages, open_queries
from bench.encoder import checkpoint
from bench.encoder.inputs import Inputs, InputSettings
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
from bench.training.schedule import LoopSettings
from bench.training.validation import held_out
from bench.verbs import common, models

MEASURE, DEPTH = "RR@10", 10
S = TypeVar("S", bound=LoopSettings)


def add_training(parser: ArgumentParser) -> None:
    """Flags of the loop, of checkpoints and of validation."""
    parser.add_argument("--steps", type=int, required=True, help="optimizer steps")
    parser.add_argument("--batch", type=int, required=True, help="queries per step, over all devices")
    parser.add_argument("--micro-batch", type=int, help="queries in memory at once on a device; default: its whole part")
    parser.add_argument("--learning-rate", type=float, required=True, help="peak of AdamW's learning rate")
    parser.add_argument("--warmup", type=int, required=True, help="steps of linear warm-up")
    parser.add_argument("--temperature", type=float, required=True, help="divides MaxSim sums in the softmax")
    parser.add_argument("--query-maxlen", type=int, required=True, help="tokens of a query, markers included")
    parser.add_argument("--doc-maxlen", type=int, required=True, help="tokens of a passage, markers included")
    parser.add_argument("--dim", type=int, help="refuse a start whose vectors have other dimensions")
    parser.add_argument("--work", type=Path, help="folder of checkpoints, emptied when the model is written")
    parser.add_argument("--checkpoint-every", type=int, help="steps between checkpoints; goes with --work")
    parser.add_argument("--validation-queries", type=Path, help="query folder; those that are trained on are left out")
    parser.add_argument("--validation-passages", type=int, help="passages of the corpus that they are searched in")
    parser.add_argument("--validate-every", type=int, help=f"steps between validations by {MEASURE}; the best model is kept")
    models.add_inputs(parser)
    common.add_compute(parser)
    parser.add_argument("--log", type=Path, required=True, help="JSON lines of steps to write")
    common.add_output(parser, "model folder to write")


def check_flags(args: Namespace) -> None:
    """Refuse, before anything is read, flags that only make sense together."""
    for names in (("work", "checkpoint_every"), ("validation_queries", "validation_passages", "validate_every")):
        given = [getattr(args, name) is not None for name in names]
        if any(given) and not all(given):
            flags = ", ".join("--" + name.replace("_", "-") for name in names)
            raise SettingsError(f"{flags} of the command line go together: give all or none")


def open_start(args: Namespace) -> tuple[LateInteraction, Manifest]:
    """The model to start from, fed as the command line says; raises SettingsError for one that cannot be trained so."""
    encoder, manifest = checkpoint.load(args.start)
    if not isinstance(encoder, LateInteraction):
        raise SettingsError(f"{args.start} is a model of kind {encoder.kind!r}; only late interaction is trained here")
    if args.dim is not None and encoder.dim != args.dim:
        raise SettingsError(f"{args.start} has vectors of dim {encoder.dim}, --dim of the command line is {args.dim}")
    longest = getattr(encoder.bert.config, "max_position_embeddings", None)
    for name in ("query_maxlen", "doc_maxlen"):
        if longest is not None and getattr(args, name) > longest:
            raise SettingsError(
                f"{name} {getattr(args, name)} of the command line: {args.start} reads at most {longest} tokens"
            )
    changed = asdict(encoder.inputs.settings) | models.inputs_given(args)
    encoder.inputs = Inputs(encoder.inputs.tokenizer, InputSettings(**changed))
    return encoder, manifest


def settings_given(kind: type[S], args: Namespace) -> S:
    return kind(**{field.name: getattr(args, field.name) for field in fields(kind)})


def validation_given(
    args: Namespace, corpus: Passages, trained_on: set[str], device: str, inputs: dict[str, str]
) -> Validation | None:
    """RR@10 over the held-out queries, where the command line names any; notes their digest among the inputs."""
    if args.validation_queries is None:
        return None
    queries = open_queries(args.validation_queries)
    inputs["validation_queries"] = queries.manifest.digest
    held = held_out(corpus, queries, trained_on, args.validation_passages, args.seed)
    how = {name: getattr(args, name) for name in ("query_maxlen", "doc_maxlen", "precision")}

    def value(encoder: LateInteraction) -> float:
        return evaluate(held.rank(encoder, DEPTH, device=device, **how), held.qrels, [MEASURE], DEPTH).mean[MEASURE]

    return Validation(args.validate_every, MEASURE, value)


def described(
    args: Namespace, settings: LoopSettings, encoder: LateInteraction, start: Manifest, processes: Processes
) -> dict[str, Any]:
    """Everything but the inputs that the weights depend on: what a checkpoint and the model are known by."""
    return {
        **asdict(settings),
        "seed": args.seed,
        "threads": args.threads,
        "device": torch.device(processes.device).type,
        "devices": processes.count,
        "inputs": asdict(encoder.inputs.settings),
        "validate_every": args.validate_every,
        "validation_passages": args.validation_passages,
        "start": dict(start.settings),
    }


def run(
    args: Namespace,
    encoder: LateInteraction,
    processes: Processes,
    train: Callable[..., Outcome],
    *,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    validation: Validation | None,
    module: str,
) -> None:
    """Train, write the model, remove the checkpoints, and say how it went; only the first process writes."""
    checkpoints = None if args.work is None else Checkpoints(args.work, args.checkpoint_every, settings, inputs)
    with bar(f"train {args.output.name}", args.steps, "steps") as progress:

        def report(step: Step) -> None:
            if processes.first:
                progress.update(step.step - progress.n)

        outcome = train(processes=processes, log=args.log, checkpoints=checkpoints, validation=validation, report=report)
    if processes.first:
        counts = {"steps": args.steps, "kept": outcome.kept}
        manifest = checkpoint.save(
            encoder, args.output, settings=settings, inputs=inputs, counts=counts, context=context(module)
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
