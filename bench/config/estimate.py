"""What a plan will cost, before anything is downloaded: vectors, and bytes on disk of every index in it.

Passages are known from the protocol, lengths from ``bench/lengths.yaml``; the rest is arithmetic over the file formats.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.codec.kmeans import number_of_centroids
from bench.codec.names import parse
from bench.codec.nearest import code_dtype
from bench.config import pools, yaml
from bench.config.datasets import Entry
from bench.config.models import Catalogued, Converted, Model, Projected
from bench.config.plan import Plan
from bench.config.seeds import split
from bench.errors import SettingsError

LENGTHS = Path(__file__).with_name("lengths.yaml")
SPECIAL = 3  # [CLS], [D] and [SEP]
VECTORS_PER_WORD = (67.5 - SPECIAL) / 55.98  # MS MARCO: 597 million vectors; words of arXiv 2104.08663, table 1
ID_BYTES = 10  # of a passage id and its end of line
HEADER = 128  # of a .npy file
TOKEN_BYTES = 2  # of a token id in a shard, for vocabularies of up to 65,536 entries


@dataclass(frozen=True, kw_only=True)
class Length:
    """Vectors of a passage on average, and where the number is from."""

    vectors: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One collection encoded by one model, its vectors merged by a pool factor.

    length: as encoded. Bytes: of shards, of codes, and by codec, without the factor in its name, of residual parts and of
    indexes; merged_from: of the shards as encoded, 0 where nothing is merged.
    """

    corpus: str
    model: str
    passages: int
    length: Length
    dim: int
    vectors: int
    shards: int
    codes: int
    parts: Mapping[str, int]
    indexes: Mapping[str, int]
    pool: int = pools.NONE
    merged_from: int = 0

    @property
    def per_passage(self) -> float:
        """Vectors of a passage once merged, on average."""
        return pooled_mean(self.length.vectors, self.pool)

    @property
    def peak(self) -> int:
        """While its indexes are built, every codec at once."""
        return self.merged_from + self.shards + self.codes + sum(self.parts.values()) + sum(self.indexes.values())

    def left(self, keep_vectors: bool) -> int:
        """Once they are built."""
        return self.shards * keep_vectors + self.codes + sum(self.indexes.values())


def costs(plan: Plan, lengths: Mapping[str, Mapping[str, Any]], passages: int | None = None) -> list[Cost]:
    """What each collection, model and pool factor of a plan costs, those that are mined included; single-vector models are
    left out. Vectors that are merged are encoded first, whether or not they are searched as well.

    passages: as if every collection had so many of the same length.
    """
    codecs: dict[tuple[str, str, int], set[str]] = {}
    for run in plan.runs:
        codec, factor = pools.split(run.codec)
        codecs.setdefault((run.corpus, run.model, pools.NONE), set())
        codecs.setdefault((run.corpus, run.model, factor), set()).add(codec)
    for name, part in plan.training.items():
        distilled = plan.distilled(name)
        mined = part.entry.corpus_name, distilled.start, pools.NONE
        codecs.setdefault(mined, set()).add(distilled.distill.mine.codec)
    wholes = {part.entry.corpus: part.source.corpus for part in plan.training.values()}
    found = []
    for (corpus, model, factor), wanted in codecs.items():
        entry, dim = plan.corpora[corpus], dimensions(plan.models, model)
        if dim is not None:
            length = passage_length(entry, lengths.get(wholes.get(entry.corpus, entry.corpus)))
            found.append(_cost(entry.corpus, passages or entry.passages, model, length, factor, dim, sorted(wanted)))
    return found


def peaks(found: Sequence[Cost], keep_vectors: bool) -> int:
    """The most bytes on disk at a time, where one collection is finished before the next one is begun."""
    left = [cost.left(keep_vectors) for cost in found]
    peak = [cost.peak - cost.merged_from * keep_vectors for cost in found]  # kept shards are among what is left already
    return max((sum(left[:number]) + most for number, most in enumerate(peak)), default=0)


