"""The tables of the papers, filled from records made by hand in the layout of the real ones."""

import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from bench.cli import main
from bench.config.paper_tables import COLBERTV2, PAPER_TABLES
from bench.errors import DataError
from bench.files.storage import write_json
from bench.report import paper, published
from bench.report.published import Measured

NUMBERS = Path(__file__).resolve().parents[2] / "results" / "published.csv"
OF_RUNS = {"table4": 6, "table5a": 13, "table5b": 14, "table7": 12}  # their numbers that can be compared
TEX = shutil.which("pdflatex") or shutil.which("tectonic")


@pytest.fixture(scope="module")
def printed():
    return published.read(NUMBERS)


@pytest.fixture
def made(printed, metric):
    """``made(name, shift)``: made records of the runs that a table names, all off by so many points."""

    def records(name, shift=0.0, **changes):
        own = paper.placed(printed, PAPER_TABLES[name])
        found = {}
        for row in own[own["comparable"] == "yes"].to_dict("records"):
            key = (row["dataset"], row["model"], row["codec"], row["preset"])
            record = found.setdefault(key, metric(*key[1:], [0.0], dataset=row["dataset"], **changes))
            record["mean"] = {**record["mean"], row["measure"]: (float(row["printed"]) + shift) / 100}
        return list(found.values())

    return records


@pytest.fixture
def marco(size):
    """Made records of indexes of 640 Mi vectors."""
    half = {name: 10 * count * 2**26 for name, count in size("official", "residual-2")["bytes"].items()}
    of = {"corpus": "msmarco-passage", "vectors": 10 * 10 * 2**26}
    return [size("official", "residual-2", bytes=half, **of)]


def table(printed, name, *records):
    layout = PAPER_TABLES[name]
    return paper.paper_table(published.judged(paper.placed(printed, layout), Measured(*records)), layout)


def cell(found, column, *titles):
    rows = found.shown
    for head, title in zip(found.shown.columns, titles, strict=False):
        rows = rows[rows[head] == title]
    (text,) = rows[column]
    return text


@pytest.mark.parametrize(
    ("name", "rows", "columns", "numbers"),
    [
        ("table4", 11, 7, 36),
        ("table5a", 13, 10, 99),
        ("table5b", 15, 8, 84),
        ("table7", 12, 8, 72),
        ("compression", 9, 9, 20),
        ("sizes", 4, 6, 9),
        ("plaid-table1", 4, 4, 12),
        ("plaid-table3", 8, 7, 35),
    ],
)
def test_every_printed_number_has_one_cell_of_its_table_and_nothing_was_run(printed, name, rows, columns, numbers):
    found = table(printed, name, [])
    assert found.shown.shape == (rows, columns)
    filled = [text for text in found.shown.iloc[:, len(PAPER_TABLES[name].heads) :].to_numpy().ravel() if text != "–"]
    assert len(filled) == len(found.data) == numbers
    assert all(" / not run\n" in text for text in filled)


def test_every_number_of_the_tables_of_the_paper_is_in_one_of_ours(printed):
    of_paper = printed[(printed["source"] == COLBERTV2) & printed["table"].str.startswith("Table")]
    ours = [table for layout in PAPER_TABLES.values() if layout.source == COLBERTV2 for table in layout.tables]
    assert set(of_paper["table"]) <= set(ours)


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, "match"), (0.04, "match"), (0.4, "close"), (-0.4, "close"), (1.1, "off"), (-1.1, "off")]
)
@pytest.mark.parametrize("name", OF_RUNS)
def test_every_cell_of_the_paper_s_own_system_is_judged_in_both_directions(printed, made, name, shift, verdict):
    found = table(printed, name, made(name, shift))
    assert found.data["verdict"].value_counts().to_dict() == {
        verdict: OF_RUNS[name],
        "not comparable": len(found.data) - OF_RUNS[name],
    }


