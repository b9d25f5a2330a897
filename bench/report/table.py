"""A table in the formats that papers, pull requests and programs want, and how its cells are written."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.files.storage import write_text
from bench.report.deviations import MARK

MISSING = "–"
_NAMED = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_OUTSIDE_OT1 = {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
_TEXTS = (
    "task",
    "data set",
    "collection",
    "corpus",
    "model",
    "codec",
    "search",
    "system",
    "setting",
    "peer",
    "peer setting",
    "context",
    "query",
    "moved",
    "tokens",
)
_SPECIAL = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {**_NAMED, **_OUTSIDE_OT1, "–": "--", "±": "$\\pm$", "−": "$-$", "Δ": "$\\Delta$", "→": "$\\to$", MARK: "$\\dagger$"}
)


@dataclass(frozen=True)
class Table:
    """data: plain numbers, for CSV; shown: what people read, all text, in several lines where need be; caption: how to."""

    data: pd.DataFrame
    shown: pd.DataFrame
    caption: str

    def write(self, base: Path) -> None:
        """Write ``base`` + .md, .tex (booktabs), .csv (plain numbers) and .html."""
        text = _in_lines(self.shown.map(_markdown_cell)).to_markdown(index=False, disable_numparse=True)
        write_text(base.with_suffix(".md"), f"{text}\n\n{self.caption}\n")
        write_text(base.with_suffix(".csv"), self.data.to_csv(index=False))
        write_text(base.with_suffix(".tex"), _latex(self))
        write_text(base.with_suffix(".html"), _html(self))


def _latex(table: Table) -> str:
    shown = table.shown
    rows = [_latex_row([str(cell) for cell in row]) for row in shown.itertuples(index=False)]
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


def _latex_row(cells: Sequence[str]) -> str:
    space = r"\addlinespace" if any("\n" in cell for cell in cells) else ""
    return " & ".join(_latex_cell(cell) for cell in cells) + r" \\" + space


def _latex_cell(text: str) -> str:
    lines = text.translate(_SPECIAL).split("\n")
    return lines[0] if len(lines) == 1 else r"\begin{tabular}[t]{@{}r@{}}" + r"\\".join(lines) + r"\end{tabular}"


def _markdown_cell(cell: object) -> str:
    """Return the text of a cell with what Markdown would take for the end of the cell, or for HTML, escaped."""
    return str(cell).replace("|", r"\|").replace("<", "&lt;")


def _in_lines(shown: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the lines of a cell as Markdown separates them."""
    return shown.map(lambda cell: str(cell).replace("\n", "<br>"))


def _html(table: Table) -> str:
    style = (
        "body{font:14px/1.5 system-ui,sans-serif;margin:1.5rem;color:#222}table{border-collapse:collapse;margin-bottom:1rem}"
        "th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}"
        "th{border-bottom:2px solid #222}td:nth-child(-n+4),th:nth-child(-n+4){text-align:left}p{max-width:60rem}"
    )
    body = _in_lines(table.shown).to_html(index=False, border=0).replace("&lt;br&gt;", "<br>")
    caption = html.escape(table.caption, quote=False)
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>\n{body}\n<p>{caption}</p>\n'


def number(value: float | None, digits: int) -> str:
    """As people read it, with commas between thousands; a dash where there is none."""
    return MISSING if value is None or pd.isna(value) else f"{value:,.{digits}f}"


def with_interval(value: float | None, low: float | None, high: float | None, spread: float | None = None) -> str:
    """A mean with its spread over seeds and its interval, as far as it has them; a dash where there is no mean."""
    if value is None or pd.isna(value) or low is None or pd.isna(low):
        return with_spread(number(value, 3), spread, 3)
    return f"{with_spread(number(value, 3), spread, 3)} [{number(low, 3)}, {number(high, 3)}]"


def with_spread(cell: str, spread: float | None, digits: int) -> str:
    """A cell with ± and the standard deviation over seeds; as it is where there is none."""
    return cell if spread is None or pd.isna(spread) else f"{cell} ± {number(spread, digits)}"


def signed(value: float | None, digits: int = 3) -> str:
    """With its sign, but for what rounds to 0; a dash where there is none."""
    if value is None or pd.isna(value):
        return MISSING
    return f"{value:+.{digits}f}".replace("-", "−") if round(abs(value), digits) else f"{0:.{digits}f}"


def signed_interval(value: float | None, low: float, high: float, spread: float | None = None) -> str:
    if value is None or pd.isna(value) or pd.isna(low):
        return signed(value)
    return f"{with_spread(signed(value), spread, 3)} [{signed(low)}, {signed(high)}]"
