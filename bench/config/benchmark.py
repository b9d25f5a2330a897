"""The settings of one benchmark, such as config/quick.yaml."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from bench.config.datasets import QuerySet
from bench.config.models import Model, Teacher
from bench.config.own import OwnFiles, OwnFolder
from bench.config.own_runs import OwnRun
from bench.config.presets import AnyPreset
from bench.config.settings import Count, Name, Natural, Positive, Settings, Unique, kinds, outside
from bench.config.training import Reference

ModelName = Annotated[Name, outside("corpus", "queries", "bm25", "runs")]
PresetName = Annotated[Name, outside("codec", "index", "residuals")]
Ids = Annotated[tuple[str, ...], Field(min_length=1), Unique]
Names = Annotated[tuple[Name, ...], Field(min_length=1), Unique]
References = Annotated[tuple[Reference, ...], Field(min_length=1), Unique]
Seeds = Annotated[tuple[Natural, ...], Field(min_length=1), Unique]
Counts = Annotated[tuple[Count, ...], Field(min_length=1), Unique]


def _kind(value: Any) -> str:
    """Own data name a folder, or passages by a file instead of a count; all others are of ir_datasets."""
    if isinstance(value, dict) and "folder" in value:
        return "tag:ownfolder"
    return "tag:ownfiles" if isinstance(value, dict) and isinstance(value.get("passages"), str) else "tag:queryset"


AnyQuerySet = Annotated[
    Annotated[QuerySet, Tag("tag:queryset")]
    | Annotated[OwnFiles, Tag("tag:ownfiles")]
    | Annotated[OwnFolder, Tag("tag:ownfolder")],
    kinds(_kind, "is no query set"),
]


class GridItem(Settings):
    """A full product of models, pool factors, codecs and presets."""

    query_sets: Ids | None = None
    """Only these of the query sets, all if absent."""
    models: References
    """Models, or rounds of them such as denoised.round1."""
    codecs: Ids
    """Codecs, such as fp16 and residual-2."""
    pool: Counts = (1,)
    """Vectors of a passage that become one before any codec: 1 leaves them, 2 keeps half of them. Queries are not pooled."""
    presets: Names
    """Presets of this config."""


class CodecComparison(Settings):
    """Codecs beside each other in Table 7 and Figure 5, by bytes, quality and overlap."""

    depths: Counts
    """Passages compared in the overlap with exhaustive search over uncompressed vectors; the last one is drawn."""
    against: dict[str, str] = Field(default_factory=dict)
    """Codecs, and for each the one that it is compared with under the same preset."""


class Encode(Settings):
    """How passages become vectors."""

    passages_per_shard: Count
    """Passages encoded by one job; part of the result, since batches never cross shards."""
    keep_vectors: bool = True
    """Keep the uncompressed shards when the last index of a model is made from them."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Of matrix products; auto is bfloat16 on processors with instructions for it, else float32."""


class KMeans(Settings):
    """How centroids are found."""

    iterations: Count
    """Lloyd iterations."""


class Latency(Settings):
    """Which runs are timed, and how."""

    threads: Counts
    """Numbers of threads; each run is timed on each of them, pinned to as many CPUs."""
    queries: Annotated[int, Field(ge=2)]
    """Queries of each set that are timed, the first ones; p99 needs 100 of them, p95 20."""
    query_sets: Ids | None = None
    """Only runs of these query sets, all if absent."""
    models: References | None = None
    """Only runs of these models, all if absent."""
    codecs: Ids | None = None
    """Only runs over these codecs, all if absent."""
    pool: Counts | None = None
    """Only runs over vectors of these pool factors, all if absent."""
    presets: Names | None = None
    """Only runs of these presets, all if absent."""


class Benchmark(Settings):
    """The settings of one benchmark."""

    name: Name
    """Folder of the tables and figures below results/."""
    seed: Natural | None = None
    """Root of all randomness; every use derives its own seed from it. Either seed or seeds is needed."""
    seeds: Seeds | None = None
    """Several roots: whatever draws on a seed is made once for each, and tables show means and their spread."""
    depth: Count
    """Passages in every ranking; no measure may look deeper."""
    queries: Annotated[dict[str, AnyQuerySet | None], Field(min_length=1)]
    """Query sets by id. Those of config/datasets.yaml take sample, sample_seed, ids, override; others all keys. Or own data
    by a name, with a file as passages, or with a folder."""
    models: Annotated[dict[ModelName, Model], Field(min_length=1)]
    """Encoders by name."""
    teachers: dict[Name, Teacher] = Field(default_factory=dict)
    """What scores mined passages for distillation, by name."""
    presets: Annotated[dict[PresetName, AnyPreset], Field(min_length=1)]
    """Named sets of values for one search engine."""
    grid: Annotated[tuple[GridItem, ...], Field(min_length=1)]
    """Which presets search which codecs of which models; each item is a full product."""
    margin: dict[str, Positive] = Field(default_factory=dict)
    """Largest mean difference that does not matter, by measure: `RR@10: 0.01`; without it no row can be equivalent."""
    baseline: Reference | None = None
    """The model that Table 5 compares the others with; no Table 5 if absent."""
    codec_queries: str | None = None
    """ir_datasets id of training queries that codecs such as aware-8 are fitted on; never those evaluated."""
    rates: CodecComparison | None = None
    """Codecs beside each other; no Table 7 and no Figure 5 if absent."""
    runs: dict[Name, OwnRun] = Field(default_factory=dict)
    """Runs of other systems, by name, as rows of Table 1."""
    bm25: bool = False
    """Add a row for BM25."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where networks run, and k-means, compression and search; cuda needs a GPU, on which one job runs at a time."""
    encode: Encode
    """How passages become vectors."""
    kmeans: KMeans
    """How centroids are found."""
    latency: Latency | None = None
    """Which runs are timed, and how; no Table 3 and no Figure 3 if absent."""
