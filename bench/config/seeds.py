"""Several seeds: what draws on a seed is planned once for each of them, under a name that ends in it; all else once.

``contrastive.seed-2`` is the model contrastive as a config with ``seed: 2`` makes it. A model that is only loaded has no
seed, and neither have its vectors; its compressed codecs have, such as ``residual-2.seed-2``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.codec.names import UNCOMPRESSED
from bench.config import pools
from bench.config.models import Distilled, Model, Projected, Trained
from bench.config.rounds import TrainingSet
from bench.errors import SettingsError

if TYPE_CHECKING:
    from bench.config.plan import Plan, Run


def named(name: str, seed: int) -> str:
    return f"{name}.seed-{seed}"


def split(name: str) -> tuple[str, int | None]:
    """Return a name without its seed, and the seed; None for a name that has none."""
    found = re.fullmatch(r"(.*)\.seed-([0-9]+)", name)
    return (found[1], int(found[2])) if found else (name, None)


def of_config(seed: int | None, seeds: Sequence[int] | None, source: str) -> tuple[int, ...]:
    """Return the seeds of a config. Raise SettingsError unless it gives either one or several."""
    if seed is not None and seeds is not None:
        raise SettingsError(
            f"{source} gives seed {seed} and seeds {list(seeds)}: give one of them; seed: null takes back that of a config "
            f"that is extended"
        )
    if seed is None and seeds is None:
        raise SettingsError(f"{source} gives no seed: give seed, or seeds for several")
    return (seed,) if seed is not None else tuple(seeds or ())


def repeated(plan: "Plan") -> "Plan":
    """Return a plan with all that draws on a seed once for each of its seeds; with one seed, the plan as it is."""
    if len(plan.seeds) == 1:
        return plan
    found, seeds = _Names(plan), plan.seeds
    training = {named(name, seed): _part(part, seed) for name, part in plan.training.items() for seed in seeds}
    parts = {part.entry.corpus_name for part in plan.training.values() if not part.whole}
    made = (part.entry for part in training.values() if not part.whole)
    return replace(
        plan,
        models={
            found.model(name, seed): found.settings(model, seed) for name, model in plan.models.items() for seed in seeds
        },
        teachers={found.teacher(name, seed): teacher for name, teacher in plan.teachers.items() for seed in seeds},
        training=training,
        corpora={
            **{name: entry for name, entry in plan.corpora.items() if name not in parts},
            **{entry.corpus_name: entry for entry in made},
        },
        runs=found.runs(plan.runs),
        latency=plan.latency and replace(plan.latency, runs=found.runs(plan.latency.runs)),
    )


class _Names:
    """Names of a plan of one seed under each of several."""

    def __init__(self, plan: "Plan"):
        self.seeds = plan.seeds
        self.drawn = {name for name, model in plan.models.items() if isinstance(model, Projected | Trained | Distilled)}
        self.trained = {name for name, teacher in plan.teachers.items() if getattr(teacher, "train", None)}

    def model(self, name: str, seed: int) -> str:
        return named(name, seed) if name in self.drawn else name

    def teacher(self, name: str, seed: int) -> str:
        return named(name, seed) if name in self.trained else name

    def codec(self, name: str, model: str, seed: int) -> str:
        """A codec in a path below the model: k-means draws on the seed, which the name of the model may have already."""
        return name if model in self.drawn or pools.split(name)[0] == UNCOMPRESSED else named(name, seed)

    def settings(self, model: Model, seed: int) -> Model:
        """A model with the names of what it is made from under that seed."""
        if not isinstance(model, Trained | Distilled):
            return model
        changes: dict[str, object] = {"start": self.model(model.start, seed)}
        if isinstance(model, Distilled):
            mine = model.distill.mine
            codec = self.codec(mine.codec, model.start, seed)
            names = {"teacher": self.teacher(model.distill.teacher, seed), "mine": mine.model_copy(update={"codec": codec})}
            changes["distill"] = model.distill.model_copy(update=names)
        return model.model_copy(update=changes)

    def runs(self, runs: Iterable["Run"]) -> list["Run"]:
        """Each run under each seed, and once what has no seed."""
        found = (
            replace(run, model=self.model(run.model, seed), codec=self.codec(run.codec, run.model, seed))
            for run in runs
            for seed in self.seeds
        )
        return list(dict.fromkeys(found))


def _part(part: TrainingSet, seed: int) -> TrainingSet:
    """A part of a training set, which is drawn at random, under a seed; a whole one as it is."""
    if part.whole:
        return part
    names = {"id": named(part.entry.id, seed), "corpus": named(part.entry.corpus, seed)}
    return replace(part, entry=part.entry.model_copy(update=names))
