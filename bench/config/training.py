"""How a model is trained: contrastively, or by denoised supervision (arXiv 2112.01488, section 3.2)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bench.config.settings import Count, Name, Natural, Positive, Precision, Settings
from bench.config.weights import Weights

Length = Annotated[int, Field(ge=4)]
Reference = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*(\.round[1-9][0-9]*)?$")]  # a model, or one round of it


class Schedule(Settings):
    """How many steps, of what size, at which learning rate: linear warm-up, then linear decay to zero."""

    steps: Count
    """Optimizer steps."""
    batch: Count
    """Queries per step, over all devices."""
    learning_rate: Positive
    """Peak of AdamW's learning rate."""
    warmup: Natural
    """Steps of linear warm-up."""

    def rate(self, step: int) -> float:
        """Share of the peak learning rate at a step from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return (self.steps - step) / max(self.steps - self.warmup, 1)


class LoopRecipe(Schedule):
    """What every training of a late interaction model has."""

    micro_batch: Count | None = None
    """Queries in memory at once on a device; its whole part of a batch if absent."""
    temperature: Positive
    """MaxSim sums are divided by it in the softmax."""
    doc_maxlen: Length
    """Tokens of a passage in training, markers included."""
    pool: Count = 1
    """Vectors of a passage that become one before it is scored, as ``pool`` of the grid; 1 leaves them."""
    checkpoint_every: Count | None = None
    """Steps between checkpoints, none if absent."""

    @model_validator(mode="after")
    def _micro_batch_fits(self) -> Self:
        if self.micro_batch is not None and self.micro_batch > self.batch:
            raise ValueError(f"micro_batch {self.micro_batch} is not from 1 to the batch of {self.batch}")
        return self


class ContrastiveRecipe(LoopRecipe):
    """Contrastive training: in-batch negatives and hard ones."""


class DistillRecipe(LoopRecipe):
    """Distillation: the KL divergence to the teacher's softmax over a tuple, and in-batch cross-entropy."""

    teacher_temperature: Positive = 1.0
    """The teacher's scores are divided by it in the softmax."""
    in_batch_weight: Annotated[float, Field(ge=0)]
    """Weight of the in-batch cross-entropy beside the KL divergence; 0 for none."""

    @model_validator(mode="after")
    def _in_batch_negatives(self) -> Self:
        if self.in_batch_weight and (self.micro_batch or self.batch) == 1:
            raise ValueError(
                f"in_batch_weight {self.in_batch_weight} has no other queries to compare with in a micro_batch of 1: "
                "raise micro_batch, or give in_batch_weight 0"
            )
        return self


class Execution(Settings):
    """What a training run has beside its recipe."""

    query_maxlen: Length
    """Tokens of a query, markers included."""
    precision: Precision
    """Of matrix products."""
    seed: Natural
    """Seed of torch, of the order of examples, and of the passages of a validation."""


class LoopSettings(LoopRecipe, Execution):
    """A training run of a late interaction model."""


class TrainSettings(ContrastiveRecipe, LoopSettings):
    """A contrastive training run."""


class DistillSettings(DistillRecipe, LoopSettings):
    """A run of distillation."""


class Negatives(Settings):
    """Hard negatives of BM25."""

    negatives: Natural | None = None
    """BM25 hard negatives per query."""
    mining_depth: Count | None = None
    """Rank in BM25 down to which negatives are drawn at random."""