def read_lengths(path: Path = LENGTHS) -> dict[str, Mapping[str, Any]]:
    """Lengths by the id of a collection; raises SettingsError for an entry without a source, or without one number."""
    lengths: dict[str, Mapping[str, Any]] = yaml.read(path).values
    for name, values in lengths.items():
        if len(values) != 2 or "source" not in values or not {"vectors", "words"} & set(values):
            raise SettingsError(f"{path}: {name} has {sorted(values)}, expected source and either vectors or words")
    return lengths


def passage_length(entry: Entry, known: Mapping[str, Any] | None) -> Length:
    """Vectors of a passage: as counted, estimated from its words, or else the most that the length allows."""
    if known is None:
        return Length(vectors=entry.doc_maxlen, source="unknown: the most that doc_maxlen allows")
    if "vectors" in known:
        return Length(vectors=min(known["vectors"], entry.doc_maxlen), source=known["source"])
    tokens = SPECIAL + VECTORS_PER_WORD * known["words"]
    return Length(vectors=truncated_mean(tokens, entry.doc_maxlen), source=f"words of {known['source']}")


def truncated_mean(mean: float, most: float) -> float:
    """Mean of lengths cut at ``most``, were they spread as a gamma distribution of shape 2 around ``mean``."""
    rate = 2 / mean
    return mean - math.exp(-rate * most) * (mean + most)


def pooled_mean(mean: float, factor: int) -> float:
    """Mean of lengths of ``mean`` vectors divided by a pool factor and rounded down, all remainders being as frequent."""
    return max(1.0, mean / factor - (factor - 1) / (2 * factor))


def dimensions(models: Mapping[str, Model], name: str) -> int | None:
    """Of a token vector; None for a model with one vector per passage."""
    model = models[name]
    while start := getattr(model, "start", None):
        model = models[start]
    match model:
        case Projected():
            return model.projection.dim
        case Converted() | Catalogued():
            return model.checkpoint.dim
    return None


def index_bytes(codec: str, passages: int, vectors: int, dim: int) -> int:
    """Size of an index. Of the inverted list it is a bound: as if all vectors of a passage had centroids of their own."""
    ids = ID_BYTES * passages + 4 * passages + HEADER
    name = parse(codec, "an estimate")
    if name is None:
        return ids + 2 * dim * vectors + HEADER
    centroids = number_of_centroids(vectors, name.times)
    tables = centroids * (dim + name.centroid_bytes) + 4 * (centroids + 1) + 256 * dim * 4 + 12 * HEADER
    listed = vectors * gap_bytes(passages * centroids / vectors)
    coded = vectors * (code_dtype(centroids).itemsize + name.bytes(dim) + 1)
    return ids + tables + round(listed) + coded


def gap_bytes(gap: float) -> float:
    """Bytes of an entry of an inverted list whose gaps are ``gap`` on average, at seven bits a byte."""
    return 1 + sum(math.exp(-(2 ** (7 * more)) / gap) for more in range(1, 5))


def _cost(corpus: str, passages: int, model: str, length: Length, pool: int, dim: int, codecs: Sequence[str]) -> Cost:
    vectors = round(passages * pooled_mean(length.vectors, pool))
    named = [split(codec) for codec in codecs]
    coded = [(name, seed) for codec, seed in named if (name := parse(codec, "an estimate")) is not None]
    centroids = {(name.times, name.by_token, seed) for name, seed in coded}
    widths = [code_dtype(number_of_centroids(vectors, times)).itemsize for times, _, _ in centroids]
    parts, indexes = Counter[str](), Counter[str]()  # over seeds, where the name of a codec ends in one
    for codec, _ in named:
        indexes[codec] += index_bytes(codec, passages, vectors, dim)
    for name, _ in coded:
        parts[str(name)] += vectors * name.bytes(dim)
    return Cost(
        corpus=corpus,
        model=model,
        passages=passages,
        length=length,
        dim=dim,
        vectors=vectors,
        shards=_shard_bytes(vectors, passages, dim),
        codes=sum(widths) * vectors,
        parts=parts,
        indexes=indexes,
        pool=pool,
        merged_from=0 if pool == pools.NONE else _shard_bytes(round(passages * length.vectors), passages, dim),
    )


def _shard_bytes(vectors: int, passages: int, dim: int) -> int:
    return (2 * dim + TOKEN_BYTES) * vectors + 4 * passages