@pytest.mark.parametrize(
    ("name", "column", "titles", "text"),
    [
        ("table4", "dev RR@10", ["ColBERTv2"], "39.7 / 40.10\nclose"),
        ("table4", "Local Eval R@1000", ["ColBERTv2"], "98.3 / 98.70\nclose"),
        ("table4", "dev RR@10", ["RepBERT"], "30.4 / not run\nnot comparable"),
        ("table4", "Local Eval R@50", ["ColBERT"], "–"),
        ("table5a", "ColBERTv2", ["search", "TREC-COVID"], "73.8 / 74.20\nclose"),
        ("table5a", "ColBERTv2", ["semantic relatedness", "ArguAna"], "46.3 / 46.70\nclose"),
        ("table5a", "SPLADEv2", ["search", "Touché"], "27.2 / not run\nnot comparable"),
        ("table5b", "ColBERTv2", ["Wikipedia", "NQ"], "68.9 / 69.30\nclose"),
        ("table5b", "ColBERTv2", ["LoTTE forum", "Pooled"], "63.4 / 63.80\nclose"),
        ("table5b", "ColBERTv2", ["Wikipedia", "SQuAD"], "65.0 / not run\nnot comparable"),
        ("table7", "ColBERTv2", ["LoTTE search", "Writing"], "81.7 / 82.10\nclose"),
    ],
)
def test_a_cell_shows_print_measurement_and_verdict(printed, made, name, column, titles, text):
    assert cell(table(printed, name, made(name, 0.4)), column, *titles) == text


def test_a_run_that_is_not_by_the_protocol_is_shown_and_not_compared(printed, made):
    found = table(printed, "table4", made("table4", 0.4, deviations={"sample": "100 of 6980 queries"}))
    assert cell(found, "dev RR@10", "ColBERTv2") == "39.7 / 40.10\nnot comparable"
    assert found.data["because"].str.startswith("not by the protocol: sample 100 of 6980 queries").sum() == 6


def test_sizes_are_counted_as_in_the_paper_and_never_judged(printed, marco):
    found = table(printed, "sizes", [], marco)
    assert cell(found, "index, GiB", "ColBERTv2", "2") == "25 / 256.2\nnot comparable"
    assert cell(found, "bytes / vector", "ColBERTv2", "2") == "36 / 35.0\nnot comparable"
    assert cell(found, "ratio", "ColBERTv2", "2") == "6 / 6.4\nnot comparable"
    assert cell(found, "inverted list, GiB", "ColBERTv2", "any") == "4.5 / 37.50\nnot comparable"
    assert cell(found, "index, GiB", "ColBERTv2", "1") == "16 / not run\nnot comparable"
    assert "another index layout" in found.data["because"].iloc[0]


def test_a_time_is_shown_beside_the_authors_and_not_compared(printed, metric, latency):
    settings = {"ncells": 4, "centroid_score_threshold": 0.4, "ndocs": 4096}
    run = metric("official", "residual-2", "plaid-1000", [0.4], dataset="msmarco-passage/dev/small", settings=settings)
    found = table(printed, "plaid-table3", [run], [], [latency(run, 400.0), latency(run, 80.0, threads=8)])
    assert cell(found, "dev ms, 1 CPU", "PLAID ColBERTv2 k=1000") == "352.3 / 300.00\nnot comparable"
    assert cell(found, "dev ms, 8 CPUs", "PLAID ColBERTv2 k=1000") == "101.3 / 60.00\nnot comparable"
    assert cell(found, "dev RR@10", "PLAID ColBERTv2 k=1000") == "39.8 / 80.00\noff"
    assert cell(found, "dev ms, 1 CPU", "PLAID ColBERTv2 k=100") == "222.3 / not run\nnot comparable"


def test_a_printed_number_without_a_cell_twice_in_one_or_absent_from_a_row_is_refused(printed):
    of = printed["table"] == "Table 4"
    moved = printed.copy()
    moved.loc[printed[of].index[0], "system"] = "Nobody"
    with pytest.raises(DataError, match=r"line 2 of the printed numbers \(Nobody, .* RR@10, bits none\) has 0 places"):
        paper.placed(moved, PAPER_TABLES["table4"])
    with pytest.raises(DataError, match=r"line 482 .* in a cell of \('Table 4',\) that another line has"):
        paper.placed(pd.concat([printed[:480], printed[:1]], ignore_index=True), PAPER_TABLES["table4"])
    with pytest.raises(DataError, match=r"no printed number in \('Table 4',\) for the row \{'system': 'PAIR'\}"):
        paper.placed(printed[printed["system"] != "PAIR"], PAPER_TABLES["table4"])


@pytest.fixture
def bench(tmp_path, capsys):
    """``bench(name, *records)``: the verb over made records; its code and what it says on standard error."""

    def call(name, *records):
        paths = [str(tmp_path / f"{number}.json") for number in range(len(records))]
        for path, record in zip(paths, records, strict=True):
            write_json(Path(path), record)
        given = ["--metrics", *paths] if paths else []
        return main(
            ["paper-table", name, "--numbers", str(NUMBERS), *given, "--output", str(tmp_path)]
        ), capsys.readouterr().err

    return call


