"""How far facts may be from accepted ones; kept in the baseline, where a person may change them."""

from typing import Annotated

from pydantic import Field

from bench.config.settings import Positive, Settings

Share = Annotated[float, Field(ge=0)]


class Tolerances(Settings):
    """What a baseline allows."""

    exact: bool = True
    """On the class of host that the baseline is from: all facts must be equal to the last digit."""
    margin: Positive = 0.01
    """On any host: largest loss in the mean of a measure that does not matter; the 90 % interval must not reach it."""
    margins: dict[str, Positive] = Field(default_factory=dict)
    """The same for single measures, such as RR@10: 0.005."""
    bytes: Share = 0.01
    """On other hosts: share by which the bytes of a component may differ."""
    work: Share = 0.05
    """On other hosts: share by which the work of a stage may differ."""
    latency: Share = 0.5
    """On the same machine: share by which p50, over p50 of exhaustive search in the same run, may grow."""

    def margin_of(self, measure: str) -> float:
        """Return the margin of a measure."""
        return self.margins.get(measure, self.margin)
