"""Cross-encoders on disk, and training of a cross-encoder as teacher on triples of relevant passages and negatives."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
import transformers

from bench.encoder.batching import autocast
from bench.encoder.foreign import ONLY_LOCAL, check_finite, read_tokenizer, readable
from bench.errors import DamagedFileError, SettingsError
from bench.files.storage import FolderWriter, Manifest
from bench.training.errors import TrainingError
from bench.training.loop import FETCHED, MAX_GRADIENT_NORM
from bench.training.pairs import check_maxlen, tokenize_pairs
from bench.training.triples import Triple

if TYPE_CHECKING:  # a bare machine with a GPU has no pydantic
    from bench.config.training import TeacherSettings

KIND = "cross-encoder"
VERSION = 1
IDENTITY = "torch.nn.modules.linear.Identity"  # activation that sentence-transformers applies to the logits of saved models


@dataclass(frozen=True)
class TeacherStep:
    """One line of the log. accuracy: share of triples whose relevant passage has the highest logit."""

    step: int
    loss: float
    learning_rate: float
    accuracy: float


def from_base(folder: Path) -> tuple[torch.nn.Module, transformers.PreTrainedTokenizerBase]:
    """Return pretrained weights in float32 with a new one-label head, initialised from torch's seed, and the tokenizer.
    Raise DamagedFileError if weights other than those of the head (and the pooling before the head) are missing.
    """
    with readable(folder, "the weights of a network"):
        model, loading = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=1, dtype=torch.float32, output_loading_info=True, **ONLY_LOCAL
        )
    missing = sorted(name for name in loading["missing_keys"] if not _of_head(name))
    if missing:
        raise DamagedFileError(f"{folder} lacks {missing[0]} and {len(missing) - 1} more weights of its network")
    check_finite(model.state_dict(), folder)
    return model.eval(), read_tokenizer(folder)


def _of_head(name: str) -> bool:
    return any(part in ("classifier", "pooler", "pre_classifier", "score") for part in name.split("."))


def save(
    model: Any, tokenizer: transformers.PreTrainedTokenizerBase, folder: Path, **manifest: Mapping[str, Any]
) -> Manifest:
    """Write a folder that Hugging Face and sentence-transformers can also load. No file in the folder is pickled."""
    check_finite(model.state_dict(), folder)
    writer = FolderWriter(folder, KIND, VERSION)
    model.config.sentence_transformers = {"activation_fn": IDENTITY}
    model.save_pretrained(folder)
    files = tokenizer.save_pretrained(folder)
    for name in ("model.safetensors", "config.json", *(Path(file).name for file in files)):
        writer.path(name)
    return writer.close(**manifest)


def group_loss(logits: torch.Tensor, loss: Literal["binary", "softmax"]) -> torch.Tensor:
    """Return the loss of ``[triples, passages]`` logits. The first column belongs to the relevant passages."""
    if loss == "binary":
        targets = torch.zeros_like(logits)
        targets[:, 0] = 1.0
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    return torch.nn.functional.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device))


def train_teacher(
    model: Any,
    tokenizer: transformers.PreTrainedTokenizerBase,
    triples: Sequence[Triple],
    queries: Sequence[str],
    passages: Mapping[int, str],
    settings: "TeacherSettings",
    *,
    device: str = "cpu",
    report: Callable[[TeacherStep], None] = lambda step: None,
) -> None:
    """Train ``model`` in place on the first ``steps * batch`` triples, in order; each distinct pair is tokenized once.

    Positions in the triples refer to ``queries`` and ``passages``. Dropout is disabled, as in ``bench.training.loop``.
    Raise TrainingError with step and queries if the loss is not finite, and SettingsError for invalid settings.
    """
    check_settings(settings, triples, model, tokenizer)
    used = triples[: settings.steps * settings.batch]
    named = {(triple.query, passage): 0 for triple in used for passage in (triple.positive, *triple.negatives)}
    place = {pair: number for number, pair in enumerate(named)}
    tokens = tokenize_pairs(
        tokenizer, [queries[query] for query, _ in place], [passages[passage] for _, passage in place], settings.max_length
    )
    model.to(device).eval()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gpu = torch.device(device).type == "cuda"
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=0.0, fused=gpu or None)
    attended = torch.bfloat16 if settings.precision == "bfloat16" else None
    taken: list[tuple[int, float, torch.Tensor]] = []
    for step in range(settings.steps):
        batch = used[step * settings.batch : (step + 1) * settings.batch]
        pairs = [place[triple.query, passage] for triple in batch for passage in (triple.positive, *triple.negatives)]
        with autocast(settings.precision, device):
            logits = model(**tokens.batch(pairs, device, model, attended)).logits.float().reshape(len(batch), -1)
        loss = group_loss(logits, settings.loss)
        if not gpu:
            _check(step + 1, loss.item(), batch)
        rate = settings.learning_rate * settings.rate(step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM)
        optimizer.step()
        taken.append((step, rate, torch.stack([loss.detach(), (logits.argmax(dim=1) == 0).float().mean()])))
        if not gpu or len(taken) == FETCHED or step + 1 == settings.steps:
            values = torch.stack([both for _, _, both in taken]).tolist()
            for (number, used_rate, _), (value, accuracy) in zip(taken, values, strict=True):
                _check(number + 1, value, used[number * settings.batch : (number + 1) * settings.batch])
                report(TeacherStep(number + 1, value, used_rate, accuracy))
            taken = []
    model.to("cpu")


def _check(step: int, loss: float, batch: Sequence[Triple]) -> None:
    if not math.isfinite(loss):
        chosen = [triple.query for triple in batch]
        raise TrainingError(f"loss is {loss} at step {step} with queries {chosen}; lower learning_rate")


def check_settings(
    settings: "TeacherSettings", triples: Sequence[Triple], model: Any, tokenizer: transformers.PreTrainedTokenizerBase
) -> None:
    """Raise SettingsError for settings that cannot be trained, before any text is tokenized."""
    if len(triples) < settings.steps * settings.batch:
        raise SettingsError(f"{settings.steps} steps of {settings.batch} need more than the {len(triples)} triples given")
    if not triples[0].negatives:
        raise SettingsError("triples without negatives train no cross-encoder: it sees no passage that is not relevant")
    check_maxlen(tokenizer, model.config, settings.max_length, "the teacher")
