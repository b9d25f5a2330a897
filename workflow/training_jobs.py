"""What the rules of training need to know of a plan: the flags of each verb, and which files it takes.

Every method whose argument is ``w`` takes the wildcards of the rule of the same name.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bench.config.plan import Plan
from bench.config.protocol import Entry
from bench.config.rounds import TrainingSet
from bench.config.settings import flags
from workflow.jobs import compute

LOOP = ("steps", "batch", "micro_batch", "learning_rate", "warmup", "temperature", "doc_maxlen", "checkpoint_every")


class TrainingJobs:
    """Flags and file names for the models and the teachers of one plan."""

    def __init__(self, plan: Plan):
        self.plan = plan

    def project(self, w: Any) -> str:
        model = self.plan.models[w.model]
        fitted = model["projection"]
        given = {**model["base"], **self._inputs(w.model), **{name: fitted.get(name) for name in ("passages", "dim")}}
        if "dataset" in fitted:
            given["doc_maxlen"] = self._trained_on(fitted).doc_maxlen
        return flags({**given, **self._compute("project", w.model)})

    def convert(self, w: Any) -> str:
        return flags({**self.plan.models[w.model]["checkpoint"], **self._inputs(w.model)})

    def pool(self, w: Any) -> str:
        return flags(self.plan.models[w.model]["base"])

    def triples(self, w: Any) -> str:
        train = self.plan.models[w.model]["train"]
        return self._triples(train, w.model, self._query_seed(train["dataset"]))

    def teacher_triples(self, w: Any) -> str:
        """A teacher has queries of its own: what it says of those that it was trained on is worth less."""
        return self._triples(self.plan.teachers[w.teacher]["train"], w.teacher, self.plan.seed_for("queries", w.teacher))

    def train(self, w: Any) -> str:
        train = self.plan.models[w.model]["train"]
        length = {"query_maxlen": self._trained_on(train).query_maxlen}
        return flags({**self._loop(w.model, train), **length, **self._inputs(w.model), **self._compute("train", w.model)})

    def train_teacher(self, w: Any) -> str:
        teacher = self.plan.teachers[w.teacher]
        names = ("steps", "batch", "learning_rate", "warmup", "loss")
        train = {name: teacher["train"][name] for name in names}
        length = {"max_length": teacher["max_length"]}
        return flags({**teacher["cross_encoder"], **train, **length, **self._compute("train-teacher", w.teacher)})

    def training_part(self, w: Any) -> str:
        part = self._parts()[w.corpus]
        keep = {"keep_queries": part.queries, "hold_out": part.held_out, "keep_passages": part.passages}
        return flags({**keep, "query_seed": self._query_seed(part.source.id), "seed": self.plan.seed_for("part", w.corpus)})

    def mine(self, w: Any) -> str:
        mine = self._distill(w)["mine"]
        shard = {"shard": int(w.part), "shards": mine.get("shards", 1)}
        return flags({**self.plan.presets[mine["preset"]].values(), "depth": mine["depth"], **shard, "threads": 1})

    def score(self, w: Any) -> str:
        teacher = self._teacher(w)
        if "judgements" in teacher:
            return flags({"teacher": "judgements", **compute(self.plan, threads=2)})
        how = {"max_length": teacher["max_length"], "bm25": teacher.get("bm25"), **compute(self.plan, threads=2)}
        if "bi_encoder" in teacher:
            return flags({"teacher": "bi-encoder", "folder": f"build/models/{teacher['bi_encoder']}", **how})
        if "train" in teacher:
            return flags({"teacher": "cross-encoder", "folder": f"build/teachers/{self._distill(w)['teacher']}", **how})
        return flags({"teacher": "cross-encoder", **teacher["cross_encoder"], **how})

    def tuples(self, w: Any) -> str:
        drawn = {name: self._distill(w)[name] for name in ("nway", "positive", "sampling")}
        if self._grouped(w):
            vectors = self.of_part("build/{corpus}/{start}/queries/{queries}")(w)
            drawn |= {"group_size": self._distill(w)["group_size"], "query_vectors": vectors}
        return flags({**drawn, "seed": self.plan.seed_for("tuples", w.model)})

    def distill(self, w: Any) -> str:
        distill = self._distill(w)
        losses = {name: distill[name] for name in ("teacher_temperature", "in_batch_weight")}
        length = {"query_maxlen": self.plan.training[w.model].entry.query_maxlen}
        held = distill.get("validation", {})
        validation = {"validation_passages": held.get("passages"), "validate_every": held.get("every")}
        if held:
            validation["validation_queries"] = self.of_part("build/{corpus}/queries/{queries}.held-out")(w)
        given = {**self._loop(w.model, distill), **losses, **length, **validation}
        return flags({**given, **self._inputs(w.model), **self._compute("distill", w.model)})

    def fitted_on(self, w: Any) -> list[str]:
        """The collection that a projection is fitted on; none where it is random."""
        fitted = self.plan.models[w.model]["projection"]
        return [f"build/{self._trained_on(fitted).corpus_name}/corpus/manifest.json"] if "dataset" in fitted else []

    def corpus(self, w: Any) -> str:
        """The collection that a model or a teacher is trained on."""
        return f"build/{self._trained_on(self._train(w)).corpus_name}/corpus/manifest.json"

    def queries(self, w: Any) -> str:
        """The query set that a model or a teacher is trained on."""
        entry = self._trained_on(self._train(w))
        return f"build/{entry.corpus_name}/queries/{entry.name}/manifest.json"

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
            names = {"start": self.plan.models[w.model]["start"], "codec": self._distill(w)["mine"]["codec"]}
            return pattern.format(corpus=entry.corpus_name, queries=entry.name, **names)

        return file

    def held_out(self, w: Any) -> list[str]:
        """Queries for validation, where the model asks for it."""
        validated = "validation" in self._distill(w)
        return [self.of_part("build/{corpus}/queries/{queries}.held-out/manifest.json")(w)] if validated else []

    def parts(self) -> str:
        """A wildcard constraint: the corpora that are parts of training sets, or a name that none has."""
        return "|".join(map(re.escape, self._parts())) or "no-part"

    def teacher(self, w: Any) -> list[str]:
        """The manifest of a teacher that is made here."""
        teacher = self._teacher(w)
        if "bi_encoder" in teacher:
            return [f"build/models/{teacher['bi_encoder']}/manifest.json"]
        return [f"build/teachers/{self._distill(w)['teacher']}/manifest.json"] if "train" in teacher else []

    def scored(self, w: Any) -> list[str]:
        """Manifests of all parts of the training queries, scored."""
        count = self._distill(w)["mine"].get("shards", 1)
        return [f"build/models/{w.model}.scored/{part:05d}/manifest.json" for part in range(count)]

    def asked(self, w: Any) -> list[str]:
        """The start's vectors of the training queries, where similar ones stand in groups."""
        return [self.of_part("build/{corpus}/{start}/queries/{queries}/manifest.json")(w)] if self._grouped(w) else []

    def distilled(self, pattern: str) -> list[str]:
        return [pattern.format(model=name) for name in self.plan.training]

    def logs(self) -> list[str]:
        """Logs of every training of a model."""
        models = self.plan.models.items()
        return [f"build/models/{name}.steps.jsonl" for name, model in models if model.get("train") or model.get("distill")]

    def starts(self) -> list[str]:
        """MODEL=START of every trained model."""
        return [f"{name}={model['start']}" for name, model in self.plan.models.items() if "start" in model]

    def seen(self) -> list[str]:
        """MODEL=PASSAGES of every trained model, in all its steps."""
        found = []
        for name, model in self.plan.models.items():
            if stage := model.get("train") or model.get("distill"):
                each = stage.get("nway") or 1 + stage.get("negatives", 1)
                found.append(f"{name}={stage['steps'] * stage['batch'] * each}")
        return found

    def models_with(self, key: str) -> str:
        """A wildcard constraint: names of the models whose settings have ``key``, or a name that none has."""
        names = [re.escape(name) for name, model in self.plan.models.items() if model.get(key)]
        return "|".join(names) or f"no-model-with-{key}"

    def trained_teachers(self) -> str:
        """A wildcard constraint: names of the teachers that are trained here, or a name that none has."""
        return "|".join(re.escape(name) for name, each in self.plan.teachers.items() if "train" in each) or "no-teacher"

    def start(self, w: Any) -> str:
        return f"build/models/{self.plan.models[w.model]['start']}/manifest.json"

    def _train(self, w: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.plan.teachers[w.teacher] if hasattr(w, "teacher") else self.plan.models[w.model]
        return found["train"]

    def _trained_on(self, stage: Mapping[str, Any]) -> Entry:
        return self.plan.sources[stage["dataset"]]

    def _query_seed(self, dataset: str) -> int:
        """One for all models, so that those trained on as many queries of a data set are trained on the same ones."""
        return self.plan.seed_for("training-queries", dataset)

    def _triples(self, train: Mapping[str, Any], name: str, query_seed: int) -> str:
        count = train["steps"] * train["batch"]
        if "docpairs" in train:
            return flags({"count": count, "docpairs": train["docpairs"]})
        mined = {key: train[key] for key in ("negatives", "mining_depth")}
        seeds = {"query_seed": query_seed, "seed": self.plan.seed_for("triples", name)}
        return flags({"count": count, **mined, **seeds})

    def _loop(self, model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: settings[name] for name in LOOP if name in settings}
        return {**given, "work": f"build/models/{model}.checkpoints"} if "checkpoint_every" in given else given

    def _parts(self) -> dict[str, TrainingSet]:
        return {part.entry.corpus_name: part for part in self.plan.training.values() if not part.whole}

    def _distill(self, w: Any) -> Mapping[str, Any]:
        return self.plan.models[w.model]["distill"]

    def _grouped(self, w: Any) -> bool:
        return bool(self._distill(w).get("group_size", 1) > 1)

    def _teacher(self, w: Any) -> Mapping[str, Any]:
        return self.plan.teachers[self._distill(w)["teacher"]]

    def _inputs(self, model: str) -> dict[str, Any]:
        return {name: "none" if value is None else value for name, value in self.plan.inputs(model).items()}

    def _compute(self, *purpose: str) -> dict[str, Any]:
        return {"seed": self.plan.seed_for(*purpose), **compute(self.plan, threads=2)}
