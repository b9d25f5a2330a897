"""The log of a training run: a JSON line per step, appended as the steps are taken."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.files.storage import write_text


@dataclass(frozen=True)
class Step:
    """What one step did.

    step: from 1; loss: mean over the queries of the whole batch, and its parts by name, unweighted; learning_rate: that
    it was taken with; accuracy: share of queries whose first passage scored highest; queries_per_s, tokens_per_s: over
    all devices, without validation; validation: the value of each measure where it was validated after the step.
    """

    step: int
    loss: float
    learning_rate: float
    accuracy: float
    parts: Mapping[str, float] = field(default_factory=dict)
    queries_per_s: float | None = None
    tokens_per_s: float | None = None
    validation: Mapping[str, float] = field(default_factory=dict)

    def line(self) -> str:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return (
            json.dumps({name: dict(value) if isinstance(value, Mapping) else value for name, value in fields.items()}) + "\n"
        )


def steps_of(text: str) -> list[Step]:
    """The steps of a whole log."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    return [Step(**row) for row in rows]


class StepLog:
    """The file of one run, begun anew with the lines of the checkpoint that it goes on from, so that no step stands twice.

    Without a path nothing is written, and lines are only kept for checkpoints.
    """

    def __init__(self, path: Path | None, text: str = ""):
        self.path = path
        self._lines = text.splitlines(keepends=True)
        if path is not None:
            write_text(path, text)

    @property
    def text(self) -> str:
        """All lines so far."""
        return "".join(self._lines)

    def append(self, step: Step) -> None:
        """Add the line of a step to the file at once, so that a kill of the process loses none."""
        self._lines.append(step.line())
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(self._lines[-1])
