"""What the rules need to know of a plan: the flags of each verb, and the files whose names depend on the config.

Every method whose argument is ``w`` takes the wildcards of the rule of the same name.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.codec.names import UNCOMPRESSED, parse
from bench.config import pools
from bench.config.datasets import Entry
from bench.config.own import Files, OwnEntry
from bench.config.own import inputs as own_inputs
from bench.config.own_runs import EXTERNAL
from bench.config.plan import Plan, Run
from bench.config.seeds import named as with_seed
from bench.config.seeds import split
from bench.config.settings import flags
from bench.evaluation.guard import Rules

LENGTHS = ("manifest.json", "doclens.npy", "uncut.npy")  # of a shard, which are kept where its vectors go
VECTORS = ("vectors.npy", "tokens.npy")  # of a shard, which go once every index is made
RANDOM = ".random"  # ends the name of what stands for a model where vectors are of random directions: of no texts
RECONSTRUCTION = {"sample": 1000, "first": 10}  # passages of the collection, and of each ranking


class Jobs:
    """Flags and file names for one plan. Thread counts stand here because they are part of a result."""

    def __init__(self, plan: Plan):
        self.plan = plan

    def corpus(self, w: Any) -> str:
        entry = self.plan.corpora[w.corpus]
        own = {"file": entry.files.passages, "passage_id": entry.files.passage_id} if isinstance(entry, OwnEntry) else {}
        return flags(own, dataset=entry.corpus, passages=entry.passages, template=entry.template)

    def passages(self, w: Any) -> list[str]:
        """Files of own passages."""
        entry = self.plan.corpora[w.corpus]
        return list(own_inputs(entry.files.passages)) if isinstance(entry, OwnEntry) else []

    def queries(self, w: Any) -> str:
        entry = self._query_sets()[w.queries]
        seed = self.plan.seed_for("queries", w.queries) if entry.sample_seed is None else entry.sample_seed
        kept = ("dataset", "without", "queries", "judgements", "sample", "ids")
        own = _own(entry.files) if isinstance(entry, OwnEntry) else {}
        return flags({name: getattr(entry, name) for name in kept}, own, grades=entry.grades or None, seed=seed)

    def asked(self, w: Any) -> list[str]:
        """Files that queries are read from: own ones; the ids to keep. None for a part of a training set."""
        entry = self._query_sets().get(w.queries)
        own = own_inputs(entry.files.queries, entry.files.judgements) if isinstance(entry, OwnEntry) else ()
        return [*([entry.ids] if entry and entry.ids else []), *own]

    def judged_of(self, w: Any) -> list[str]:
        """The collection that own judgements are of."""
        entry = self._query_sets().get(w.queries)
        judged = isinstance(entry, OwnEntry) and entry.files.judgements
        return [f"build/{w.corpus}/corpus"] if judged else []

    def encode(self, w: Any) -> str:
        shape = {"shard": int(w.shard), "passages_per_shard": self.plan.passages_per_shard}
        return flags(shape, compute(self.plan, threads=1), doc_maxlen=self.plan.corpora[w.corpus].doc_maxlen)

    def encode_queries(self, w: Any) -> str:
        return flags(compute(self.plan, threads=1), query_maxlen=self._query_sets()[w.queries].query_maxlen)

    def centroids(self, w: Any) -> str:
        seed = self.plan.seed_for("centroids", w.corpus, w.model, of=w.times)
        name = _plain(w.times).removeprefix("-").removeprefix("x")
        kind = {"times": int(name.removesuffix("t") or 1), "by_token": name.endswith("t") or None}
        how = {"seed": seed, "threads": 2, "device": device(self.plan)}
        return flags({"iterations": self.plan.kmeans_iterations}, kind, how)

    def on_device(self, _: Any = None) -> str:
        return flags(device=device(self.plan))

    def fit(self, w: Any) -> str:
        return flags(codec=_plain(w.codec), seed=self.plan.seed_for("fit", w.corpus, w.model, w.codec), threads=1)

    def with_centroids(self, pattern: str) -> Callable[[Any], str]:
        """A file by a pattern with {times}, which says what centroids the codec of a rule has."""
        return lambda w: pattern.format(**dict(w), times=_times(w))

    def fit_queries(self, w: Any) -> list[str]:
        """Vectors of training queries, for a codec that is fitted on them as well."""
        name, entry = parse(_plain(w.codec)), self.plan.codec_queries
        if name is None or not name.needs_queries or entry is None:
            return []
        return [f"build/{entry.corpus_name}/{w.model}/queries/{entry.name}"]

    def search(self, w: Any) -> str:
        return flags(
            self.plan.presets[w.preset].model_dump(), self._ranking(w.queries), threads=1, kernels=device(self.plan)
        )

    def latency(self, w: Any) -> str:
        first = self.plan.latency and self.plan.latency.queries
        return flags(self.plan.presets[w.preset].model_dump(), depth=self.plan.depth, first=first, threads=int(w.pinned))

    def bm25(self, w: Any) -> str:
        return flags(self._ranking(w.queries))

    def evaluate(self, w: Any) -> str:
        entry = self.plan.entries[w.queries]
        parts, against = w.system.split("/"), None
        names = [split(part) for part in parts]
        if parts[0] == "runs":
            run = self.plan.external[parts[1]].settings
            parts, against = [run.model, EXTERNAL, run.search], run.against
        elif parts == ["bm25"]:
            parts = ["bm25", "text", "bm25"]
        else:
            parts = [name for name, _ in names]
        axes = {**dict(zip(("model", "codec", "preset"), parts, strict=True)), "against": against, "seed": _seed(names)}
        scored = {"measures": entry.measures, "depth": self.plan.depth, "dataset": entry.id}
        rules = {name: getattr(entry, name) for name in Rules.model_fields}
        return flags(scored, axes, protocol=named(rules), deviations=named(entry.deviations))

    def external(self, w: Any) -> str:
        run = self.plan.external[w.name]
        return flags(self._ranking(w.queries), run=run.file, asked_depth=run.settings.depth)

    def external_file(self, w: Any) -> list[str]:
        return [str(self.plan.external[w.name].file)]

    def size(self, w: Any) -> str:
        deviations = named(self.plan.corpora[w.corpus].index_deviations)
        names = [split(w.model), split(w.codec)]
        return flags(corpus=w.corpus, model=names[0][0], seed=_seed(names), deviations=deviations)

    def shards_of(self, pattern: str) -> Callable[[Any], list[str]]:
        """All folders of a pattern with {shard}, and perhaps {times}, for the wildcards corpus, model and codec."""

        def named(w: Any) -> list[str]:
            values = {**dict(w), "times": _times(w)}
            return [pattern.format(**values, shard=shard) for shard in self.plan.shards(w.corpus)]

        return named

    def truncation(self, w: Any) -> str:
        return flags(dataset=self.plan.entries[w.queries].id, model=split(w.model)[0])

    def reconstruction(self, w: Any) -> str:
        seed = self.plan.seed_for("reconstruction", w.corpus, w.model)
        model, own = split(w.model)
        names = {"dataset": self.plan.entries[w.queries].id, "model": model, "model_seed": own}
        return flags(names, RECONSTRUCTION, seed=seed, threads=1)

    def shard(self, w: Any) -> list[str]:
        """Files of one shard, merged where the codec or the centroids of a rule say so."""
        return _shard(w.corpus, w.model, w.shard, _factor(w))

    def encoded(self, w: Any) -> list[str]:
        """Files of one shard as it was encoded."""
        return _shard(w.corpus, w.model, w.shard)

    def lengths(self, w: Any) -> list[str]:
        """Files of every shard of a corpus that say how many vectors its passages have, and as encoded how long they are."""
        return [path for path in self.vectors(w) if not path.endswith(VECTORS)]

    def vectors(self, w: Any) -> list[str]:
        """Files of every shard of a corpus."""
        return [path for shard in self.plan.shards(w.corpus) for path in _shard(w.corpus, w.model, shard, _factor(w))]

    def kept_shards(self) -> list[str]:
        """Files of the shards of what is searched, where the config keeps them, so that one that goes is made again."""
        plan = self.plan
        found = ((run.corpus, run.model, pools.factor_of(run.codec)) for run in plan.runs if plan.keep_vectors)
        made = dict.fromkeys(found)
        shards = ((corpus, model, shard, factor) for corpus, model, factor in made for shard in plan.shards(corpus))
        return [path for shard in shards for path in _shard(*shard)]

    def _query_sets(self) -> dict[str, Entry]:
        """Those that are evaluated, and those that models are trained on."""
        parts = (part.entry for part in self.plan.training.values())
        return {entry.name: entry for entry in (*self.plan.sources.values(), *parts, *self.plan.entries.values())}

    def _ranking(self, queries: str) -> Mapping[str, Any]:
        return {"depth": self.plan.depth, "self_match": self.plan.entries[queries].self_match}


def _own(files: Files) -> dict[str, Any]:
    named = files.model_dump(exclude={"passages", "passage_id", "queries", "judgements"})
    given = {"file": files.queries, "judged_by": files.judgements}
    return named | {name: value for name, value in given.items() if files.judgements or name == "file"}


def _shard(corpus: str, model: str, shard: str, factor: int = pools.NONE) -> list[str]:
    """Files of a shard; vectors of random directions have no lengths before truncation, and no tokens."""
    folder = pools.named("vectors", factor)
    names = (*LENGTHS[:2], VECTORS[0]) if model.endswith(RANDOM) else (*LENGTHS, *VECTORS)
    left_out = () if factor == pools.NONE else LENGTHS[2:]
    return [f"build/{corpus}/{model}/{folder}/{shard}/{name}" for name in names if name not in left_out]


def named(values: Mapping[str, Any]) -> list[str] | None:
    """Return NAME=VALUE of each, None where there is none."""
    return [f"{name}={value}" for name, value in values.items()] or None


def _times(w: Any) -> str:
    """What stands behind "centroids" and "codes" in the paths of a rule: how its codec has other centroids than the paper's,
    and the pool factor."""
    codec, seed = split(dict(w).get("codec", UNCOMPRESSED))
    plain, factor = pools.split(codec)
    name = parse(plain)
    times = pools.named(f"-{name.centroids}" if name is not None and name.centroids else "", factor)
    return times if seed is None else with_seed(times, seed)


def _plain(name: str) -> str:
    """The name of a codec, or of centroids, without pool factor and seed."""
    return pools.split(split(name)[0])[0]


def _factor(w: Any) -> int:
    """The pool factor that the codec or the centroids of a rule have in their names."""
    return max(pools.factor_of(getattr(w, name, "")) for name in ("codec", "times"))


def _seed(names: Iterable[tuple[str, int | None]]) -> int | None:
    """The seed that one of several names has."""
    return next((seed for _, seed in names if seed is not None), None)


def compute(plan: Plan, threads: int) -> dict[str, Any]:
    """Where and how a network runs."""
    return {"precision": plan.precision, "threads": threads, "device": device(plan)}


def device(plan: Plan) -> str | None:
    """The device that networks, kernels and k-means run on, None for the CPU."""
    return None if plan.device == "cpu" else plan.device


def run_folder(run: Run) -> str:
    return f"build/{run.corpus}/{run.model}/{run.codec}/{run.preset}/{run.queries}"


def folders(files: Iterable[str]) -> list[str]:
    """Folders of files, each once: what the command line takes where the DAG follows the files of a shard."""
    return list(dict.fromkeys(str(Path(file).parent) for file in files))
