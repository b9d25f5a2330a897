"""Table 6: truncation beside what the runs of the model lack."""

import pytest

from bench.report.protocol import protocol_frame, protocol_table


def truncation(model="m", **counts):
    given = {
        "passages": 200,
        "passages_cut": 30,
        "vectors": 8000,
        "vectors_cut": 100,
        "relevant": 8,
        "relevant_cut": 2,
        "relevant_absent": 1,
        "queries": 4,
        "queries_cut": 1,
        **counts,
    }
    lengths = {"query_maxlen": 32, "doc_maxlen": 180}
    return {"dataset": "toy", "model": model, "template": "{title} {text}", **lengths, "counts": given}


def run(metric, codec, tied, short):
    counts = {"judged": 4, "short": short, "tied": tied, "results": 400}
    return metric("m", codec, "exact", [0.5] * 4, counts=counts)


@pytest.fixture
def shown(metric):
    metrics = [run(metric, "fp16", 0, 1), run(metric, "residual-1", 6, 3)]
    return protocol_table(protocol_frame([truncation()], metrics)).shown.iloc[0]


def test_shares_are_of_passages_vectors_relevant_passages_and_queries(shown):
    assert shown["passages cut, %"] == "15.00"
    assert shown["vectors cut, %"] == "1.25"
    assert shown["relevant passages cut, %"] == "25.00"
    assert shown["queries cut, %"] == "25.00"
    assert shown["relevant, absent"] == "1"
    assert (shown["passage text"], shown["tokens of a query"], shown["of a passage"]) == ("{title} {text}", "32", "180")


def test_ties_go_from_the_run_with_fewest_to_the_one_with_most_and_short_rankings_are_the_most(shown):
    assert shown["tied, %"] == "0.00 to 1.50"
    assert shown["short rankings"] == "3"


def test_runs_of_other_models_count_elsewhere(metric):
    other = {**run(metric, "fp16", 400, 4), "model": "n"}
    found = protocol_frame([truncation()], [run(metric, "fp16", 4, 0), other]).set_index("model")
    assert found.loc["m", ["tied_low", "tied_high", "short"]].tolist() == [0.01, 0.01, 0]
    assert found.loc["n", ["tied_low", "tied_high", "short"]].tolist() == [1.0, 1.0, 4]


def test_bm25_cuts_nothing_and_has_its_ties_and_short_rankings(metric):
    metrics = [run(metric, "fp16", 4, 0), {**run(metric, "text", 40, 2), "model": "bm25"}]
    row = protocol_table(protocol_frame([truncation()], metrics)).shown.iloc[1]
    assert row["model"] == "bm25"
    assert row[["passage text", "of a passage", "passages cut, %", "relevant, absent"]].tolist() == ["–"] * 4
    assert (row["short rankings"], row["tied, %"]) == ("2", "10.00")


def test_nothing_relevant_is_no_share_and_not_zero(metric):
    table = protocol_table(protocol_frame([truncation(relevant=0, relevant_cut=0)], []))
    row = table.shown.iloc[0]
    assert (row["relevant passages cut, %"], row["tied, %"], row["short rankings"]) == ("–", "–", "–")
