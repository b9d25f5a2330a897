"""Tables in four formats: what they show, what they escape, and how they show what is missing."""

import re

import pandas as pd
import pytest

from bench.evaluation.size import COMPONENTS
from bench.report.quality import quality_table, size_table
from bench.report.records import quality_frame, size_frame

FORMATS = (".md", ".tex", ".csv", ".html")


@pytest.fixture
def tables(quick, tmp_path):
    """Folder with both tables of a small benchmark."""
    metrics, sizes = quick
    quality_table(quality_frame(metrics, sizes, seed=1)).write(tmp_path / "quality")
    size_table(size_frame(sizes)).write(tmp_path / "size")
    return tmp_path


def markdown_rows(path):
    """Cells by column of each row of the Markdown table in a file."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_every_table_is_written_in_four_formats(tables):
    assert {path.name for path in tables.iterdir()} == {
        f"{name}{suffix}" for name in ("quality", "size") for suffix in FORMATS
    }


def test_a_row_shows_value_interval_and_signed_differences(tables):
    row = next(row for row in markdown_rows(tables / "quality.md") if row["search"].startswith("plaid"))
    assert (row["model"], row["codec"], row["bytes / vector"]) == ("minilm", "residual-2", "64.0")
    assert row["search"] == "plaid (ncells=2, centroid_score_threshold=0.45, ndocs=1024)"
    assert re.fullmatch(r"0\.555 \[0\.\d{3}, 0\.\d{3}\]", row["nDCG@10"])
    assert re.fullmatch(r"−0\.020 \[−0\.\d{3}, −0\.\d{3}\]", row["Δ uncompressed"])
    assert (row["Δ codec"], row["Δ engine"]) == ("−0.010", "−0.010")
    assert re.fullmatch(r"\d\.\d{3}", row["RR@10"])


def test_what_is_missing_is_a_dash_and_never_a_zero(tables):
    row = next(row for row in markdown_rows(tables / "quality.md") if row["model"] == "bm25")
    missing = {name for name, cell in row.items() if cell == "–"}
    compared = {"Δ uncompressed", "verdict", "wins / ties / losses", "effect", "Δ codec", "Δ engine"}
    assert missing == {"bytes / vector", *compared}
    plain = next(row for row in markdown_rows(tables / "size.md") if row["codec"] == "fp16")
    assert plain["residuals, MB"] == plain["ratio"] == plain["with centroids"] == plain["list on both sides"] == "–"


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["quality", "size"])
def test_no_table_shows_nan_or_none(tables, name, suffix):
    text = (tables / f"{name}{suffix}").read_text(encoding="utf-8")
    assert re.search(r"\b(nan|none|<na>)\b", text.lower()) is None


def test_a_measure_of_one_data_set_is_missing_for_another(metric):
    metrics = [
        metric("m", "fp16", "exact", [1.0, 0.5]),
        metric("m", "fp16", "exact", [1.0, 0.5], dataset="other", measures=["RR@10"], mean={"RR@10": 0.5}),
    ]
    shown = quality_table(quality_frame(metrics, [], seed=1)).shown
    assert shown["nDCG@10"].str.startswith("0.750 [").tolist() == [True, False]
    assert shown["nDCG@10"].iloc[1] == "–"


def test_the_csv_holds_plain_numbers_and_nothing_where_they_are_missing(tables):
    found = pd.read_csv(tables / "quality.csv")
    assert len(found) == 12
    assert found.loc[1, "difference"] == pytest.approx(-0.01)
    assert found.loc[found["model"] == "bm25", ["difference", "bytes_per_vector"]].isna().all(axis=None)
    assert pd.read_csv(tables / "size.csv")["total"].tolist() == [2600, 640, 400, 2600, 640, 400, 2600]


@pytest.mark.parametrize("name", ["quality", "size"])
def test_html_has_one_row_per_record_and_nothing_cut(tables, name):
    text = (tables / f"{name}.html").read_text(encoding="utf-8")
    assert text.count("<tr") == 1 + {"quality": 12, "size": 7}[name]
    assert "..." not in text


def test_html_escapes_what_would_be_markup(metric, tmp_path):
    quality_table(quality_frame([metric("a<b>&c", "fp16", "exact", [1.0])], [], seed=1)).write(tmp_path / "t")
    text = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "a&lt;b&gt;&amp;c" in text
    assert "<b>" not in text


def test_latex_escapes_what_would_be_commands(metric, tmp_path):
    record = metric("a_b & 50% #1", "fp16", "exact", [1.0], dataset="set_{x}")
    quality_table(quality_frame([record], [], seed=1)).write(tmp_path / "t")
    text = (tmp_path / "t.tex").read_text(encoding="utf-8")
    assert r"a\_b \& 50\% \#1" in text
    assert r"set\_\{x\}" in text


def without_math(latex):
    return re.sub(r"(?<!\\)\$[^$]*(?<!\\)\$", "", latex)


@pytest.mark.parametrize("name", ["quality", "size"])
def test_latex_has_no_special_character_outside_of_math(tables, name):
    text = (tables / f"{name}.tex").read_text(encoding="utf-8")
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    caption = re.search(r"\\caption\{(.*)\}", text)[1]
    for line in [*(line.removesuffix(r"\\") for line in body), caption]:
        assert re.findall(r"(?<!\\)[_^#%$~]", without_math(line)) == []
        assert [character for character in without_math(line) if not character.isascii()] == []


@pytest.mark.parametrize("name", ["quality", "size"])
def test_latex_rows_have_as_many_cells_as_columns(tables, name):
    text = (tables / f"{name}.tex").read_text(encoding="utf-8")
    columns = len(re.search(r"begin\{tabular\}\{([lr]+)\}", text)[1])
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {columns}
    assert len(rows) == 1 + {"quality": 12, "size": 7}[name]


def test_captions_name_what_was_counted(quick):
    metrics, sizes = quick
    quality = quality_table(quality_frame(metrics, sizes, seed=1)).caption
    assert "Judged queries: toy 4." in quality
    assert "Encoded in float32." in quality
    assert "toy: 4 passages, minilm 10 vectors and 2 centroids" in size_table(size_frame(sizes)).caption


def test_sizes_are_shown_in_megabytes_gibibytes_and_bytes_per_vector(size):
    components = {**dict.fromkeys(COMPONENTS, 0), "codes": 2**20, "residuals": 2**30 - 2**20}
    record = size("m", "residual-2", bytes=components, total=2**30, bytes_per_vector=36.25)
    shown = size_table(size_frame([record])).shown.iloc[0]
    assert (shown["total, MB"], shown["GiB"], shown["bytes / vector"]) == ("1,073.74", "1.0000", "36.2")
    assert shown["bytes / passage"] == f"{2**30 / record['passages']:,.0f}"
    assert (shown["codes, MB"], shown["float16, MB"], shown["ratio"]) == ("1.05", "–", "6.40")


def test_a_table_of_uncompressed_indexes_alone_has_no_ratio(size):
    shown = size_table(size_frame([size("m", "fp16")])).shown
    assert shown[["ratio", "with centroids", "list on both sides"]].iloc[0].tolist() == ["–", "–", "–"]


def test_writing_a_table_twice_gives_identical_bytes(quick, tmp_path):
    metrics, sizes = quick
    for name in ("a", "b"):
        quality_table(quality_frame(metrics, sizes, seed=1)).write(tmp_path / name)
    for suffix in FORMATS:
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
