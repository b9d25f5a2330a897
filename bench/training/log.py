"""The log of a training run: one JSON line per step, appended after each step."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.files.storage import write_text


@dataclass(frozen=True)
class Step:
    """The record of one step.

    step: number from 1; loss: mean over the queries of the whole batch; parts: loss terms by name, unweighted;
    learning_rate: rate of this step; accuracy: share of queries whose positive scored highest; queries_per_s, tokens_per_s:
    throughput over all devices, without validation; validation: value of each measure if a validation followed the step.
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
    """Return the steps of a complete log."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    return [Step(**row) for row in rows]


class StepLog:
    """The log file of one run. A resumed run rewrites the lines of its checkpoint first, so that no step appears twice.

    Without a path, no file is written and the lines are kept for checkpoints only.
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
        """Append the line of a step to the file immediately, so that a killed process loses no line."""
        self._lines.append(step.line())
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(self._lines[-1])
