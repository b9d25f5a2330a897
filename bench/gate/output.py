"""Findings as text, as Markdown for a pull request, and as JUnit XML for a test report."""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence

from bench.gate.check import PASSED, Finding, Verdict, exit_code

ANSWERS = {0: "passed", 1: "failed", 2: "cannot be compared"}
COLUMNS = ("row", "fact", "accepted", "found", "verdict", "reason")


def summary(findings: Sequence[Finding]) -> str:
    """Return the answer in one line, with the number of facts by verdict."""
    counts = Counter(finding.verdict for finding in findings)
    listed = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"{ANSWERS[exit_code(list(findings))]}: {len(findings)} facts, {listed or 'none'}"


def text(findings: Sequence[Finding]) -> str:
    """Return the summary and a line for each fact that did not pass."""
    lines = [
        f"{item.row}: {item.what} {item.verdict}: {item.accepted or '-'} -> {item.found or '-'}; {item.reason}"
        for item in _failed(findings)
    ]
    return "\n".join([*lines, summary(findings)])


def markdown(findings: Sequence[Finding]) -> str:
    """Return the summary as a heading, and a table of what did not pass, else of what differs within the tolerances."""
    shown = _failed(findings) or [finding for finding in findings if finding.verdict != Verdict.SAME]
    lines = [f"### Gate {summary(findings)}", ""]
    if shown:
        rows = [(item.row, item.what, item.accepted, item.found, item.verdict, item.reason) for item in shown]
        lines += [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *map(_line, rows)]
    return "\n".join(lines).rstrip() + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def junit(findings: Sequence[Finding]) -> str:
    """Return a test suite with a case per fact: a failure for what did not pass, an error for what cannot be compared."""
    errors = [finding for finding in findings if finding.verdict == Verdict.INCOMPARABLE]
    failures = len(_failed(findings)) - len(errors)
    counts = {"tests": str(len(findings)), "failures": str(failures), "errors": str(len(errors))}
    suite = ET.Element("testsuite", {"name": "bench check", **counts})
    for finding in findings:
        case = ET.SubElement(suite, "testcase", classname=finding.row, name=finding.what)
        if finding.verdict not in PASSED:
            kind = "error" if finding.verdict == Verdict.INCOMPARABLE else "failure"
            what = ET.SubElement(case, kind, message=f"{finding.verdict}: {finding.reason}")
            what.text = f"accepted: {finding.accepted}\nfound: {finding.found}"
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _failed(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict not in PASSED]
