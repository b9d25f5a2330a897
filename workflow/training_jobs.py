"""What the rules of training need to know of a plan: the flags of each verb, and which files it takes.

Every method whose argument is ``w`` takes the wildcards of the rule of the same name.
"""

import re
from collections.abc import Callable
from typing import Any

from bench.config.datasets import Entry
from bench.config.models import Teacher
from bench.config.plan import Plan
from bench.config.rounds import TrainingSet
from bench.config.seeds import split
from bench.config.settings import NONE, flags
from bench.config.training import (
    BiEncoder,
    ContrastiveRecipe,
    CrossEncoder,
    Distill,
    DistillRecipe,
    Judgements,
    NetworkTeacher,
    TeacherRecipe,
    TeacherTrain,
    Train,
    TupleRecipe,
)
from workflow.jobs import compute, device


class TrainingJobs:
    """Flags and file names for the models and the teachers of one plan."""

    def __init__(self, plan: Plan):
        self.plan = plan

    def project(self, w: Any) -> str:
        model = self.plan.models[w.model]
        fitted = model.projection
        length = {"doc_maxlen": self._source(fitted.dataset).doc_maxlen} if fitted.dataset else {}
        sample = {"passages": fitted.passages, "dim": fitted.dim, **length}
        return flags(model.base.model_dump(), self._inputs(w.model), sample, self._compute("project", w.model))

    def convert(self, w: Any) -> str:
        return flags(self.plan.models[w.model].checkpoint.model_dump(), self._inputs(w.model))

    def pool(self, w: Any) -> str:
        return flags(self.plan.models[w.model].base.model_dump())

    def triples(self, w: Any) -> str:
        train = self.plan.models[w.model].train
        return self._triples(train, w.model, self._query_seed(train.dataset, w.model))

    def teacher_triples(self, w: Any) -> str:
        """A teacher has queries of its own: what it says of those that it was trained on is worth less."""
        return self._triples(self.plan.teachers[w.teacher].train, w.teacher, self.plan.seed_for("queries", w.teacher))

    def train(self, w: Any) -> str:
        train = self.plan.models[w.model].train
        length = self._source(train.dataset).query_maxlen
        return flags(
            train.part(ContrastiveRecipe),
            self._work(w.model, train.checkpoint_every),
            self._inputs(w.model),
            self._compute("train", w.model),
            query_maxlen=length,
        )

    def train_teacher(self, w: Any) -> str:
        teacher = self.plan.teachers[w.teacher]
        recipe = teacher.train.part(TeacherRecipe)
        how = self._compute("train-teacher", w.teacher)
        return flags(teacher.cross_encoder.model_dump(), recipe, how, max_length=teacher.max_length)

    def training_part(self, w: Any) -> str:
        part = self._parts()[w.corpus]
        keep = {"keep_queries": part.queries, "hold_out": part.held_out, "keep_passages": part.passages}
        return flags(keep, query_seed=self._query_seed(part.source.id, w.corpus), seed=self.plan.seed_for("part", w.corpus))

    def mine(self, w: Any) -> str:
        mine = self._distill(w).mine
        shard = {"shard": int(w.part), "shards": mine.shards}
        return flags(
            self.plan.presets[mine.preset].model_dump(), shard, depth=mine.depth, threads=1, kernels=device(self.plan)
        )

    def score(self, w: Any) -> str:
        teacher = self._teacher(w)
        how = compute(self.plan, threads=2)
        match teacher:
            case Judgements():
                return flags(how, teacher="judgements")
            case BiEncoder():
                which = {"teacher": "bi-encoder"}
            case CrossEncoder(train=TeacherTrain()):
                which = {"teacher": "cross-encoder"}
            case _:
                which = {"teacher": "cross-encoder", **teacher.cross_encoder.model_dump()}
        return flags(which, teacher.part(NetworkTeacher), how)

    def tuples(self, w: Any) -> str:
        distill = self._distill(w)
        groups = {"group_size": distill.group_size} if distill.group_size > 1 else {}
        return flags(distill.part(TupleRecipe), groups, seed=self.plan.seed_for("tuples", w.model))

    def distill(self, w: Any) -> str:
        distill = self._distill(w)
        validation = {}
        if held := distill.validation:
            validation = {"validation_passages": held.passages, "validate_every": held.every}
        return flags(
            distill.part(DistillRecipe),
            self._work(w.model, distill.checkpoint_every),
            validation,
            self._inputs(w.model),
            self._compute("distill", w.model),
            query_maxlen=self.plan.training[w.model].entry.query_maxlen,
        )

    def fitted_on(self, w: Any) -> list[str]:
        """The collection that a projection is fitted on; none where it is random."""
        dataset = self.plan.models[w.model].projection.dataset
        return [f"build/{self._source(dataset).corpus_name}/corpus"] if dataset else []

    def corpus(self, w: Any) -> str:
        """The collection that a model or a teacher is trained on."""
        return f"build/{self._source(self._train(w).dataset).corpus_name}/corpus"

    def queries(self, w: Any) -> str:
        """The query set that a model or a teacher is trained on."""
        entry = self._source(self._train(w).dataset)
        return f"build/{entry.corpus_name}/queries/{entry.name}"

    def whole(self, pattern: str) -> Callable[[Any], str]:
        """A file of the whole training set of which the corpus is a part, by a pattern with {corpus} and {queries}."""

        def file(w: Any) -> str:
            source = self._parts()[w.corpus].source
            return pattern.format(corpus=source.corpus_name, queries=source.name)

        return file

    def of_part(self, pattern: str) -> Callable[[Any], str]:
        """A file of what a model is distilled on, by a pattern with {corpus}, {queries}, {start} and {codec}."""

        def file(w: Any) -> str:
            entry = self.plan.training[w.model].entry
            names = {"start": self.plan.distilled(w.model).start, "codec": self._distill(w).mine.codec}
            return pattern.format(corpus=entry.corpus_name, queries=entry.name, **names)

        return file

    def held_out(self, w: Any) -> list[str]:
        """Queries for validation, where the model asks for it."""
        held = self._distill(w).validation
        return [self.of_part("build/{corpus}/queries/{queries}.held-out")(w)] if held else []

    def parts(self) -> str:
        """A wildcard constraint: the corpora that are parts of training sets, or a name that none has."""
        return "|".join(map(re.escape, self._parts())) or "no-part"

    def teacher(self, w: Any) -> list[str]:
        """The folder of a teacher that is made here."""
        match self._teacher(w):
            case BiEncoder(bi_encoder=name):
                return [f"build/models/{name}"]
            case CrossEncoder(train=TeacherTrain()):
                return [f"build/teachers/{self._distill(w).teacher}"]
        return []

    def scored(self, w: Any) -> list[str]:
        """All parts of the training queries, scored."""
        shards = range(self._distill(w).mine.shards)
        return [f"build/models/{w.model}.scored/{shard:05d}" for shard in shards]

    def asked(self, w: Any) -> list[str]:
        """The start's vectors of the training queries, where similar ones stand in groups."""
        grouped = self._distill(w).group_size > 1
        return [self.of_part("build/{corpus}/{start}/queries/{queries}")(w)] if grouped else []

    def distilled(self, pattern: str) -> list[str]:
        return [pattern.format(model=name) for name in self.plan.training]

    def logs(self) -> list[str]:
        """Logs of every training of a model."""
        return [f"build/models/{name}.steps.jsonl" for name in self._recipes()]

    def starts(self) -> list[str]:
        """MODEL=START of every trained model, without seeds."""
        starts = {split(name)[0]: split(self.plan.models[name].start)[0] for name in self._recipes()}
        return [f"{name}={start}" for name, start in starts.items()]

    def seen(self) -> list[str]:
        """MODEL=PASSAGES of every trained model, in all its steps, without seeds."""
        seen = {split(name)[0]: recipe.passages_seen for name, recipe in self._recipes().items()}
        return [f"{name}={passages}" for name, passages in seen.items()]

    def models_with(self, key: str) -> str:
        """A wildcard constraint: names of the models whose settings have ``key``, or a name that none has."""
        names = [re.escape(name) for name, model in self.plan.models.items() if getattr(model, key, None)]
        return "|".join(names) or f"no-model-with-{key}"

    def trained_teachers(self) -> str:
        """A wildcard constraint: names of the teachers that are trained here, or a name that none has."""
        trained = (name for name, teacher in self.plan.teachers.items() if getattr(teacher, "train", None))
        return "|".join(map(re.escape, trained)) or "no-teacher"

    def start(self, w: Any) -> str:
        return f"build/models/{self.plan.models[w.model].start}"

    def _recipes(self) -> dict[str, Train | Distill]:
        """How each trained model is trained."""
        stages = {
            name: getattr(model, "train", None) or getattr(model, "distill", None)
            for name, model in self.plan.models.items()
        }
        return {name: stage for name, stage in stages.items() if stage}

    def _train(self, w: Any) -> Train | TeacherTrain:
        found = self.plan.teachers[w.teacher] if hasattr(w, "teacher") else self.plan.models[w.model]
        return found.train

    def _source(self, dataset: str) -> Entry:
        return self.plan.sources[dataset]

    def _query_seed(self, dataset: str, name: str) -> int:
        """One for all models of a seed, so that those trained on as many queries of a data set are trained on the same."""
        return self.plan.seed_for("training-queries", dataset, of=name)

    def _triples(self, train: Train | TeacherTrain, name: str, query_seed: int) -> str:
        count = train.steps * train.batch
        if docpairs := getattr(train, "docpairs", None):
            return flags(count=count, docpairs=docpairs)
        seeds = {"query_seed": query_seed, "seed": self.plan.seed_for("triples", name)}
        return flags(seeds, count=count, negatives=train.negatives, mining_depth=train.mining_depth)

    def _work(self, model: str, checkpoint_every: int | None) -> dict[str, Any]:
        return {"work": f"build/models/{model}.checkpoints"} if checkpoint_every else {}

    def _parts(self) -> dict[str, TrainingSet]:
        return {part.entry.corpus_name: part for part in self.plan.training.values() if not part.whole}

    def _distill(self, w: Any) -> Distill:
        return self.plan.distilled(w.model).distill

    def _teacher(self, w: Any) -> Teacher:
        return self.plan.teachers[self._distill(w).teacher]

    def _inputs(self, model: str) -> dict[str, Any]:
        given = self.plan.models[model].inputs.given()
        return {name: NONE if value is None else value for name, value in given.items()}

    def _compute(self, *purpose: str) -> dict[str, Any]:
        return {"seed": self.plan.seed_for(*purpose), **compute(self.plan, threads=2)}
