import math

import pytest

from bench.errors import DataError, SettingsError
from bench.evaluation.quality import evaluate, measure

GRADED = {"q1": {"d1": 1, "d3": 2, "d9": 0}}
RUN = {"q1": [("d2", 3.0), ("d1", 2.5), ("d3", 1.0)]}


def mean(run, qrels, name, depth=100):
    return evaluate(run, qrels, [name], depth).mean[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RR@10", 1 / 2),
        ("nDCG@10", (1 / math.log2(3) + 2 / math.log2(4)) / (2 + 1 / math.log2(3))),
        ("nDCG@2", (1 / math.log2(3)) / (2 + 1 / math.log2(3))),
        ("Success@1", 0.0),
        ("Success@5", 1.0),
        ("R@2", 1 / 2),
        ("R@100", 1.0),
    ],
)
def test_measures_equal_those_computed_by_hand(name, value):
    quality = evaluate(RUN, GRADED, [name], 100)
    assert quality.mean == pytest.approx({name: value}, abs=1e-6)
    assert quality.per_query[name] == pytest.approx({"q1": value}, abs=1e-6)


def test_all_measures_of_one_call_equal_those_of_single_calls():
    names = ["nDCG@10", "RR@10", "Success@5", "R@100", "R@2"]
    together = evaluate(RUN, GRADED, names, 100)
    assert list(together.mean) == names
    for name in names:
        assert together.mean[name] == mean(RUN, GRADED, name)


def test_a_judged_query_that_is_missing_from_the_run_counts_as_zero():
    quality = evaluate({"q1": [("d1", 1.0)]}, {"q1": {"d1": 1}, "q2": {"d1": 1}, "q3": {"d1": 1}}, ["RR@10", "nDCG@10"], 10)
    assert quality.mean == pytest.approx({"RR@10": 1 / 3, "nDCG@10": 1 / 3})
    assert quality.per_query["RR@10"] == {"q1": 1.0, "q2": 0.0, "q3": 0.0}
    assert (quality.counts["judged"], quality.counts["in_run"], quality.counts["scored"]) == (3, 1, 1)


def test_an_empty_run_scores_zero():
    quality = evaluate({}, {"q1": {"d1": 1}}, ["nDCG@10"], 10)
    assert quality.mean == {"nDCG@10": 0.0}
    assert quality.counts["scored"] == 0


def test_a_query_without_results_counts_as_zero():
    assert mean({"q1": [], "q2": [("d1", 1.0)]}, {"q1": {"d1": 1}, "q2": {"d1": 1}}, "RR@10") == 0.5


def test_a_query_without_relevant_passages_counts_as_zero():
    assert mean({"q1": [("d1", 1.0)], "q2": [("d1", 1.0)]}, {"q1": {"d1": 0}, "q2": {"d1": 1}}, "nDCG@10") == 0.5


def test_an_unjudged_query_changes_no_mean_and_is_counted():
    run = {**RUN, "q7": [("d1", 1.0)]}
    quality = evaluate(run, GRADED, ["RR@10"], 10)
    assert quality.mean["RR@10"] == 0.5
    assert list(quality.per_query["RR@10"]) == ["q1"]
    assert (quality.counts["unjudged"], quality.counts["in_run"], quality.counts["scored"]) == (1, 2, 1)


@pytest.mark.parametrize("name", ["RR@10", "nDCG@10"])
def test_equal_scores_are_ordered_by_passage_id_for_every_measure(name):
    run = {"q1": [("d3", 1.0), ("d2", 1.0), ("d1", 1.0)]}
    at = {"RR@10": [1, 1 / 2, 1 / 3], "nDCG@10": [1, 1 / math.log2(3), 1 / math.log2(4)]}[name]
    for passage, value in zip(("d1", "d2", "d3"), at, strict=True):
        assert mean(run, {"q1": {passage: 1}}, name) == pytest.approx(value, abs=1e-6)


def test_the_score_goes_before_the_passage_id_and_before_the_order_in_the_run():
    assert mean({"q1": [("d1", 1.0), ("d2", 1.0000001)]}, {"q1": {"d2": 1}}, "RR@10") == 1.0


def test_results_beyond_the_depth_do_not_count():
    assert mean(RUN, {"q1": {"d3": 1}}, "R@2", depth=2) == 0.0
    assert mean(RUN, {"q1": {"d3": 1}}, "R@3", depth=3) == 1.0


def test_a_thousand_results_keep_their_order():
    run = {"q1": [(f"d{number:04d}", 0.5) for number in range(1000)]}
    assert mean(run, {"q1": {"d0999": 1}}, "RR@1000", depth=1000) == pytest.approx(1 / 1000)
    assert mean(run, {"q1": {"d0500": 1}}, "nDCG@1000", depth=1000) == pytest.approx(1 / math.log2(502))


