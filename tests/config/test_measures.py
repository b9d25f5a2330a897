"""Every measure of ir_measures is computed or refused in one line, never by a traceback or the end of the process."""

import ir_measures
import pytest
from ir_measures.measures import registry

from bench.config.measures import check_depth, measure
from bench.errors import SettingsError
from bench.evaluation.quality import evaluate

NAMES = sorted({*registry, "nDCG(dcg='exp-log2')", "P(rel=2)", "P(rel=0)", "P(rel=-1)", "RBP(p=0.8)", "IPrec"})
CUTOFFS = ("", "@10", "@0", "@-1", "@1.5", "@0.1")
RUNS = {
    "all": {"1": [("a", 3.0), ("b", 2.0)], "2": [("x", 1.0)]},
    "relevant": {"1": [("a", 3.0)]},
    "none": {},
}
QRELS = {"1": {"a": 1, "b": -2}, "2": {"x": 0}}


def refused(text):
    try:
        check_depth([text], 10, "x.yaml")
    except SettingsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("cutoff", CUTOFFS)
@pytest.mark.parametrize("name", NAMES)
def test_a_measure_is_computed_or_refused(name, cutoff):
    text = name + cutoff
    if refusal := refused(text):
        assert refusal.startswith(f"measure {text!r} of x.yaml")
        assert "\n" not in refusal
        return
    for run in RUNS.values():
        found = evaluate(run, QRELS, [text], 10)
        assert 0 <= found.mean[text] <= 1 or name in ("NumRet", "NumRelRet")


@pytest.mark.parametrize("text", ["nDCG@10", "RR@10", "R@10", "Success@5", "AP@10", "P@10", "Judged@10"])
def test_the_usual_measures_are_computed(text):
    assert str(measure(text, "x.yaml")) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha_nDCG@10", "cannot be computed here"),
        ("infAP@10", "cannot be computed here"),
        ("Rprec@10", "cannot be computed here"),
        ("nDCG@0", "its cutoff must be a whole number of at least 1"),
        ("nDCG@1.5", "its cutoff must be a whole number of at least 1"),
        ("P(rel=0)@10", "its rel must be a whole number of at least 1"),
        ("MRR@10", "is spelled 'RR@10' here"),
        ("Foo@10", "is unknown"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_the_reason(text, message):
    with pytest.raises(SettingsError, match=message):
        measure(text, "x.yaml")


def test_the_measures_of_the_test_are_all_that_there_are():
    assert len(NAMES) > 30
    assert isinstance(ir_measures.parse_measure("nDCG@10"), ir_measures.measures.Measure)
