"""Facts against accepted ones, made by hand: verdicts, reasons and exit codes."""

import copy
import xml.etree.ElementTree as ET

import pytest

from bench.gate import output
from bench.gate.check import PASSED, Verdict, check, exit_code
from bench.gate.facts import Facts
from bench.gate.tolerances import Tolerances

ROW = "toy m residual-2 plaid"
EXACT = "toy m residual-2 exact"
QUALITY = {
    "data": {"corpus": "c", "queries": "q"},
    "settings": {"search": {"engine": "plaid", "ncells": 2}, "measures": ["RR@10"]},
    "counts": {"judged": 100},
    "work": {"candidates": 1000, "scored": 100},
    "digests": {"index": "i", "run": "r"},
    "mean": {"RR@10": 0.5},
    "per_query": {"RR@10": {f"q{number}": 0.5 for number in range(100)}},
}
SIZE = {"settings": {}, "counts": {"vectors": 10}, "bytes": {"codes": 1000, "other": 0}, "digests": {"index": "i"}}
LATENCY = {"settings": {"threads": 1}, "p50": 2.0, "queries": 100}


def facts(host="x86_64 a", machine="A, 2 CPUs"):
    latency = {f"{ROW} on 1 threads": dict(LATENCY), f"{EXACT} on 1 threads": {**LATENCY, "p50": 8.0}}
    rows = {"quality": {ROW: QUALITY}, "size": {"toy m residual-2": SIZE}, "latency": latency}
    return Facts(copy.deepcopy(rows), {"host": {"class": host, "machine": machine}}, "results")


def scored(changes, **host):
    """Facts whose first queries have other values."""
    found = facts(**host)
    values = found.rows["quality"][ROW]["per_query"]["RR@10"]
    values |= {f"q{number}": 0.5 + change for number, change in enumerate(changes)}
    found.rows["quality"][ROW]["mean"]["RR@10"] = sum(values.values()) / 100
    return found


def failed(found, tolerances=None, accepted=None):
    findings = check(found, accepted or facts(), tolerances or Tolerances())
    return [item for item in findings if item.verdict not in PASSED]


def verdict(found, **tolerances):
    items = failed(found, Tolerances(**tolerances))
    return items[0].verdict if items else None


def test_equal_facts_pass_with_a_finding_for_each_of_them():
    findings = check(facts(), facts(), Tolerances())
    assert [finding.what for finding in findings[:4]] == ["RR@10", "counts", "work", "digests"]
    assert [finding.what for finding in findings[4:]] == ["counts", "bytes", "digests", "latency", "latency"]
    assert exit_code(findings) == 0


def test_a_loss_whose_interval_reaches_below_the_margin_is_a_regression():
    (item,) = failed(scored([-0.5] * 10))
    assert (item.row, item.what, item.verdict) == (ROW, "RR@10", Verdict.WORSE)
    assert (item.accepted, item.found) == ("0.5000", "0.4500")
    assert "-0.0500, 90 % interval [-0.0" in item.reason
    assert "10 of 100 queries differ" in item.reason
    assert "most in query 'q0', 0.5000 to 0.0000" in item.reason


def test_one_lucky_query_does_not_hide_a_loss():
    """99 queries could each lose 0.02 and one win 2: the mean is 0.0002 above, and nothing is shown of it."""
    assert verdict(scored([2.0] + [-0.02] * 99), exact=False) == Verdict.WORSE


def test_noise_of_another_host_does_not_fail():
    noise = [0.1, -0.1, 0.05, -0.05] * 3
    assert verdict(scored(noise, host="x86_64 b")) is None
    assert verdict(scored(noise)) == Verdict.CHANGED


def test_an_improvement_beyond_the_margin_is_to_be_accepted_and_not_taken_silently():
    assert verdict(scored([0.5] * 10, host="x86_64 b")) == Verdict.BETTER
    assert verdict(scored([0.01] * 10, host="x86_64 b")) is None


def test_a_measure_may_have_a_margin_of_its_own():
    loss = scored([-0.01] * 10, host="x86_64 b")
    assert verdict(loss) is None
    assert verdict(loss, margins={"RR@10": 0.0005}) == Verdict.WORSE


@pytest.mark.parametrize(("share", "host", "expected"), [(1.04, "b", None), (1.06, "b", "changed"), (1.01, "a", "changed")])
def test_work_may_differ_on_other_hosts_within_a_share(share, host, expected):
    found = facts(host=f"x86_64 {host}")
    found.rows["quality"][ROW]["work"]["candidates"] = round(1000 * share)
    assert verdict(found) == expected