def test_results_short_and_tied_are_counted():
    run = {
        "q1": [("a", 3.0), ("b", 2.0), ("c", 2.0), ("d", 1.0), ("e", 1.0), ("f", 1.0)],
        "q2": [("a", 1.0), ("b", 0.5)],
    }
    counts = evaluate(run, {"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 1}}, ["RR@5"], 6).counts
    assert counts == {"judged": 3, "in_run": 2, "scored": 2, "short": 2, "unjudged": 0, "results": 8, "tied": 5}


def test_ties_are_counted_within_the_depth():
    run = {"q1": [("a", 3.0), ("b", 2.0), ("c", 2.0)]}
    assert evaluate(run, {"q1": {"a": 1}}, ["RR@2"], 2).counts["tied"] == 0
    assert evaluate(run, {"q1": {"a": 1}}, ["RR@2"], 3).counts["tied"] == 2


def test_a_negative_grade_gains_nothing_and_takes_nothing():
    run = {"q1": [("bad", 2.0), ("good", 1.0)]}
    for grade in (-1, 0):
        assert mean(run, {"q1": {"bad": grade, "good": 1}}, "nDCG@10") == pytest.approx(1 / math.log2(3), abs=1e-6)
        assert mean(run, {"q1": {"bad": grade, "good": 1}}, "RR@10") == 0.5


def test_binary_gains_are_1_for_every_grade_above_0():
    run, qrels = {"q1": [("a", 3.0), ("b", 2.0), ("c", 1.0)]}, {"q1": {"a": 1, "b": -1, "c": 2}}
    binary = evaluate(run, qrels, ["nDCG@10", "R@2"], 10, "binary").mean
    assert binary["nDCG@10"] == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3)), abs=1e-6)
    assert binary["R@2"] == 0.5
    graded = evaluate(run, qrels, ["nDCG@10"], 10, "graded").mean["nDCG@10"]
    assert graded == pytest.approx((1 + 2 / 2) / (2 + 1 / math.log2(3)), abs=1e-6)


def test_the_order_of_queries_and_judgements_changes_nothing():
    run = {f"q{number}": [("d1", 2.0), ("d2", 1.0)] for number in range(9)}
    qrels = {f"q{number}": {f"d{number % 3}": 1, "d5": 2} for number in range(9)}
    forward = evaluate(run, qrels, ["nDCG@10", "RR@10"], 10)
    backward = evaluate(dict(reversed(run.items())), dict(reversed(qrels.items())), ["nDCG@10", "RR@10"], 10)
    assert forward == backward
    assert list(forward.per_query["RR@10"]) == list(backward.per_query["RR@10"])


def test_a_measure_deeper_than_the_run_is_refused():
    with pytest.raises(SettingsError, match=r"'R@1000' .* looks deeper than the run of depth 100"):
        evaluate(RUN, GRADED, ["RR@10", "R@1000"], 100)


def test_a_measure_as_deep_as_the_run_is_accepted():
    assert mean(RUN, GRADED, "R@100", depth=100) == 1.0


@pytest.mark.parametrize("name", ["bogus@10", "bogus", "ndcg@10", "rr@10", "nDCG@", "nDCG@ten", "", "10", "nDCG10"])
def test_an_unknown_measure_is_refused_with_examples(name):
    with pytest.raises(SettingsError, match=r"of a\.yaml is unknown; use ir_measures texts such as nDCG@10") as refusal:
        measure(name, "a.yaml")
    assert repr(name) in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "canonical"), [("MRR@10", "RR@10"), ("nDCG(cutoff=10)", "nDCG@10"), ("RR@10 ", "RR@10"), ("Recall@5", "R@5")]
)
def test_another_spelling_is_refused_with_the_one_used_here(name, canonical):
    with pytest.raises(SettingsError) as refusal:
        measure(name, "a.yaml")
    assert str(refusal.value) == f"measure {name!r} of a.yaml is spelled {canonical!r} here"


@pytest.mark.parametrize("name", ["nDCG", "RR", "AP"])
def test_a_measure_without_a_cutoff_is_refused_with_one_that_has_it(name):
    with pytest.raises(SettingsError, match=f"{name!r} of .* has no cutoff; write for example {name}@50"):
        evaluate(RUN, GRADED, [name], 50)


def test_there_is_no_mean_over_no_judged_query():
    with pytest.raises(DataError, match="there is no judged query: a mean over none is no number"):
        evaluate({"q1": [("d1", 1.0)]}, {}, ["RR@10"], 10)