class Train(ContrastiveRecipe, Negatives):
    """Contrastive training on triples: those of a data set, or with hard negatives mined here."""

    dataset: str
    """ir_datasets id of the training queries."""
    docpairs: str | None = None
    """ir_datasets id of triples to read, in place of negatives and mining_depth."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        mined = (self.negatives is not None, self.mining_depth is not None)
        if any(mined) == (self.docpairs is not None) or (any(mined) and not all(mined)):
            raise ValueError("give either docpairs, or both negatives and mining_depth")
        return self

    @property
    def passages_seen(self) -> int:
        return self.steps * self.batch * (1 + (1 if self.negatives is None else self.negatives))


class Mine(Settings):
    """How the model of the round before finds passages for the training queries."""

    codec: str
    """Codec of the index that is searched."""
    preset: Name
    """Preset of this config that searches it."""
    depth: Count
    """Passages per query."""
    shards: Count = 1
    """Jobs that the queries are split into."""


class Validation(Settings):
    """Queries that are held out, to keep the model that ranks their passages best."""

    queries: Count
    """Held-out queries, beside those trained on."""
    passages: Annotated[int, Field(ge=10)]
    """Passages that they are searched in."""
    every: Count
    """Steps between two validations."""


class TupleRecipe(Settings):
    """How an n-way tuple is drawn from scored passages."""

    nway: Annotated[int, Field(ge=2)]
    """Passages per tuple, the positive among them."""
    positive: Literal["labelled", "teacher"]
    """The positive: the relevant passage that the teacher scores highest, or the mined one, whatever the judgements."""
    sampling: Literal["uniform", "top"]
    """The other passages: uniformly at random without replacement, or the student's top ones."""


class Distill(DistillRecipe, TupleRecipe):
    """Denoised supervision: mine, score, draw tuples, distil; once per round."""

    dataset: str
    """ir_datasets id of the training queries and their collection."""
    queries: Count | None = None
    """Training queries, drawn at random; with passages, or both absent for all."""
    passages: Count | None = None
    """Passages that are mined, the relevant ones among them."""
    rounds: Count = 1
    """How often everything from mining on is done; each round starts from the model of the one before."""
    mine: Mine
    """Search for the passages of the training queries."""
    teacher: Name
    """One of the teachers of this config."""
    group_size: Count = 1
    """Queries with similar vectors that stand together in a batch; 1 for batches drawn at random."""
    validation: Validation | None = None
    """Held-out queries that pick the checkpoint to keep, none if absent."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if (self.queries is None) != (self.passages is None):
            raise ValueError(f"names queries {self.queries} and passages {self.passages}; give both or neither")
        if self.validation is not None and self.queries is None:
            raise ValueError("validation holds queries out of a part; give queries and passages too")
        if self.nway > self.mine.depth:
            raise ValueError(f"nway {self.nway} is more than the mined depth {self.mine.depth}")
        for name in ("batch", "micro_batch"):
            if (getattr(self, name) or 0) % self.group_size:
                raise ValueError(f"{name} {getattr(self, name)} is no multiple of group_size {self.group_size}")
        return self

    @property
    def passages_seen(self) -> int:
        return self.steps * self.batch * self.nway


class TeacherRecipe(Schedule):
    """How a cross-encoder is trained."""

    loss: Literal["binary", "softmax"]
    """Binary cross-entropy of single pairs, or softmax cross-entropy over the passages of a triple."""


class TeacherSettings(TeacherRecipe):
    """A training run of a cross-encoder."""

    max_length: Length
    """Tokens of a pair, markers included."""
    precision: Precision
    """Of matrix products."""
    seed: Natural
    """Seed of torch, which draws the head."""


class TeacherTrain(TeacherRecipe):
    """Training of a cross-encoder on triples with hard negatives of BM25."""

    dataset: str
    """ir_datasets id of the training queries."""
    negatives: Count
    """BM25 hard negatives per query."""
    mining_depth: Count
    """Rank in BM25 down to which negatives are drawn at random."""


class NetworkTeacher(Settings):
    """What every teacher with a network has."""

    max_length: Length
    """Tokens of what it reads: of a pair, or of a text for a bi-encoder."""
    bm25: Positive | None = None
    """Weight of BM25's scores in the mean with the network's, which has 1; both are standardised for each query."""


class BiEncoder(NetworkTeacher):
    """A model of this config with one vector per text; the score is a cosine."""

    bi_encoder: Name
    """The model."""


class CrossEncoder(NetworkTeacher):
    """A network that reads query and passage together: as it is, or trained here on triples first."""

    cross_encoder: Weights
    """Its weights."""
    train: TeacherTrain | None = None
    """How it is trained, not at all if absent."""


class Judgements(Settings):
    """No teacher: a relevant passage scores 1 and any other 0."""

    judgements: Literal[True]
    """Always true."""
