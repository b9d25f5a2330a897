"""What a benchmark ran, on what, how long it took, and what it did not run: the opening of the HTML report."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.config import pools
from bench.config.models import Model
from bench.config.plan import Plan
from bench.config.seeds import split
from bench.files.provenance import host_record, package_versions
from bench.report.published import ABSENT, INCOMPARABLE
from bench.report.records import Record
from bench.report.seeds import SPREAD, over_seeds
from bench.report.table import MISSING, number, signed_interval, with_interval

Facts = list[tuple[str, str]]
HEADLINE = ("data set", "model", "codec", "search", "bytes / vector", "measure", "value", "Δ uncompressed", "verdict")


@dataclass(frozen=True)
class Stage:
    """Jobs of one stage: how many, their seconds in all, and the most memory of one in MB (resident)."""

    name: str
    jobs: int
    seconds: float
    memory: float


def what_ran(plan: Plan, metrics: Sequence[Record]) -> Facts:
    """Return the axes of the benchmark with their counts: query sets, models, codecs, searches, rows."""
    judged = {record["dataset"]: record["counts"]["judged"] for record in metrics}
    sets = (
        f"{entry.id} ({judged[entry.id]:,} queries, {entry.passages:,} passages)"
        if entry.id in judged
        else f"{entry.id} (without judgements, {entry.passages:,} passages)"
        for entry in plan.entries.values()
    )
    rows = [(*run.row[:2], run.preset) for run in plan.runs]
    kinds = {split(name)[0]: _kind(model) for name, model in plan.models.items()}
    named = f"seed{'s' * (len(plan.seeds) > 1)} {', '.join(map(str, plan.seeds))}"
    models, codecs, presets = (list(dict.fromkeys(axis)) for axis in zip(*rows, strict=True))
    margin = ", ".join(f"{measure} {value:g}" for measure, value in plan.margin.items()) or "none was set"
    return [
        ("config", plan.source),
        ("data", "; ".join(sets)),
        ("models", "; ".join(f"{name}: {kinds[name]}" for name in models)),
        ("codecs", ", ".join(codecs)),
        ("searches", ", ".join([*presets, *(["bm25"] if plan.bm25 else [])])),
        *([("runs of other systems", ", ".join(plan.external))] if plan.external else []),
        ("margin of equivalence", margin),
        ("rows", f"{len(over_seeds(metrics))}, with {named} and {plan.precision} encoding"),
    ]


def _kind(model: Model) -> str:
    """Return the first line of the description of a kind of model."""
    text = (type(model).__doc__ or "").partition("\n")[0].rstrip(".")
    return text[:1].lower() + text[1:]


def on_what(latencies: Sequence[Record]) -> Facts:
    """Return the machine that writes the report, those of the timings, and the versions of packages."""
    machine = _machine(host_record())
    timed = list(dict.fromkeys(_machine(record["host"]) for record in latencies))
    versions = ", ".join(f"{name} {version}" for name, version in package_versions().items())
    return [
        ("machine of this report", machine),
        *([("machines of the timings", "; ".join(timed))] if timed and timed != [machine] else []),
        ("packages", versions),
    ]


def _machine(host: Mapping[str, object]) -> str:
    return f"{host['cpu']}, {host['cores']} cores, {host['system']}, Python {host['python']}"


def stages(folder: Path, plan: Plan) -> list[Stage]:
    """Return the stages of a plan, the longest first, from the times of jobs below a folder."""
    names, made = {*plan.models, *plan.teachers}, {split(name)[0] for name in (*plan.models, *plan.teachers)}
    found: dict[str, list[pd.DataFrame]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        first, *others = path.relative_to(folder).parts
        of_model = first in ("models", "teachers") and others[0].partition(".")[0] in made
        of_corpus = first in plan.corpora and (len(others) == 1 or others[0] in {*names, "bm25"})
        if of_model or of_corpus:
            found.setdefault(_stage(path), []).append(pd.read_csv(path, sep="\t"))
    rows = {name: pd.concat(parts) for name, parts in found.items()}
    # A job that is over within a moment has no reading of its memory.
    memory = {name: pd.to_numeric(jobs["max_rss"], errors="coerce").max() for name, jobs in rows.items()}
    result = [Stage(name, len(jobs), float(jobs["s"].sum()), float(memory[name])) for name, jobs in rows.items()]
    return sorted(result, key=lambda stage: -stage.seconds)


def _stage(path: Path) -> str:
    name = re.sub(r"\.seed-[0-9]+", "", path.name)
    if path.parent.name in ("models", "teachers"):
        return (name.split(".")[1:-1] or ["training"])[0]
    return "bm25" if path.parent.name == "bm25" else name.partition(".")[0].partition("-x")[0]


def headline(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the answer as text cells: a row per run with its headline measure, its difference and its verdict.

    quality: the plain numbers of Table 1.
    """
    rows = [
        (
            row["dataset"],
            row["model"],
            pools.label(row["codec"]),
            row["preset"],
            number(row["bytes_per_vector"], 1),
            row["headline"],
            with_interval(row["value"], row["low"], row["high"], row.get(f"value{SPREAD}")),
            signed_interval(
                row["difference"], row["difference_low"], row["difference_high"], row.get(f"difference{SPREAD}")
            ),
            row["difference_verdict"] or MISSING,
        )
        for row in quality.fillna({"difference_verdict": "", "headline": MISSING}).to_dict("records")
    ]
    return pd.DataFrame(rows, columns=list(HEADLINE))


def verdicts(quality: pd.DataFrame) -> dict[str, int]:
    """Return how many rows have each verdict against uncompressed vectors."""
    return dict(quality["difference_verdict"].dropna().value_counts())


def against_print(printed: pd.DataFrame) -> dict[str, int]:
    """Return how many printed numbers that were measured have each verdict; printed: judged ones."""
    measured = printed[~printed["verdict"].isin([ABSENT, INCOMPARABLE])]
    return dict(measured["verdict"].value_counts())


def not_run(printed: pd.DataFrame) -> Facts:
    """Return how many printed numbers of each table could be compared and were not run; printed: judged ones."""
    absent = printed[printed["verdict"] == ABSENT]
    groups = absent.groupby(["source", "table", "dataset"], sort=False)
    return [(f"{source}, {table}", f"{dataset}: {len(rows)} printed numbers") for (source, table, dataset), rows in groups]


def duration(seconds: float) -> str:
    """Return a time as people read it: seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def total(found: Iterable[Stage]) -> float:
    return sum(stage.seconds for stage in found)
