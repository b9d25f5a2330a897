"""Models and teachers of a benchmark: six kinds of the one and three of the other, each known by a key of its own."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Tag, model_validator

from bench.config.catalog import entries
from bench.config.inputs import InputSettings
from bench.config.settings import Count, Dim, Revision, Settings, kinds
from bench.config.training import BiEncoder, CrossEncoder, Distill, Judgements, Reference, Train
from bench.config.weights import Checkpoint, Weights
from bench.config.yaml import nearest


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
    """A late interaction checkpoint: in the official layout, PyLate's, or a model folder of another run."""

    checkpoint: Checkpoint
    """Where it is, and what it must be."""
    inputs: InputSettings = InputSettings()
    """What it must be fed with; whatever is left out, the checkpoint decides."""
    train: None = None
    """Null: this model is only loaded."""


class Catalogued(Settings):
    """A published late interaction checkpoint of the catalogue; nothing is trained."""

    catalog: str
    """Name of an entry of bench/config/catalog.yaml."""
    revision: Revision | None = None
    """Commit of the hub repository, 40 hex digits, in quotes; needed where the entry is not pinned."""
    inputs: InputSettings = InputSettings()
    """What it must be fed with; whatever is left out, the checkpoint decides."""
    train: None = None
    """Null: this model is only loaded."""

    @property
    def checkpoint(self) -> Checkpoint:
        """The entry as a checkpoint."""
        entry = entries()[self.catalog]
        values = entry.model_dump(exclude={"licence"})
        return Checkpoint(**{**values, "revision": self.revision or entry.revision})

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.catalog not in entries():
            near = nearest(self.catalog, entries())
            raise ValueError(f"catalog {self.catalog!r} is not an entry{near}; known: {sorted(entries())}")
        if self.revision is None and entries()[self.catalog].revision is None:
            hub = entries()[self.catalog].name
            raise ValueError(f"catalog {self.catalog!r} is not pinned: give the revision of {hub}, 40 hex digits, in quotes")
        return self


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
    | Annotated[Catalogued, Tag("tag:catalogued")]
    | Annotated[Distilled, Tag("tag:distilled")]
    | Annotated[Pooled, Tag("tag:pooled")]
    | Annotated[Trained, Tag("tag:trained")],
    _by_key(
        {
            "projection": "tag:projected",
            "checkpoint": "tag:converted",
            "catalog": "tag:catalogued",
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
LateInteraction = Projected | Converted | Catalogued | Trained | Distilled
