"""The table of worst queries: ranks and tokens in one line each, and nothing made up where there is nothing."""

import pytest

from bench.report.worst import worst_table


def part(token, change):
    return {"passage": "p1", "token": token, "change": change}


@pytest.fixture
def rows():
    moved = [
        {"passage": "p1", "grade": 1, "text": "t", "rank": None, "reference_rank": 2},
        *({"passage": f"p{n}", "grade": 1, "text": "t", "rank": n + 3, "reference_rank": n} for n in (3, 4, 5)),
    ]
    row = {
        "queries": "toy",
        "model": "m",
        "codec": "residual-2",
        "preset": "exact",
        "engine": "exact",
        "query": "q1",
        "text": "a | b",
        "measure": "RR@10",
        "value": 0.0,
        "reference_value": 0.5,
        "moved": moved,
        "tokens": [part("a", -0.25), part("b", -0.125), part("c", 0.0), part("d", 0.5)],
    }
    return [row, {**row, "query": "q2", "moved": [], "tokens": []}]


def test_the_table_says_what_moved_from_where_to_where_and_which_tokens_lost(rows):
    shown = worst_table(rows).shown
    assert shown["moved"].tolist() == ["p1 2 → –, p3 3 → 6, p4 4 → 7", "–"]
    assert shown["tokens"].tolist() == ["a −0.250, b −0.125, c 0.000", "–"]
    assert (shown["uncompressed"][0], shown["compressed"][0]) == ("0.500", "0.000")


def test_the_numbers_have_every_passage_and_token_and_the_whole_text(rows):
    data = worst_table(rows).data
    assert data["moved"][0].count("→") == 4
    assert data["tokens"][0].count(", ") == 3
    assert data["text"][0] == "a | b"


def test_a_bar_in_a_query_does_not_break_the_markdown_table(rows, tmp_path):
    worst_table(rows).write(tmp_path / "worst")
    lines = (tmp_path / "worst.md").read_text().splitlines()
    assert r"q1: a \| b" in lines[2]
    assert lines[2].replace(r"\|", "").count("|") == lines[0].count("|")
    assert r"$\to$" in (tmp_path / "worst.tex").read_text()


def test_without_any_loss_the_table_is_empty_and_keeps_its_columns(tmp_path):
    table = worst_table([])
    table.write(tmp_path / "worst")
    assert len(table.shown) == 0
    assert list(table.shown)[:5] == ["data set", "model", "codec", "search", "query"]
