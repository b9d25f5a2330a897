"""Presets: a named set of values for one engine, checked before anything runs."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, Tag, create_model, model_validator

from bench.codec.names import UNCOMPRESSED
from bench.config.settings import Count, Settings, kinds, optional
from bench.errors import SettingsError

REFERENCE = (UNCOMPRESSED, "exact")  # codec and preset of the search that others are compared with


class Preset(Settings):
    """Values for one engine. ``needs_lists``: it searches the inverted list of a compressed index; ``on_cpu``: it has no
    kernels for a GPU; ``last``: the setting that says how many passages its last stage scores.
    """

    needs_lists: ClassVar[bool] = False
    on_cpu: ClassVar[bool] = False
    last: ClassVar[str] = ""
    engine: str
    """Engine that searches."""

    @property
    def scored(self) -> int | None:
        """Passages that its last stage scores at most, None for all."""
        return None

    def values(self) -> dict[str, Any]:
        """The engine's own settings, by name."""
        return self.model_dump(exclude={"engine"})

    def check_depth(self, depth: int, source: str) -> None:
        """Raise SettingsError where the last stage cannot fill a ranking of ``depth`` passages."""
        if self.scored is not None and self.scored < depth:
            raise SettingsError(
                f"{source}: its last stage scores at most {self.scored} passages, but rankings of depth {depth} are asked "
                f"for; raise {self.last} or lower depth"
            )


class ExactPreset(Preset):
    """MaxSim with every passage."""

    engine: Literal["exact"] = "exact"
    """Engine that searches."""


class FlatPreset(Preset):
    """Inner product of single vectors."""

    engine: Literal["flat"] = "flat"
    """Engine that searches."""


class ColBERTv2Preset(Preset):
    """The paper's search (arXiv 2112.01488, section 3.5)."""

    needs_lists: ClassVar[bool] = True
    last: ClassVar[str] = "ncandidates"
    engine: Literal["colbertv2"] = "colbertv2"
    """Engine that searches."""
    nprobe: Count
    """Lists probed per query vector."""
    ncandidates: Count
    """Passages whose vectors are decoded whole and scored exactly."""

    @property
    def scored(self) -> int:
        return self.ncandidates


class PlaidPreset(Preset):
    """Centroid interaction with pruning (arXiv 2205.09707, section 4 and table 1)."""

    needs_lists: ClassVar[bool] = True
    last: ClassVar[str] = "ndocs"
    engine: Literal["plaid"] = "plaid"
    """Engine that searches."""
    ncells: Count
    """Lists probed per query vector."""
    centroid_score_threshold: float
    """Centroids below it for every query vector are pruned; -1 for none."""
    ndocs: Count
    """Passages that the second stage keeps; the last one scores a quarter of them."""

    @property
    def scored(self) -> int:
        return self.ndocs // 4


class GroupedPreset(Preset):
    """Groups of centroids before centroids, passages from their lists, scores in fixed point; on the CPU alone."""

    needs_lists: ClassVar[bool] = True
    on_cpu: ClassVar[bool] = True
    last: ClassVar[str] = "nscored"
    engine: Literal["grouped"] = "grouped"
    """Engine that searches."""
    groups: Count
    """Groups that centroids are put into when the index is opened, at most as many as these."""
    ngroups: Count
    """Groups per query vector whose centroids are looked at."""
    nlists: Count
    """Lists read per query vector, those of its nearest centroids."""
    nscored: Count
    """Passages whose vectors are scored."""
    margin: Annotated[float, Field(ge=0)]
    """Vectors count only if their centroid is at most this much less similar to a query vector than their passage's best."""

    @model_validator(mode="after")
    def _some_of_the_groups(self) -> "GroupedPreset":
        if self.ngroups > self.groups:
            raise ValueError(f"ngroups is {self.ngroups}, more than groups, {self.groups}: use at most that many")
        return self

    @property
    def scored(self) -> int:
        return self.nscored


KINDS: tuple[type[Preset], ...] = (ExactPreset, ColBERTv2Preset, PlaidPreset, GroupedPreset, FlatPreset)
_ENGINES = {str(kind.model_fields["engine"].default): kind for kind in KINDS}


def _tag(value: Any) -> str | None:
    kind = _ENGINES.get(str(value.get("engine"))) if isinstance(value, dict) else None
    return f"tag:{kind.__name__.lower()}" if kind else None


AnyPreset = Annotated[
    Annotated[ExactPreset, Tag("tag:exactpreset")]
    | Annotated[ColBERTv2Preset, Tag("tag:colbertv2preset")]
    | Annotated[PlaidPreset, Tag("tag:plaidpreset")]
    | Annotated[GroupedPreset, Tag("tag:groupedpreset")]
    | Annotated[FlatPreset, Tag("tag:flatpreset")],
    kinds(_tag, f"engine must be one of {', '.join(sorted(_ENGINES))}"),
]


_EachOptional: Any = create_model(
    "_EachOptional",
    __base__=Settings,
    **{
        name: field
        for kind in KINDS
        for name, field in optional(kind, f"{kind.model_fields['engine'].default}: {{}}", skip=("engine",)).items()
    },
)


class EngineFlags(_EachOptional):
    """The settings of all engines in one group, so that a verb has a flag for each of them."""

    engine: Literal["exact", "colbertv2", "plaid", "grouped", "flat"]
    """Engine that searches."""


VALUES = tuple(_EachOptional.model_fields)  # names of the settings of all engines


def parse(values: dict[str, Any], source: str) -> Preset:
    """The preset that ``values`` describe; raises SettingsError for an unknown engine, key or value."""
    if values.get("engine") not in _ENGINES:
        raise SettingsError(f"engine {values.get('engine')!r} of {source} is not one of {sorted(_ENGINES)}")
    return _ENGINES[values["engine"]].parse(values, source)


def check_device(preset: Preset, name: str, device: str, where: str) -> None:
    """Raise SettingsError for an engine without kernels for a GPU where searches run there."""
    if preset.on_cpu and device != "cpu":
        raise SettingsError(f"{where}: preset {name!r} runs on the CPU, device is {device!r}; use plaid, or the device cpu")