def test_bytes_may_differ_on_other_hosts_within_a_share_and_none_becomes_some_never():
    found = facts(host="x86_64 b")
    found.rows["size"]["toy m residual-2"]["bytes"]["codes"] = 1009
    assert verdict(found) is None
    found.rows["size"]["toy m residual-2"]["bytes"]["other"] = 1
    assert verdict(found) == Verdict.CHANGED


def test_numbers_of_vectors_are_equal_on_every_host():
    found = facts(host="x86_64 b")
    found.rows["size"]["toy m residual-2"]["counts"]["vectors"] = 11
    (item,) = failed(found)
    assert (item.what, item.accepted, item.found) == ("counts", "vectors 10", "vectors 11")


def test_other_bytes_of_the_same_quality_are_a_change_on_the_same_class_of_host_alone():
    for host, expected in (("x86_64 a", Verdict.CHANGED), ("x86_64 b", None)):
        found = facts(host=host)
        found.rows["quality"][ROW]["digests"]["run"] = "other"
        assert verdict(found) == expected


def test_timings_are_compared_as_ratios_to_exhaustive_search_of_the_same_run():
    found = facts()
    for row in found.rows["latency"].values():
        row["p50"] *= 3
    assert failed(found) == []
    found.rows["latency"][f"{ROW} on 1 threads"]["p50"] *= 1.6
    (item,) = failed(found)
    assert (item.verdict, item.accepted, item.found) == (Verdict.WORSE, "0.250 of exact", "0.400 of exact")
    assert failed(Facts(found.rows, {"host": {"class": "x86_64 a", "machine": "B, 2 CPUs"}}, "results")) == []


def test_a_row_that_one_side_lacks_other_data_and_other_settings_cannot_be_compared():
    less = facts()
    del less.rows["quality"][ROW]
    (item,) = failed(less)
    assert (item.row, item.verdict, item.found) == (ROW, Verdict.INCOMPARABLE, "no row")
    (item,) = failed(facts(), accepted=less)
    assert (item.row, item.verdict, item.found) == (ROW, Verdict.INCOMPARABLE, "a row")
    other = facts()
    other.rows["quality"][ROW]["data"]["queries"] = "p"
    other.rows["quality"][ROW]["settings"]["search"]["ncells"] = 4
    items = failed(other)
    assert [item.reason for item in items] == ["made with other data", "made with other settings"]
    assert (items[1].accepted, items[1].found) == ("search ncells 2", "search ncells 4")
    assert exit_code(items) == 2


def test_a_timing_that_is_missing_cannot_be_compared():
    less = facts()
    del less.rows["latency"][f"{ROW} on 1 threads"]
    assert exit_code(check(less, facts(), Tolerances())) == 2


def test_a_judged_query_more_or_less_cannot_be_compared():
    found = facts()
    del found.rows["quality"][ROW]["per_query"]["RR@10"]["q7"]
    (item,) = failed(found)
    assert (item.verdict, item.accepted, item.found) == (Verdict.INCOMPARABLE, "100 queries", "99 queries")
    assert "'q7'" in item.reason


def test_nothing_at_all_does_not_pass():
    assert exit_code([]) == 2


def test_text_markdown_and_junit_name_what_failed():
    findings = check(scored([-0.5] * 10), facts(), Tolerances())
    assert output.text(findings).splitlines()[0].startswith(f"{ROW}: RR@10 regression: 0.5000 -> 0.4500; -0.0500")
    assert output.text(findings).splitlines()[-1] == "failed: 9 facts, 6 same, 2 within the tolerance, 1 regression"
    shown = output.markdown(findings)
    assert shown.startswith("### Gate failed: 9 facts")
    assert f"| {ROW} | RR@10 | 0.5000 | 0.4500 | regression |" in shown
    suite = ET.fromstring(output.junit(findings))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("9", "1", "0")
    (case,) = [case for case in suite if len(case)]
    assert (case.get("classname"), case.get("name"), case[0].tag) == (ROW, "RR@10", "failure")


def test_a_pipe_in_a_name_does_not_break_the_markdown_table():
    found = facts()
    found.rows["quality"]["a|b m fp16 exact"] = QUALITY
    assert "| a\\|b m fp16 exact |" in output.markdown(check(found, facts(), Tolerances()))
