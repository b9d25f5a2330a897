"""Denoised supervision in a config: every round becomes a model of its own, and what it is trained on gets a name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.codec.names import parse
from bench.config import protocol
from bench.config.datasets import Entry, Keys
from bench.config.models import Distilled, Model, Pooled, Teacher
from bench.config.presets import Preset, check_device
from bench.config.training import BiEncoder, Distill
from bench.errors import SettingsError

Models = Mapping[str, Model]
Teachers = Mapping[str, Teacher]


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """What a model is distilled on: a query set and its collection, or seeded parts of both (``queries``, ``passages``).

    ``entry`` names the part, with as many passages as it has; ``source`` is the whole. ``held_out``: queries of a part
    that are left for validation, beside those trained on.
    """

    entry: Entry
    source: Entry
    queries: int | None
    passages: int | None
    held_out: int = 0

    @property
    def whole(self) -> bool:
        return self.entry is self.source


def expanded(models: Models) -> dict[str, Model]:
    """Models with each round of distillation but the last under a name of its own: round 1 of ``denoised`` is
    ``denoised.round1``, and where the rounds end is ``denoised``."""
    found: dict[str, Model] = {}
    for name, model in models.items():
        if isinstance(model, Distilled):
            for number in range(1, model.distill.rounds):
                found[f"{name}.round{number}"] = model
                model = model.model_copy(update={"start": f"{name}.round{number}"})
        found[name] = model
    return found


def needed(models: Models, teachers: Teachers, searched: Iterable[str]) -> tuple[Models, Teachers]:
    """Of models and teachers those that the searched models are made from, themselves included, in the order given."""
    waiting, kept, taught = list(searched), set(), set()
    while waiting:
        name = waiting.pop()
        if name in kept:
            continue
        kept.add(name)
        model = models[name]
        if start := getattr(model, "start", None):
            waiting.append(start)
        if isinstance(model, Distilled):
            taught.add(model.distill.teacher)
            teacher = teachers[model.distill.teacher]
            waiting += [teacher.bi_encoder] if isinstance(teacher, BiEncoder) else []
    return (
        {name: model for name, model in models.items() if name in kept},
        {name: teacher for name, teacher in teachers.items() if name in taught},
    )


def training_set(distill: Distill, known: Mapping[str, Keys], source: str) -> TrainingSet:
    """The training set that a recipe names; raises SettingsError where the part is larger than the whole."""
    whole = protocol.resolve(distill.dataset, None, known, source)
    queries, passages = distill.queries, distill.passages
    if queries is None or passages is None:
        return TrainingSet(entry=whole, source=whole, queries=None, passages=None)
    held_out = distill.validation.queries if distill.validation else 0
    for what, count, of in (("queries", queries + held_out, whole.queries), ("passages", passages, whole.passages)):
        if count > of:
            raise SettingsError(f"{source}: distill asks for {count} {what}, {whole.id} has {of}")
    name = f"{whole.corpus_name}.{queries}-of-{passages}" + (f"-and-{held_out}" if held_out else "")
    entry = whole.model_copy(update={"id": name, "corpus": name, "passages": passages, "queries": queries})
    return TrainingSet(entry=entry, source=whole, queries=queries, passages=passages, held_out=held_out)


def check(name: str, distill: Distill, teachers: Teachers, presets: Mapping[str, Preset], device: str, source: str) -> None:
    """Raise SettingsError where a distilled model names a teacher, codec or preset that cannot be."""
    where = f"models.{name}.distill in {source}"
    mine = distill.mine
    codec = parse(mine.codec, f"models.{name}.distill.mine in {source}")
    if mine.preset not in presets:
        raise SettingsError(f"{where}: mine.preset {mine.preset!r} is not one of {sorted(presets)}")
    preset = presets[mine.preset]
    check_device(preset, f"mine.{mine.preset}", device, where)
    if preset.needs_lists and codec is None:
        raise SettingsError(f"{where}: mine.preset {mine.preset!r} needs an inverted list, codec {mine.codec!r} has none")
    if preset.engine == "flat":
        raise SettingsError(f"{where}: mine.preset {mine.preset!r} is for models with one vector per passage")
    if preset.scored is not None and preset.scored < mine.depth:
        raise SettingsError(f"{where}: mine.preset {mine.preset!r} scores {preset.scored} passages, depth is {mine.depth}")
    if distill.teacher not in teachers:
        raise SettingsError(f"{where}: teacher {distill.teacher!r} is not one of {sorted(teachers)}")


def check_teachers(teachers: Teachers, models: Models, source: str) -> None:
    """Raise SettingsError where a bi-encoder is not a model of the config that gives one vector per text."""
    for name, teacher in teachers.items():
        if isinstance(teacher, BiEncoder) and not isinstance(models.get(teacher.bi_encoder), Pooled):
            known = sorted(other for other, model in models.items() if isinstance(model, Pooled))
            raise SettingsError(
                f"teachers.{name}.bi_encoder {teacher.bi_encoder!r} in {source} is not a model with pooling; "
                f"these are: {known}"
            )