def test_a_run_of_another_data_set_and_an_unknown_table_are_refused_in_one_line(bench, metric, tmp_path):
    code, err = bench("table4", metric("official", "residual-2", "colbertv2", [0.5], dataset="beir/nq"))
    assert code == 1
    assert "a run is of the data set 'beir/nq', which is not in ('Table 4',): msmarco-passage/dev/small, " in err
    code, more = bench("table5")
    assert code == 1
    assert "'table5' of the command line is no table; did you mean 'table5a'?" in more or "they are table4, table5a" in more
    assert (err + more).count("\n") == 2
    assert not list(tmp_path.glob("table*"))


def test_the_verb_writes_every_format(bench, made, tmp_path):
    assert bench("table4", *made("table4", 0.4))[0] == 0
    assert "| 39.7 / 40.10<br>close" in (tmp_path / "table4.md").read_text()
    assert "39.7 / 40.10<br>close</td>" in (tmp_path / "table4.html").read_text()
    assert r"\begin{tabular}[t]{@{}r@{}}39.7 / 40.10\\close\end{tabular}" in (tmp_path / "table4.tex").read_text()
    data = pd.read_csv(tmp_path / "table4.csv")
    row = data[(data["row"] == "ColBERTv2") & (data["column"] == "dev RR@10")].iloc[0]
    assert (row["printed"], row["verdict"]) == (39.7, "close")
    assert (row["measured"], row["difference"]) == pytest.approx((40.1, 0.4))
    assert "30 not comparable, 6 close" in (tmp_path / "table4.md").read_text()


@pytest.mark.parametrize("name", PAPER_TABLES)
def test_the_latex_of_a_table_has_as_many_cells_in_each_row_and_closes_what_it_opens(printed, tmp_path, name):
    table(printed, name, []).write(tmp_path / "t")
    text = (tmp_path / "t.tex").read_text()
    body = text.partition("\\toprule\n")[2].partition("\\bottomrule")[0]
    cells = [line.count(" & ") for line in body.splitlines() if line != "\\midrule"]
    assert set(cells) == {len(PAPER_TABLES[name].heads) + len(PAPER_TABLES[name].columns) - 1}
    assert text.count("{") == text.count("}")
    assert text.isascii() or set(filter(lambda letter: not letter.isascii(), text)) <= set("é")


@pytest.mark.skipif(TEX is None, reason="needs pdflatex or tectonic")
@pytest.mark.parametrize("name", PAPER_TABLES)
def test_the_latex_of_a_table_compiles(printed, made, tmp_path, name):
    table(printed, name, made(name) if name in OF_RUNS else []).write(tmp_path / "t")
    page = "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\\input{t.tex}\\end{document}\n"
    (tmp_path / "page.tex").write_text(page)
    flags = ["-halt-on-error", "-interaction=nonstopmode"] if TEX.endswith("pdflatex") else []
    done = subprocess.run([TEX, *flags, "page.tex"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000


SHOWN = NUMBERS.with_name("baselines") / "paper-made.md"
SHIFTS = (0.0, 0.3, -0.7, None, 0.9)  # per cent; of the runs of a table in turn, None for one that is not run


@pytest.fixture
def shown(printed, made, marco, tmp_path):
    """All tables of the paper in one page, with every verdict, from made records."""
    parts = [
        "# Made, not measured\n\nThese tables are filled from records that a test makes by hand. They show the layout.\n"
    ]
    for name, layout in PAPER_TABLES.items():
        if layout.source != COLBERTV2:
            continue
        records = made(name) if name in OF_RUNS else []
        shifts = [SHIFTS[number % len(SHIFTS)] for number in range(len(records))]
        runs = [
            {**record, "mean": {measure: value + shift / 100 for measure, value in record["mean"].items()}}
            for record, shift in zip(records, shifts, strict=True)
            if shift is not None
        ]
        table(printed, name, runs, marco if name == "sizes" else []).write(tmp_path / name)
        parts.append(f"## {name} (made)\n\n{(tmp_path / name).with_suffix('.md').read_text()}")
    return "\n".join(parts)


def test_the_page_of_made_tables_shows_every_verdict_and_is_what_the_code_writes(shown):
    """``MADE=write pytest tests/report/test_paper.py -k page`` writes it again."""
    if os.environ.get("MADE") == "write":
        SHOWN.write_text(shown)
    assert SHOWN.read_text() == shown
    for verdict in ("match", "close", "off", "missing", "not comparable"):
        assert f"<br>{verdict}" in shown
    assert shown.count("## ") == 6
