"""Logs of training: what each run learned, how fast, and which step was kept."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.config.seeds import split
from bench.errors import DamagedFileError, DataError
from bench.report.table import MISSING, Table, number
from bench.training.log import steps_of

SUFFIX = ".steps.jsonl"
LAST = 10  # share of a run that its final loss and accuracy are means over: one in ten steps


def model_of(path: Path) -> str:
    """The model that a log is of: ``minilm`` for ``minilm.steps.jsonl``, else the name of the file without its suffix."""
    return path.name.removesuffix(SUFFIX) if path.name.endswith(SUFFIX) else path.stem


def training_frame(paths: Sequence[Path]) -> pd.DataFrame:
    """One row per step of each log, in the order given.

    Columns: model, step, loss, learning_rate, accuracy, queries_per_s, tokens_per_s (absent in old logs), measure and value
    (absent where the step was not validated). Raises DataError for two logs of one name, and for a log whose steps are not
    1, 2, 3 and so on; DamagedFileError for one that is missing or does not parse.
    """
    names = [model_of(path) for path in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"two logs are of the model {twice[0]!r}: give one of them, or rename it")
    return pd.DataFrame([row for path in paths for row in _rows(path)])


def _rows(path: Path) -> list[dict[str, object]]:
    try:
        steps = steps_of(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing") from error
    except (ValueError, TypeError) as error:
        raise DamagedFileError(f"{path} is not a log of training: {error}") from error
    if not steps:
        raise DataError(f"{path} has no step: the training has not begun")
    if (found := [step.step for step in steps]) != list(range(1, len(steps) + 1)):
        wrong = next(place for place, step in enumerate(found, 1) if step != place)
        raise DataError(f"line {wrong} of {path} is of step {found[wrong - 1]}, not {wrong}")
    fields = ("step", "loss", "learning_rate", "accuracy", "queries_per_s", "tokens_per_s")
    return [
        {
            "model": model_of(path),
            **{name: getattr(step, name) for name in fields},
            "measure": next(iter(step.validation), None),
            "value": next(iter(step.validation.values()), None),
        }
        for step in steps
    ]


def best_validation(rows: pd.DataFrame) -> pd.Series | None:
    """The row of the best validated step of one run, the first of equals, or None where none was validated."""
    validated = rows[rows["value"].notna()]
    return None if validated.empty else validated.loc[validated["value"].astype(float).idxmax()]


def training_table(frame: pd.DataFrame) -> Table:
    """A row per run and seed: steps, the last tenth's loss and accuracy, the best validation, and throughput."""
    rows = []
    for model, steps in frame.groupby("model", sort=False):
        last = steps.iloc[-max(1, len(steps) // LAST) :]
        best = best_validation(steps)
        name, seed = split(str(model))
        rows.append(
            {
                "model": name,
                **({} if seed is None else {"seed": seed}),
                "steps": len(steps),
                "first_loss": steps["loss"].iloc[0],
                "loss": last["loss"].mean(),
                "accuracy": last["accuracy"].mean(),
                "learning_rate": steps["learning_rate"].max(),
                "measure": None if best is None else best["measure"],
                "best": None if best is None else float(best["value"]),
                "kept": len(steps) if best is None else int(best["step"]),
                "queries_per_s": steps["queries_per_s"].astype(float).median(),
                "tokens_per_s": steps["tokens_per_s"].astype(float).median(),
            }
        )
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({"model": data["model"], "steps": [f"{steps:,}" for steps in data["steps"]]})
    if "seed" in data:
        shown.insert(1, "seed", [number(seed, 0) for seed in data["seed"]])
    shown["loss, first step"] = [number(value, 3) for value in data["first_loss"]]
    shown["loss, last tenth"] = [number(value, 3) for value in data["loss"]]
    shown["accuracy, last tenth"] = [number(value, 3) for value in data["accuracy"]]
    shown["peak learning rate"] = [f"{value:.1e}" for value in data["learning_rate"]]
    for measure in dict.fromkeys(data["measure"].dropna()):
        shown[f"best {measure}"] = [number(value, 3) for value in data["best"].where(data["measure"] == measure)]
    shown["kept step"] = [f"{step:,}" for step in data["kept"]]
    shown["queries / s"] = [number(value, 1) for value in data["queries_per_s"]]
    shown["tokens / s"] = [number(value, 0) for value in data["tokens_per_s"]]
    caption = (
        "Training. Losses are comparable only between runs of the same objective and temperature; accuracy is the share of "
        "queries whose positive scores highest among its passages (and those of its batch, in contrastive training). The "
        "best validation is over held-out queries and a slice of the passages, and its step is the one kept; without "
        f"validation, the last. Throughput is the median over steps. {MISSING} means: not measured."
    )
    return Table(data, shown, caption)
