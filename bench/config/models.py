"""Models and teachers of a benchmark: five kinds of the one and three of the other, each known by a key of its own."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Tag, model_validator

from bench.config.inputs import InputSettings
from bench.config.settings import Count, Dim, Settings, kinds
from bench.config.training import BiEncoder, CrossEncoder, Distill, Judgements, Reference, Train
from bench.config.weights import Checkpoint, Weights


class Projection(Settings):
    """A linear layer to ``dim`` dimensions: principal directions of hidden states, or drawn at random."""

    dim: Dim
    """Dimensions of a token vector."""
    dataset: str | None = None
    """ir_datasets id of the passages to fit on; a random layer if absent."""
    passages: Count | None = None
    """Passages in the seeded sample; goes with dataset."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.dataset is None) != (self.passages is None):
            raise ValueError("dataset and passages go together: give both or neither")
        return self


class Projected(Settings):
    """Pretrained weights and a linear layer; nothing is trained."""

    base: Weights
    """Pretrained weights."""
    projection: Projection
    """The layer, fitted by PCA or random."""
    inputs: InputSettings = InputSettings()
    """Markers, query augmentation and punctuation, where they differ from ColBERT's."""
    train: None = None
    """Null: this model is only loaded."""


class Converted(Settings):
    """A late interaction checkpoint in the official layout, or a model folder of another run; nothing is trained."""

    checkpoint: Checkpoint
    """Where it is, and what it must be."""
    inputs: InputSettings = InputSettings()
    """What it must be fed with; whatever is left out, the checkpoint decides."""
    train: None = None
    """Null: this model is only loaded."""


class Trained(Settings):
    """Another model of this config, trained further contrastively."""

    start: Reference
    """The model to start from."""
    inputs: InputSettings = InputSettings()
    """Where they differ from those of the start."""
    train: Train
    """How."""


class Distilled(Settings):
    """Another model of this config, trained further by denoised supervision."""

    start: Reference
    """The model to start from."""
    inputs: InputSettings = InputSettings()
    """Where they differ from those of the start."""
    distill: Distill
    """How."""


class Pooled(Settings):
    """One vector per passage by mean pooling: the single-vector baseline."""

    base: Weights
    """Pretrained weights."""
    pooling: Literal["mean"]
    """How token vectors become one."""


def _by_key(tags: dict[str, str], what: str) -> Discriminator:
    """Alternatives by the key that only one of them has."""

    def tag(value: Any) -> str | None:
        return next((tag for key, tag in tags.items() if key in value), None) if isinstance(value, dict) else None

    return kinds(tag, f"has none of the keys {', '.join(tags)}, one of which says what kind of {what} it is")


Model = Annotated[
    Annotated[Projected, Tag("tag:projected")]
    | Annotated[Converted, Tag("tag:converted")]
    | Annotated[Distilled, Tag("tag:distilled")]
    | Annotated[Pooled, Tag("tag:pooled")]
    | Annotated[Trained, Tag("tag:trained")],
    _by_key(
        {
            "projection": "tag:projected",
            "checkpoint": "tag:converted",
            "distill": "tag:distilled",
            "pooling": "tag:pooled",
            "start": "tag:trained",
        },
        "model",
    ),
]
Teacher = Annotated[
    Annotated[BiEncoder, Tag("tag:biencoder")]
    | Annotated[CrossEncoder, Tag("tag:crossencoder")]
    | Annotated[Judgements, Tag("tag:judgements")],
    _by_key({"bi_encoder": "tag:biencoder", "cross_encoder": "tag:crossencoder", "judgements": "tag:judgements"}, "teacher"),
]
LateInteraction = Projected | Converted | Trained | Distilled
