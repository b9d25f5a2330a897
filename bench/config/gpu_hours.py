"""How long the stages of a plan take on one GPU, by rates that were measured there, and what its memory holds.

A stage without a rate, and a network of unknown size, have no hours. Times are those of the device alone.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.codec.kmeans import number_of_centroids, points_of_iterations, sample_size
from bench.codec.names import parse
from bench.codec.nearest import code_dtype
from bench.config import pools
from bench.config.datasets import slug
from bench.config.estimate import Cost
from bench.config.models import Distilled, Model, Trained
from bench.config.plan import Plan
from bench.config.rates import Card, Network, Rate, Stage
from bench.config.seeds import split
from bench.config.training import CrossEncoder, Distill, Judgements, Train

LANES = 32  # query vectors that kernels take at a time
SEARCHES: Mapping[str, Stage] = {"exact": "exact", "plaid": "plaid", "colbertv2": "colbertv2"}  # by engine, on a GPU


@dataclass(frozen=True, kw_only=True)
class Task:
    """Hours of a stage, of a collection and a model, or of the training of a model or a teacher.

    hours: None if unknown; beyond: the rate was measured over fewer vectors, so that it is less than the truth.
    """

    corpus: str
    model: str
    stage: Stage
    hours: float | None
    beyond: bool = False


@dataclass(frozen=True, kw_only=True)
class Device:
    """A card, and how kernels use it.

    share: of its memory that an index may take; at_once: queries in a pass over an index.
    """

    card: Card
    networks: Mapping[str, Network]
    share: float
    at_once: int

    def hours(self, stage: Stage, amount: float) -> float | None:
        """Return the hours of an amount in the unit of the stage, None where the stage was not measured."""
        rate = self.card.rates[stage].per_second
        return None if rate is None else amount / rate / 3600

    def reading(self, stage: Stage, tokens: float, weights: str) -> float | None:
        """Return the hours in which a network reads tokens: in proportion to its weights, None where these are unknown."""
        network, measured = self.networks.get(weights), self.card.rates[stage].weights
        return None if network is None or measured is None else self.hours(stage, tokens * network.weights / measured)

    def holds(self, size: int) -> bool:
        """Whether an index of this size stays on the card; it is copied there once a pass if not."""
        return size <= self.share * self.card.memory

    def exact(self, cost: Cost, codec: str, queries: int, width: int) -> float | None:
        """Return the hours of an exhaustive search: of products and decoding, or of copying where that takes longer."""
        passes = math.ceil(queries / self.at_once)
        lanes = -(-width // LANES) * LANES
        products = self.hours("exact", 2.0 * cost.dim * lanes * cost.vectors * queries)
        decoded = self.hours("decode", passes * cost.vectors)
        size = stored(cost, codec)
        copied = 0.0 if self.holds(size) else self.hours("copy", passes * size)
        if products is None or decoded is None or copied is None:
            return None
        return max(products + decoded, copied)

    def engine(self, engine: str, cost: Cost, codec: str, queries: int, width: int) -> Task:
        """Return the task of searching an index."""
        stage = SEARCHES[engine]
        beyond = cost.vectors > (self.card.rates[stage].vectors or math.inf)
        hours = self.exact(cost, codec, queries, width) if stage == "exact" else self.hours(stage, queries)
        return Task(corpus=cost.corpus, model=cost.model, stage=stage, hours=hours, beyond=beyond)


def stored(cost: Cost, codec: str) -> int:
    """Return the bytes of the vectors of an index on a card: of codes and residuals, or of float16."""
    name = parse(split(codec)[0], "an estimate")
    if name is None:
        return 2 * cost.dim * cost.vectors
    return cost.vectors * (code_dtype(number_of_centroids(cost.vectors, name.times)).itemsize + name.bytes(cost.dim))


def weights_of(models: Mapping[str, Model], name: str) -> str:
    """Return the name of the weights that a model is, or starts from."""
    model = models[name]
    while isinstance(model, Trained | Distilled):
        model = models[model.start]
    return (model.base if hasattr(model, "base") else model.checkpoint).name


def tasks(plan: Plan, found: Sequence[Cost], device: Device) -> Iterator[Task]:
    """Yield every task of a plan; ``found``: its costs. Of encoding, that of queries is left out."""
    for cost in found:
        yield from _collection(plan, cost, device)
    for name in plan.models:
        yield from _training(plan, name, device)
    for name, teacher in plan.teachers.items():
        if isinstance(teacher, CrossEncoder) and (train := teacher.train) is not None:
            tokens = train.steps * train.batch * (1 + train.negatives) * teacher.max_length
            hours = device.reading("train-teacher", tokens, teacher.cross_encoder.name)
            yield Task(corpus="", model=name, stage="train-teacher", hours=hours)


def _collection(plan: Plan, cost: Cost, device: Device) -> Iterator[Task]:
    def task(stage: Stage, hours: float | None) -> Task:
        return Task(corpus=cost.corpus, model=cost.model, stage=stage, hours=hours)

    if cost.pool == pools.NONE:
        yield task("encode", device.reading("encode", cost.vectors, weights_of(plan.models, cost.model)))
    named = [split(codec) for codec in cost.indexes]
    coded = [(codec, seed) for name, seed in named if (codec := parse(name, "an estimate")) is not None]
    sample = round(sample_size(cost.passages) * cost.per_passage)
    for times, by_token, _ in dict.fromkeys((codec.times, codec.by_token, seed) for codec, seed in coded):
        centroids = number_of_centroids(cost.vectors, times)
        points = points_of_iterations(sample, centroids, plan.kmeans_iterations)
        steps: tuple[tuple[Stage, int], ...] = (("centroids", points), ("assign", cost.vectors))
        for stage, compared in steps:
            products = 2.0 * cost.dim * centroids * compared
            yield task(stage, None if by_token else device.hours(stage, products))  # within tokens, on the CPU
    for _ in coded:
        yield task("compress", device.hours("compress", cost.vectors))
    here = slug(cost.corpus), cost.model, cost.pool
    for run in plan.runs:
        stored_as, factor = pools.split(run.codec)
        engine = plan.presets[run.preset].engine
        if (run.corpus, run.model, factor) == here and engine in SEARCHES:
            entry = plan.entries[run.queries]
            yield device.engine(engine, cost, stored_as, entry.kept, entry.query_maxlen)
    for student, part in plan.training.items():
        model = plan.distilled(student)
        engine = plan.presets[model.distill.mine.preset].engine
        if (part.entry.corpus_name, model.start, pools.NONE) == here and engine in SEARCHES:
            mine, entry = model.distill.mine, part.entry
            yield device.engine(engine, cost, mine.codec, entry.kept, entry.query_maxlen)


def _training(plan: Plan, name: str, device: Device) -> Iterator[Task]:
    """Yield the task of training a model, every text as long as it may be, and of scoring what is mined for it."""
    model = plan.models[name]
    recipe: Train | Distill
    if isinstance(model, Trained):
        recipe, asked = model.train, plan.sources[model.train.dataset].query_maxlen
    elif isinstance(model, Distilled):
        recipe, asked = model.distill, plan.training[name].entry.query_maxlen
    else:
        return
    tokens = recipe.passages_seen * recipe.doc_maxlen + recipe.steps * recipe.batch * asked
    yield Task(corpus="", model=name, stage="train", hours=device.reading("train", tokens, weights_of(plan.models, name)))
    if isinstance(model, Distilled):
        teacher = plan.teachers[model.distill.teacher]
        if isinstance(teacher, Judgements):
            return
        pairs = plan.training[name].entry.kept * model.distill.mine.depth
        weights = (
            teacher.cross_encoder.name if isinstance(teacher, CrossEncoder) else weights_of(plan.models, teacher.bi_encoder)
        )
        yield Task(corpus="", model=name, stage="score", hours=device.reading("score", pairs * teacher.max_length, weights))


def described(rate: Rate) -> str:
    """Return a rate in words: the amount, with what and where it was measured, and what it leaves out."""
    if rate.per_second is None:
        return f"not measured; {rate.source}: {rate.lacks}"
    return f"{rate.per_second:.4g} {rate.of} a second: {rate.how}; not in it: {rate.lacks}; {rate.source}"
