"""Tables in the formats that papers, pull requests and programs want."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.evaluation.size import COMPONENTS
from bench.files.storage import write_text
from bench.report.deviations import MARK, cells, note
from bench.report.macro import Macro, macro

MISSING = "–"
_NAMED = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_TEXTS = ("data set", "corpus", "model", "codec", "search", "system", "setting", "peer", "peer setting")
_SPECIAL = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"} | {**_NAMED, "–": "--", "±": "$\\pm$", "−": "$-$", "Δ": "$\\Delta$", MARK: "$\\dagger$"}
)


@dataclass(frozen=True)
class Table:
    """data: plain numbers, for CSV; shown: what people read, all text; caption: how to read it."""

    data: pd.DataFrame
    shown: pd.DataFrame
    caption: str


def quality_table(quality: pd.DataFrame, groups: Mapping[str, Sequence[str]] | None = None) -> Table:
    """Table 1: quality of every run, with intervals and the paired difference to uncompressed, and means of groups.

    groups: data sets of each mean, by its title; a mean is of all of them or missing.
    """
    means = macro(quality, groups or {})
    counts = ", ".join(f"{name} {rows['queries'].iloc[0]}" for name, rows in quality.groupby("dataset", sort=False))
    precisions = ", ".join(sorted(set(quality["precision"].dropna())))
    quality = pd.concat([quality, means.rows], ignore_index=True) if len(means.rows) else quality
    fixed = {
        "data set": cells(quality["dataset"], quality["deviations"]),
        "model": quality["model"],
        "codec": quality["codec"],
        "search": [search_cell(preset, settings) for preset, settings in zip(quality.preset, quality.settings, strict=True)],
        "bytes / vector": [number(value, 1) for value in quality["bytes_per_vector"]],
    }
    shown = pd.DataFrame(fixed)
    for measure in _measures(quality):
        shown[measure] = [_measure_cell(row, measure) for _, row in quality.iterrows()]
    shown["Δ uncompressed"] = [
        signed_interval(row.difference, row.difference_low, row.difference_high) for row in quality.itertuples()
    ]
    shown["p"] = [number(value, 4) for value in quality["p"]]
    shown["Δ codec"] = [signed(value) for value in quality["codec_loss"]]
    shown["Δ engine"] = [signed(value) for value in quality["engine_loss"]]
    caption = (
        f"Quality. Judged queries: {counts}. The first measure of a data set carries its 95 % bootstrap interval over "
        f"queries; Δ is the paired difference in that measure to uncompressed vectors under exhaustive search by the same "
        f"model, with its interval and the two-sided p of a randomization test, and is split into the part lost by the "
        f"codec (exhaustive search over decoded vectors) and the part lost by the engine. Bytes per vector count every "
        f"file of the index. Encoded in {precisions}. {MISSING} means: does not apply, or was not measured."
        f"{_of_means(means)}{note(quality['dataset'], quality['deviations'])}"
    )
    return Table(quality, shown, caption)


def _of_means(means: Macro) -> str:
    counted = " A mean over data sets counts each of them the same, and has no interval." if len(means.rows) else ""
    return counted + "".join(f" No {text}." for text in means.missing)


def size_table(sizes: pd.DataFrame) -> Table:
    """Table 2: bytes by component, and the ratio to uncompressed in three ways of counting."""
    shown = pd.DataFrame({name: sizes[name] for name in ("corpus", "model", "codec")})
    shown["corpus"] = cells(sizes["corpus"], sizes["deviations"])
    for component in COMPONENTS:
        shown[f"{component}, MB"] = [number(value / 1e6, 2) if value else MISSING for value in sizes[component]]
    shown["total, MB"] = [number(value / 1e6, 2) for value in sizes["total"]]
    shown["GiB"] = [number(value / 2**30, 4) for value in sizes["total"]]
    shown["bytes / vector"] = [number(value, 1) for value in sizes["bytes_per_vector"]]
    for name, title in (
        ("ratio_paper", "ratio"),
        ("ratio_with_centroids", "with centroids"),
        ("ratio_list_on_both_sides", "list on both sides"),
    ):
        values = sizes[name] if name in sizes else [None] * len(sizes)
        shown[title] = [number(value, 2) for value in values]
    counted = "; ".join(
        f"{corpus}: {row.passages:,} passages, {', '.join(_vectors(part))}"
        for corpus, part in sizes.groupby("corpus", sort=False)
        for row in [part.iloc[0]]
    )
    caption = (
        f"Size in MB (10^6 bytes) by component. {counted}. ratio: float16 vectors over codes + residuals + inverted list, "
        f"the count of the paper's section 5.3, where centroids are negligible; with centroids: their bytes added to the "
        f"compressed side, which weigh more the smaller the collection is; list on both sides: the inverted list added to "
        f"both. 'other' (ids, passage lengths, codebook) is in no ratio, but in total and in bytes per vector."
        f"{note(sizes['corpus'], sizes['deviations'])}"
    )
    return Table(sizes, shown, caption)


def write(base: Path, table: Table) -> None:
    """``base`` + .md, .tex (booktabs), .csv (plain numbers) and .html."""
    shown = table.shown
    write_text(base.with_suffix(".md"), f"{shown.to_markdown(index=False, disable_numparse=True)}\n\n{table.caption}\n")
    write_text(base.with_suffix(".csv"), table.data.to_csv(index=False))
    write_text(base.with_suffix(".tex"), _latex(table))
    write_text(base.with_suffix(".html"), _html(table))


def _latex(table: Table) -> str:
    shown = table.shown
    rows = [" & ".join(cell.translate(_SPECIAL) for cell in map(str, row)) + r" \\" for row in shown.itertuples(index=False)]
    head = " & ".join(str(name).translate(_SPECIAL) for name in shown.columns) + r" \\"
    columns = "".join("l" if name in _TEXTS else "r" for name in shown)
    lines = [
        "% needs \\usepackage{booktabs,graphicx}",
        r"\begin{table*}",
        r"\centering",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        head,
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
        rf"\caption{{{table.caption.translate(_SPECIAL)}}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _html(table: Table) -> str:
    style = (
        "body{font:14px/1.5 system-ui,sans-serif;margin:1.5rem;color:#222}table{border-collapse:collapse;margin-bottom:1rem}"
        "th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}"
        "th{border-bottom:2px solid #222}td:nth-child(-n+4),th:nth-child(-n+4){text-align:left}p{max-width:60rem}"
    )
    body = table.shown.to_html(index=False, border=0)
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>\n{body}\n<p>{table.caption}</p>\n'


def _measures(quality: pd.DataFrame) -> list[str]:
    """Columns of measures, headlines first."""
    headlines = list(dict.fromkeys(quality["headline"]))
    return headlines + [name for name in quality.columns if "@" in name and name not in headlines]


def _measure_cell(row: pd.Series, measure: str) -> str:
    value = number(row[measure], 3)
    interval = measure == row["headline"] and not pd.isna(row["low"])
    return f"{value} [{row['low']:.3f}, {row['high']:.3f}]" if interval else value


def search_cell(preset: str, settings: str) -> str:
    return f"{preset} ({settings})" if settings else preset


def _vectors(part: pd.DataFrame) -> list[str]:
    models = part.drop_duplicates("model")
    return [
        f"{row.model} {row.vectors:,} vectors" + (f" and {row.centroid_count:,} centroids" if row.centroid_count else "")
        for row in (_largest(part, model) for model in models["model"])
    ]


def _largest(part: pd.DataFrame, model: str) -> pd.Series:
    rows = part[part["model"] == model]
    return rows.loc[rows["centroid_count"].idxmax()]


def number(value: float | None, digits: int) -> str:
    """As people read it, with commas between thousands; a dash where there is none."""
    return MISSING if value is None or pd.isna(value) else f"{value:,.{digits}f}"


def signed(value: float | None) -> str:
    if value is None or pd.isna(value):
        return MISSING
    return f"{value:+.3f}".replace("-", "−") if abs(value) >= 0.0005 else "0.000"


def signed_interval(value: float | None, low: float, high: float) -> str:
    if value is None or pd.isna(value) or pd.isna(low):
        return signed(value)
    return f"{signed(value)} [{signed(low)}, {signed(high)}]"
