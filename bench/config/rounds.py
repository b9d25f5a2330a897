"""Denoised supervision in a config: every round becomes a model of its own, and what it is trained on gets a name."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.codec.names import CodecName
from bench.config import protocol
from bench.config.protocol import Entry
from bench.errors import SettingsError
from bench.search.presets import Preset

Models = Mapping[str, Mapping[str, Any]]


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


def expanded(models: Models) -> dict[str, Mapping[str, Any]]:
    """Models with each round of distillation but the last under a name of its own: round 1 of ``denoised`` is
    ``denoised.round1``, and where the rounds end is ``denoised``."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, model in models.items():
        rounds = (model.get("distill") or {}).get("rounds", 1)
        start = model.get("start")
        for number in range(1, rounds):
            found[f"{name}.round{number}"] = {**model, "start": start}
            start = f"{name}.round{number}"
        found[name] = {**model, "start": start} if rounds > 1 else model
    return found


def needed(models: Models, teachers: Models, searched: Iterable[str]) -> tuple[Models, Models]:
    """Of models and teachers those that the searched models are made from, themselves included, in the order given."""
    waiting, kept, taught = list(searched), set(), set()
    while waiting:
        name = waiting.pop()
        if name in kept:
            continue
        kept.add(name)
        model = models[name]
        if "start" in model:
            waiting.append(model["start"])
        if "distill" in model:
            teacher = model["distill"]["teacher"]
            taught.add(teacher)
            waiting += [teachers[teacher]["bi_encoder"]] if "bi_encoder" in teachers[teacher] else []
    return (
        {name: model for name, model in models.items() if name in kept},
        {name: teacher for name, teacher in teachers.items() if name in taught},
    )


def training_set(distill: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], source: str) -> TrainingSet:
    """The training set that the ``distill`` settings of a model name; raises SettingsError where the part is no part."""
    whole = protocol.resolve(distill["dataset"], {}, known, source)
    queries, passages = distill.get("queries"), distill.get("passages")
    held_out = distill.get("validation", {}).get("queries", 0)
    if queries is None and passages is None:
        if held_out:
            raise SettingsError(f"{source}: distill.validation holds queries out of a part; give queries and passages too")
        return TrainingSet(entry=whole, source=whole, queries=None, passages=None)
    if queries is None or passages is None:
        raise SettingsError(f"{source}: distill names queries {queries} and passages {passages}; give both or neither")
    for what, count, of in (("queries", queries + held_out, whole.queries), ("passages", passages, whole.passages)):
        if count > of:
            raise SettingsError(f"{source}: distill asks for {count} {what}, {whole.id} has {of}")
    name = f"{whole.corpus_name}.{queries}-of-{passages}" + (f"-and-{held_out}" if held_out else "")
    entry = dataclasses.replace(whole, id=name, corpus=name, passages=passages, queries=queries)
    return TrainingSet(entry=entry, source=whole, queries=queries, passages=passages, held_out=held_out)


def check(
    name: str, models: Models, teachers: Models, codec: CodecName | None, presets: Mapping[str, Preset], source: str
) -> None:
    """Raise SettingsError where a distilled model names a teacher, preset or depth that cannot be.

    codec: the one that is mined over, None for uncompressed; presets: parsed ones, by name.
    """
    distill = models[name]["distill"]
    where = f"models.{name}.distill in {source}"
    mine = distill["mine"]
    if mine["preset"] not in presets:
        raise SettingsError(f"{where}: mine.preset {mine['preset']!r} is not one of {sorted(presets)}")
    preset = presets[mine["preset"]]
    if preset.needs_lists and codec is None:
        raise SettingsError(
            f"{where}: mine.preset {mine['preset']!r} needs an inverted list, codec {mine['codec']!r} has none"
        )
    if preset.engine == "flat":
        raise SettingsError(f"{where}: mine.preset {mine['preset']!r} is for models with one vector per passage")
    if preset.scored is not None and preset.scored < mine["depth"]:
        raise SettingsError(
            f"{where}: mine.preset {mine['preset']!r} scores {preset.scored} passages, depth is {mine['depth']}"
        )
    if distill["nway"] > mine["depth"]:
        raise SettingsError(f"{where}: nway {distill['nway']} is more than the mined depth {mine['depth']}")
    for parts in ("batch", "micro_batch"):
        if distill.get(parts, 0) % distill.get("group_size", 1):
            raise SettingsError(f"{where}: {parts} {distill[parts]} is no multiple of group_size {distill['group_size']}")
    if distill["teacher"] not in teachers:
        raise SettingsError(f"{where}: teacher {distill['teacher']!r} is not one of {sorted(teachers)}")


def check_teachers(teachers: Models, models: Models, source: str) -> None:
    """Raise SettingsError where a bi-encoder is not a model of the config that gives one vector per text."""
    for name, teacher in teachers.items():
        model = teacher.get("bi_encoder")
        if model is not None and "pooling" not in models.get(model, {}):
            known = sorted(other for other, settings in models.items() if "pooling" in settings)
            raise SettingsError(
                f"teachers.{name}.bi_encoder {model!r} in {source} is not a model with pooling; these are: {known}"
            )
