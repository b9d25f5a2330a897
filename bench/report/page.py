"""The HTML report: one file that opens on the answer, with every table, figure and per-query value, and no request."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from bench.config.plan import Plan
from bench.corpus.texts import open_queries
from bench.errors import DamagedFileError, DataError
from bench.report import overview, published, rule_graph
from bench.report.records import Record, read_metrics, row_of
from bench.report.seeds import over_seeds

ASSETS = Path(__file__).with_name("assets")
DIGITS = 4  # of per-query values
SECTIONS = {
    "Quality": ("figure1_quality_bytes", "table1_quality", "table5_models", "table6_protocol"),
    "Size": ("figure2_size", "table2_size"),
    "Latency": ("figure3_latency", "table3_latency"),
    "Codecs": ("figure5_codecs", "table7_codecs"),
    "Loss": ("figure8_loss", "table8_loss", "worst_queries"),
    "Training": ("figure4_training", "table4_training", "supervision"),
    "Published": ("published",),
}
FIGURES = {
    "figure1_quality_bytes": "Quality against bytes, with the 95 % interval of the paired difference to uncompressed "
    "vectors (dashed, same model). Grey lines: baselines without token vectors.",
    "figure2_size": "Where the bytes of an index go, per vector or, with merged ones, per passage.",
    "figure3_latency": "Quality against the median time of a query. The line joins the settings that no other one beats in "
    "both.",
    "figure4_training": "Loss, learning rate and validation by step, one line per model.",
    "figure5_codecs": "Quality, and overlap with uncompressed vectors, against bytes under exhaustive search; the codecs of "
    "the paper are joined.",
    "figure8_loss": "How much every compressed run loses, the part of its codec and the part of its engine, with the "
    "interval of the sum.",
}
MAIN = ("figure1_quality_bytes", "figure3_latency")
_TABLE = re.compile(r"<table.*</table>", re.DOTALL)
_CAPTION = re.compile(r"<p>(.*)</p>", re.DOTALL)


@dataclass(frozen=True)
class Item:
    """A table or a figure of the page.

    body: a table element, or the address of an image that holds its bytes; csv: plain numbers of a table.
    """

    stem: str
    title: str
    caption: str
    body: str
    csv: str | None


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Files that a page is made of.

    results: folder of tables and figures; items: their stems; metrics, latencies: records; queries: folders of query sets;
    benchmarks: folder of the times of jobs; rules: the graph of rules in DOT.
    """

    results: Path
    items: Sequence[str]
    metrics: Sequence[Path]
    latencies: Sequence[Record]
    queries: Sequence[Path]
    benchmarks: Path
    rules: Path


def page(plan: Plan, sources: Sources) -> str:
    """Return the page of a benchmark.

    Raises DataError for a table or figure that no section holds, DamagedFileError for a file that is not one of ours.
    """
    known = {stem for stems in SECTIONS.values() for stem in stems}
    if unknown := sorted(set(sources.items) - known):
        raise DataError(f"{unknown[0]} of {sources.results} stands in no section of the report; known are: {sorted(known)}")
    metrics = read_metrics(sources.metrics)
    quality = pd.read_csv(sources.results / "table1_quality.csv")
    items = {stem: _item(sources.results, stem) for stem in sources.items}
    stages = overview.stages(sources.benchmarks, plan)
    printed = published.read(sources.results / "published.csv", judged=True) if "published" in items else None
    return _template().render(
        name=plan.name,
        facts=[*overview.what_ran(plan, metrics), *overview.on_what(sources.latencies)],
        verdicts=overview.verdicts(quality),
        headline=overview.headline(quality),
        main=[items[stem] for stem in MAIN if stem in items],
        sections={name: [items[stem] for stem in stems if stem in items] for name, stems in SECTIONS.items()},
        stages=stages,
        total=overview.duration(overview.total(stages)),
        duration=overview.duration,
        printed=overview.against_print(printed) if printed is not None else {},
        not_run=overview.not_run(printed) if printed is not None else [],
        provenance=[_provenance(path, record) for path, record in zip(sources.metrics, metrics, strict=True)],
        graph=rule_graph.svg(rule_graph.read(sources.rules)),
        data=_embedded({"queries": per_query(metrics, sources.queries), "csv": {stem: i.csv for stem, i in items.items()}}),
    )


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(ASSETS)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html")


def _embedded(value: Any) -> str:
    """Return JSON that can stand in a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _item(folder: Path, stem: str) -> Item:
    title = _title(stem)
    if stem in FIGURES:
        image = base64.b64encode((folder / f"{stem}.png").read_bytes()).decode()
        return Item(stem, title, FIGURES[stem], f"data:image/png;base64,{image}", None)
    path = folder / f"{stem}.html"
    text = path.read_text()
    table, caption = _TABLE.search(text), _CAPTION.search(text)
    if table is None or caption is None:
        raise DamagedFileError(f"{path} has no table with a caption; make it again")
    return Item(stem, title, caption[1], table[0], (folder / f"{stem}.csv").read_text())


def _title(stem: str) -> str:
    """Return ``Table 1`` for ``table1_quality``, and the capitalized name where there is no number."""
    numbered = re.match(r"(table|figure)(\d+)_", stem)
    return f"{numbered[1].capitalize()} {numbered[2]}" if numbered else stem.replace("_", " ").capitalize()


def per_query(metrics: Sequence[Record], folders: Sequence[Path]) -> dict[str, Any]:
    """Return the headline measure of every query and run: by data set, its measure, its runs, and a row per query.

    A row is id, text, and a value per run, of several seeds the mean, rounded to 4 decimals; None where a run does not
    cover the query.
    """
    texts: dict[str, Mapping[str, str]] = {}
    for folder in folders:
        opened = open_queries(folder)
        texts[opened.manifest.settings["dataset"]] = {text.id: text.text for text in opened.texts}
    found: dict[str, Any] = {}
    for dataset in dict.fromkeys(record["dataset"] for record in metrics):
        records = [record for record in over_seeds(metrics) if record["dataset"] == dataset]
        measure = records[0]["measures"][0]
        values = [record["per_query"][measure] for record in records]
        ids = sorted(set().union(*values))
        known = texts.get(dataset, {})
        rows = [[name, known.get(name, ""), *(_rounded(by_query.get(name)) for by_query in values)] for name in ids]
        found[dataset] = {"measure": measure, "runs": [" · ".join(row_of(each)[1:]) for each in records], "rows": rows}
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _provenance(path: Path, record: Record) -> dict[str, str]:
    run = record["run"]
    inputs = {name: str(digest)[:12] for name, digest in run["inputs"].items()}
    return {
        "row": " · ".join([*row_of(record), *([f"seed {record['seed']}"] if "seed" in record else [])]),
        "inputs": ", ".join(f"{name} {digest}" for name, digest in sorted(inputs.items())),
        "run": str(run.get("digest", ""))[:12],
        "code": ", ".join(dict.fromkeys((run["context"]["code"], record["context"]["code"]))),
        "command": f"bench show {path}",
    }
