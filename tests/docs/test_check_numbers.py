"""The check of figures in README and docs, on pages that are right and on planted errors."""

import importlib.util

import pytest

from bench.files.provenance import ROOT

SPEC = importlib.util.spec_from_file_location("check_numbers", ROOT / "docs" / "check_numbers.py")
check = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check)

TABLE = "| codec | RR@10 |\n|---|---|\n| a | 0.507 [−0.021, +0.3] |\n"


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(check, "ROOT", tmp_path)
    (tmp_path / "numbers.csv").write_text("codec,value,low,high\na,0.50712,-0.02149,0.2999\n")

    def problems(text):
        (tmp_path / "page.md").write_text(text)
        return list(check.problems(tmp_path / "page.md"))

    return problems


def test_every_figure_of_readme_and_docs_stands_in_the_file_that_it_names():
    assert check.main([]) == 0


def test_figures_that_are_rounded_numbers_of_the_file_pass(page):
    assert page(f"<!-- numbers: numbers.csv -->\n\n{TABLE}") == []


def test_a_figure_that_is_not_in_the_file_is_named(page):
    assert page(f"<!-- numbers: numbers.csv -->\n{TABLE.replace('0.507', '0.508')}") == [
        "page.md:2: 0.508 stands nowhere in numbers.csv"
    ]


def test_a_table_without_a_source_and_one_with_a_missing_file_fail(page):
    assert "names neither a file nor a command" in page(TABLE)[0]
    assert "gone.csv is not there" in page(f"<!-- numbers: gone.csv -->\n{TABLE}")[0]


def test_a_mark_holds_for_the_next_table_alone(page):
    found = page(f"<!-- numbers: numbers.csv -->\n{TABLE}\nText.\n\n{TABLE}")
    assert len(found) == 1
    assert found[0].startswith("page.md:8: a table with numbers")


def test_figures_that_no_file_keeps_name_their_command(page):
    assert page(f"<!-- numbers: not kept; make results -->\n{TABLE}") == []


def test_versions_settings_and_papers_are_no_figures(page):
    assert page("| what |\n|---|\n| colbert-ai `0.2.22`, arXiv 2112.01488, [x](a-1.5.html) |\n") == []
