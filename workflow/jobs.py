"""What the rules need to know of a plan: the flags of each verb, and the files whose names depend on the config.

Every method whose argument is ``w`` takes the wildcards of the rule of the same name.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.corpus.protocol import Entry, slug
from bench.errors import SettingsError
from bench.plan import Plan, Run
from bench.rounds import TrainingSet
from bench.settings import flags

PEERS = ("colbert-ai", "fast-plaid")
PEERS_CODEC = "residual-2"
GROWTH_SIZES = (250_000, 1_000_000, 4_000_000, 16_000_000)


class Jobs:
    """Flags and file names for one plan. Thread counts stand here because they are part of a result."""

    def __init__(self, plan: Plan):
        self.plan = plan

    def corpus(self, w: Any) -> str:
        entry = self.plan.corpora[w.corpus]
        return flags({"dataset": entry.corpus, "passages": entry.passages})

    def queries(self, w: Any) -> str:
        entry = self._query_sets()[w.queries]
        seed = self.plan.seed_for("queries", w.queries)
        return flags({"dataset": entry.id, "queries": entry.queries, "sample": entry.sample, "seed": seed})

    def project(self, w: Any) -> str:
        model = self.plan.models[w.model]
        fitted = {name: model["projection"][name] for name in ("passages", "dim")}
        length = {"doc_maxlen": self.training_entry(w).doc_maxlen}
        return flags({**model["base"], **self._inputs(w.model), **fitted, **length, **self._compute("project", w.model)})

    def pool(self, w: Any) -> str:
        return flags(self.plan.models[w.model]["base"])

    def triples(self, w: Any) -> str:
        train = self.plan.models[w.model]["train"]
        mined = {name: train[name] for name in ("negatives", "mining_depth")}
        count = train["steps"] * train["batch"]
        return flags({"count": count, **mined, "seed": self.plan.seed_for("triples", w.model)})

    def train(self, w: Any) -> str:
        names = ("steps", "batch", "learning_rate", "warmup", "temperature", "doc_maxlen")
        train = {name: self.plan.models[w.model]["train"][name] for name in names}
        length = {"query_maxlen": self.training_entry(w).query_maxlen}
        return flags({**train, **length, **self._inputs(w.model), **self._compute("train", w.model)})

    def training_part(self, w: Any) -> str:
        part = self._parts()[w.corpus]
        keep = {"keep_queries": part.queries, "keep_passages": part.passages}
        return flags({**keep, "seed": self.plan.seed_for("part", w.corpus)})

    def mine(self, w: Any) -> str:
        mine = self._distill(w)["mine"]
        shard = {"shard": int(w.part), "shards": mine.get("shards", 1)}
        return flags({**self.plan.presets[mine["preset"]].values(), "depth": mine["depth"], **shard, "threads": 1})

    def score(self, w: Any) -> str:
        teacher = dict(self._distill(w)["teacher"])
        length = {"max_length": teacher.pop("max_length"), "precision": self.plan.precision, "threads": 2}
        if "bi_encoder" in teacher:
            return flags({"teacher": "bi-encoder", "folder": f"build/models/{teacher['bi_encoder']}", **length})
        return flags({"teacher": "cross-encoder", **teacher["cross_encoder"], **length})

    def tuples(self, w: Any) -> str:
        drawn = {name: self._distill(w)[name] for name in ("nway", "positive", "sampling")}
        return flags({**drawn, "seed": self.plan.seed_for("tuples", w.model)})

    def distill(self, w: Any) -> str:
        names = ("steps", "batch", "micro_batch", "learning_rate", "warmup", "temperature", "teacher_temperature")
        names += ("in_batch_weight", "doc_maxlen", "checkpoint_every")
        distill = self._distill(w)
        given = {name: distill[name] for name in names if name in distill}
        if "checkpoint_every" in given:
            given["work"] = f"build/models/{w.model}.checkpoints"
        length = {"query_maxlen": self.plan.training[w.model].entry.query_maxlen}
        return flags({**given, **length, **self._inputs(w.model), **self._compute("distill", w.model)})

    def encode(self, w: Any) -> str:
        shape = {"shard": int(w.shard), "passages_per_shard": self.plan.passages_per_shard}
        length = {"doc_maxlen": self.plan.corpora[w.corpus].doc_maxlen}
        return flags({**shape, **length, "precision": self.plan.precision, "threads": 1})

    def encode_queries(self, w: Any) -> str:
        length = {"query_maxlen": self._query_sets()[w.queries].query_maxlen}
        return flags({**length, "precision": self.plan.precision, "threads": 1})

    def centroids(self, w: Any) -> str:
        seed = self.plan.seed_for("centroids", w.corpus, w.model)
        return flags({"iterations": self.plan.kmeans_iterations, "seed": seed, "threads": 2})

    def search(self, w: Any) -> str:
        return flags({**self.plan.presets[w.preset].values(), **self._ranking(w.queries), "threads": 1})

    def peer(self, w: Any) -> str:
        return flags({"threads": 2, "seed": self.plan.seed_for("peers", w.corpus, w.model)})

    def growth(self, w: Any) -> str:
        seed = self.plan.seed_for("growth", w.corpus, w.model)
        return flags({"sizes": GROWTH_SIZES, "iterations": self.plan.kmeans_iterations, "seed": seed, "threads": 1})

    def latency(self, w: Any) -> str:
        first = self.plan.latency and self.plan.latency.queries
        settings = {"depth": self.plan.depth, "first": first, "threads": int(w.pinned)}
        return flags({**self.plan.presets[w.preset].values(), **settings})

    def bm25(self, w: Any) -> str:
        return flags(self._ranking(w.queries))

    def evaluate(self, w: Any) -> str:
        entry = self.plan.entries[w.queries]
        parts = w.system.split("/") if "/" in w.system else ("bm25", "text", "bm25")
        axes = dict(zip(("model", "codec", "preset"), parts, strict=True))
        return flags({"measures": entry.measures, "depth": self.plan.depth, "dataset": entry.id, **axes})

    def training_entry(self, w: Any) -> Entry:
        """The data set that a model is fitted or trained on."""
        model = self.plan.models[w.model]
        return self.plan.corpora[slug((model.get("projection") or model["train"])["dataset"])]

    def training_corpus(self, w: Any) -> str:
        return f"build/{self.training_entry(w).corpus_name}/corpus/manifest.json"

    def training_queries(self, w: Any) -> str:
        entry = self.training_entry(w)
        return f"build/{entry.corpus_name}/queries/{entry.name}/manifest.json"

    def part_of(self, pattern: str) -> Callable[[Any], str]:
        """A file of the whole training set of which the corpus is a part, by a pattern with {corpus} and {queries}."""

        def file(w: Any) -> str:
            source = self._parts()[w.corpus].source
            return pattern.format(corpus=source.corpus_name, queries=source.name)

        return file

    def parts(self) -> str:
        """A wildcard constraint: the corpora that are parts of training sets, or a name that none has."""
        return "|".join(map(re.escape, self._parts())) or "no-part"

    def mined(self, pattern: str) -> Callable[[Any], str]:
        """A file of what a model is distilled on, by a pattern with {corpus}, {queries}, {start} and {codec}."""

        def file(w: Any) -> str:
            entry = self.plan.training[w.model].entry
            names = {"start": self.plan.models[w.model]["start"], "codec": self._distill(w)["mine"]["codec"]}
            return pattern.format(corpus=entry.corpus_name, queries=entry.name, **names)

        return file

    def teacher(self, w: Any) -> list[str]:
        """The manifest of a teacher that is a model of the config."""
        name = self._distill(w)["teacher"].get("bi_encoder")
        return [f"build/models/{name}/manifest.json"] if name else []

    def scored(self, w: Any) -> list[str]:
        """Manifests of all parts of the training queries, scored."""
        count = self._distill(w)["mine"].get("shards", 1)
        return [f"build/models/{w.model}.scored/{part:05d}/manifest.json" for part in range(count)]

    def distilled(self, pattern: str) -> list[str]:
        return [pattern.format(model=name) for name in self.plan.training]

    def trained(self) -> list[str]:
        """Logs of every training."""
        models = self.plan.models.items()
        return [f"build/models/{name}.steps.jsonl" for name, model in models if model.get("train") or model.get("distill")]

    def models_with(self, key: str) -> str:
        """A wildcard constraint: names of the models whose settings have ``key``, or a name that none has."""
        return (
            "|".join(re.escape(name) for name, model in self.plan.models.items() if model.get(key)) or f"no-model-with-{key}"
        )

    def start(self, w: Any) -> str:
        return f"build/models/{self.plan.models[w.model]['start']}/manifest.json"

    def shards_of(self, pattern: str) -> Callable[[Any], list[str]]:
        """All files of a pattern with {shard}, for the wildcards corpus, model and codec of a rule."""
        return lambda w: [pattern.format(**dict(w), shard=shard) for shard in self.plan.shards(w.corpus)]

    def metrics(self) -> list[str]:
        plan = self.plan
        runs = [f"{_folder(run)}/metrics.json" for run in plan.runs]
        return runs + [f"build/{e.corpus_name}/bm25/{e.name}/metrics.json" for e in plan.entries.values() if plan.bm25]

    def sizes(self) -> list[str]:
        pairs = dict.fromkeys((run.corpus, run.model) for run in self.plan.runs)
        return [f"build/{c}/{m}/{codec}/size.json" for c, m in pairs for codec in self.plan.codecs(c, m)]

    def peers(self, suffix: str) -> Callable[[Any], list[str]]:
        """Files of ours and of every peer, over the vectors of the first run that the config compresses to 2 bits."""
        return lambda w: [self.measured(f"peers/{{queries}}/{name}{suffix}")(w) for name in ("ours", *PEERS)]

    def measured(self, pattern: str) -> Callable[[Any], str]:
        """A file of the first run that the config compresses to 2 bits, by a pattern with {queries}."""

        def file(_: Any) -> str:
            compressed = [run for run in self.plan.runs if run.codec == PEERS_CODEC]
            if not compressed:
                raise SettingsError(f"grid in {self.plan.source} has no codec {PEERS_CODEC}, which is measured here")
            run = compressed[0]
            return f"build/{run.corpus}/{run.model}/{pattern.format(queries=run.queries)}"

        return file

    def latencies(self) -> list[str]:
        """Timings that the config asks for; none where it asks for none."""
        threads = self.plan.latency.threads if self.plan.latency else ()
        return [f"{_folder(run)}/threads-{count}/latency.json" for run in self._timed() for count in threads]

    def timed_metrics(self) -> list[str]:
        return [f"{_folder(run)}/metrics.json" for run in self._timed()]

    def timed_sizes(self) -> list[str]:
        return list(dict.fromkeys(f"build/{run.corpus}/{run.model}/{run.codec}/size.json" for run in self._timed()))

    def _timed(self) -> Sequence[Run]:
        return self.plan.latency.runs if self.plan.latency else ()

    def _query_sets(self) -> dict[str, Entry]:
        """Those that are evaluated, and those that models are trained on."""
        found = [part.source for part in self.plan.training.values()]
        return {entry.name: entry for entry in (*found, *self.plan.corpora.values(), *self.plan.entries.values())}

    def _parts(self) -> dict[str, TrainingSet]:
        return {part.entry.corpus_name: part for part in self.plan.training.values() if not part.whole}

    def _distill(self, w: Any) -> Mapping[str, Any]:
        return self.plan.models[w.model]["distill"]

    def _inputs(self, model: str) -> dict[str, Any]:
        return {name: "none" if value is None else value for name, value in self.plan.inputs(model).items()}

    def _compute(self, *purpose: str) -> dict[str, Any]:
        return {"seed": self.plan.seed_for(*purpose), "precision": self.plan.precision, "threads": 2}

    def _ranking(self, queries: str) -> Mapping[str, Any]:
        return {"depth": self.plan.depth, "self_match": self.plan.entries[queries].self_match}


def _folder(run: Run) -> str:
    return f"build/{run.corpus}/{run.model}/{run.codec}/{run.preset}/{run.queries}"


def folders(manifests: Iterable[str]) -> list[str]:
    """Folders of manifests: what the command line takes where the DAG follows the manifest."""
    return [str(Path(manifest).parent) for manifest in manifests]
