"""What GPUs do in a second, by stage, and how large networks are: ``bench/config/rates.yaml``."""

from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import model_validator

from bench.config import yaml
from bench.config.settings import Count, Name, Positive, Settings
from bench.errors import SettingsError

RATES = Path(__file__).with_name("rates.yaml")
Stage = Literal[
    "encode",
    "centroids",
    "assign",
    "compress",
    "exact",
    "decode",
    "copy",
    "plaid",
    "colbertv2",
    "train",
    "train-teacher",
    "score",
]
STAGES: tuple[Stage, ...] = get_args(Stage)
UNITS: dict[Stage, str] = {
    "encode": "tokens",
    "centroids": "operations",
    "assign": "operations",
    "compress": "vectors",
    "exact": "operations",
    "decode": "vectors",
    "copy": "bytes",
    "plaid": "queries",
    "colbertv2": "queries",
    "train": "tokens",
    "train-teacher": "tokens",
    "score": "tokens",
}


class Rate(Settings):
    """What a card does in a second of one stage, as measured there."""

    per_second: Positive | None = None
    """Amount a second; absent if the stage was not measured on the card."""
    of: Literal["tokens", "operations", "vectors", "bytes", "queries"] | None = None
    """What is counted."""
    weights: Count | None = None
    """Weights in matrices of the network that was measured; of tokens."""
    vectors: Count | None = None
    """Vectors of the collection that was searched; of queries."""
    source: str
    """Where it was measured."""
    how: str = ""
    """With what it was measured."""
    lacks: str
    """What the figure leaves out, or why there is none."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted = {"tokens": {"weights"}, "queries": {"vectors"}}.get(self.of or "", set())
        if given := {name for name in ("weights", "vectors") if getattr(self, name) is not None} ^ wanted:
            raise ValueError(f"a rate of {self.of or 'nothing'} needs {sorted(wanted) or 'neither'}; wrong: {sorted(given)}")
        if (self.per_second is None) != (self.of is None):
            raise ValueError("give both per_second and of, or neither for a stage that was not measured")
        return self


class Card(Settings):
    """A GPU, and what it does."""

    name: str
    """As the driver names it."""
    memory: Positive
    """Bytes."""
    rates: dict[Stage, Rate]
    """By stage, all of them."""

    @model_validator(mode="after")
    def _every_stage(self) -> Self:
        if missing := [stage for stage in STAGES if stage not in self.rates]:
            raise ValueError(f"lacks the stages {missing}: a stage that was not measured has source and lacks alone")
        for stage, rate in self.rates.items():
            if rate.of is not None and rate.of != UNITS[stage]:
                raise ValueError(f"{stage} is counted in {rate.of}, expected {UNITS[stage]}")
        return self


class Network(Settings):
    """How large a network is."""

    weights: Count
    """Weights in matrices."""
    source: str
    """Where the number is from."""


class Rates(Settings):
    """Cards by a short name, and networks by the name of their weights."""

    cards: dict[Name, Card]
    """Cards by a short name."""
    networks: dict[str, Network]
    """Networks by the name of their weights."""

    def card(self, name: str, source: str) -> Card:
        """Return a card. Raise SettingsError for one that was not measured."""
        if name not in self.cards:
            raise SettingsError(f"card {name!r} is not in {source}; these were measured: {sorted(self.cards)}")
        return self.cards[name]


def read(path: Path = RATES) -> Rates:
    """Read the rates of a file; raises SettingsError for one that is not whole."""
    document = yaml.read(path)
    return Rates.parse(document.values, document)
