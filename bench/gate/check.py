"""Facts against accepted ones: what is the same, what changed, by how much, and whether that is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from bench.evaluation.equivalence import equivalence
from bench.gate.facts import Facts
from bench.gate.tolerances import Tolerances

REFERENCE = "exact"  # the preset whose time of the same run others are divided by


class Verdict(StrEnum):
    """What is said of one fact of one row; all but the first two fail."""

    SAME = "same"
    ALLOWED = "within the tolerance"
    WORSE = "regression"
    BETTER = "improvement, to be accepted"
    CHANGED = "changed"
    INCOMPARABLE = "cannot be compared"


PASSED = (Verdict.SAME, Verdict.ALLOWED)


@dataclass(frozen=True)
class Finding:
    """row: its name; what: the fact; accepted, found: in words; reason: why the verdict is what it is."""

    row: str
    what: str
    verdict: Verdict
    accepted: str
    found: str
    reason: str = ""


def check(found: Facts, accepted: Facts, tolerances: Tolerances) -> list[Finding]:
    """Return a finding for every fact of every row, rows that only one side has included."""
    exact = tolerances.exact and found.host_class == accepted.host_class
    findings: list[Finding] = []
    for kind, rule in (("quality", _quality), ("size", _size)):
        for name, row, before in _pairs(kind, found, accepted, findings):
            findings += rule(name, row, before, tolerances, exact)
    findings += _latencies(found, accepted, tolerances)
    return findings


def exit_code(findings: list[Finding]) -> int:
    """Return 0 where all passed, 2 where something cannot be compared or nothing was, 1 for anything else."""
    if not findings or any(finding.verdict == Verdict.INCOMPARABLE for finding in findings):
        return 2
    return int(any(finding.verdict not in PASSED for finding in findings))


def _pairs(
    kind: str, found: Facts, accepted: Facts, findings: list[Finding]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the rows of both sides that are of the same data under the same settings; note all others among the findings."""
    rows, before = found.rows[kind], accepted.rows[kind]
    for name in sorted({*rows, *before}):
        if name not in rows:
            reason = f"{accepted.source} has this row and {found.source} has not: it was not run, or has another name now"
            findings.append(Finding(name, kind, Verdict.INCOMPARABLE, "a row", "no row", reason))
        elif name not in before:
            reason = f"{accepted.source} has no such row: accept it, or take it out"
            findings.append(Finding(name, kind, Verdict.INCOMPARABLE, "no row", "a row", reason))
        elif other := [part for part in ("data", "settings") if rows[name].get(part) != before[name].get(part)]:
            for part in other:
                old, new = _difference(before[name][part], rows[name][part])
                findings.append(Finding(name, kind, Verdict.INCOMPARABLE, old, new, f"made with other {part}"))
        else:
            yield name, rows[name], before[name]


def _quality(
    name: str, row: Mapping[str, Any], before: Mapping[str, Any], tolerances: Tolerances, exact: bool
) -> Iterator[Finding]:
    for measure, accepted in before["per_query"].items():
        values = row["per_query"].get(measure, {})
        if set(values) != set(accepted):
            reason = f"other queries are judged, such as {min(set(values) ^ set(accepted))!r}"
            yield Finding(name, measure, Verdict.INCOMPARABLE, f"{len(accepted)} queries", f"{len(values)} queries", reason)
            continue
        differences = np.array([values[query] - accepted[query] for query in sorted(accepted)])
        verdict, reason = _judged(differences, tolerances.margin_of(measure), exact)
        if verdict not in PASSED:
            worst = max(sorted(accepted), key=lambda query: abs(values[query] - accepted[query]))
            reason += f"; most in query {worst!r}, {accepted[worst]:.4f} to {values[worst]:.4f}"
        yield Finding(name, measure, verdict, f"{before['mean'][measure]:.4f}", f"{row['mean'][measure]:.4f}", reason)
    yield _counts(name, "counts", row["counts"], before["counts"], 0.0 if exact else None)
    yield _counts(name, "work", row["work"], before["work"], 0.0 if exact else tolerances.work)
    if exact:
        yield _digests(name, row, before)


def _judged(differences: np.ndarray, margin: float, exact: bool) -> tuple[Verdict, str]:
    """Return the verdict on differences ``[queries]`` in a measure: not inferior by more than the margin, and no better."""
    changed = np.count_nonzero(differences)
    if not changed:
        return Verdict.SAME, ""
    mean, low, high = float(differences[0]), -np.inf, np.inf
    if len(differences) > 1:
        tested = equivalence(differences, margin)
        mean, low, high = float(differences.mean()), tested.low, tested.high
    said = f"{mean:+.4f}, 90 % interval [{low:+.4f}, {high:+.4f}], {changed} of {len(differences)} queries differ"
    if low <= -margin:
        return Verdict.WORSE, f"{said}; the interval reaches below the margin of {margin:g}"
    if mean > margin:
        return Verdict.BETTER, f"{said}; more than the margin of {margin:g}"
    if exact:
        return Verdict.CHANGED, f"{said}; inside the margin of {margin:g}, but this class of host must give the same values"
    return Verdict.ALLOWED, said


def _size(
    name: str, row: Mapping[str, Any], before: Mapping[str, Any], tolerances: Tolerances, exact: bool
) -> Iterator[Finding]:
    yield _counts(name, "counts", row["counts"], before["counts"], 0.0)
    yield _counts(name, "bytes", row["bytes"], before["bytes"], 0.0 if exact else tolerances.bytes)
    if exact:
        yield _digests(name, row, before)


def _counts(name: str, what: str, row: Mapping[str, float], before: Mapping[str, float], share: float | None) -> Finding:
    """Compare counts by name, each within a share of the accepted one; None looks only at which counts there are."""
    old, new = _difference(before, row)
    if row == before:
        return Finding(name, what, Verdict.SAME, old, new)
    if set(row) != set(before):
        return Finding(name, what, Verdict.INCOMPARABLE, old, new, f"other {what} were recorded")
    if share is None:
        return Finding(name, what, Verdict.ALLOWED, old, new, "another class of host")
    far = {key: row[key] / before[key] - 1 if before[key] else np.inf for key in before if row[key] != before[key]}
    most = max(far, key=lambda key: abs(far[key]))
    said = f"{most} by {far[most]:+.2%}"
    if abs(far[most]) > share:
        allowed = f"{share:.2%} is allowed" if share else "on this class of host they must be equal"
        return Finding(name, what, Verdict.CHANGED, old, new, f"{said}; {allowed}")
    return Finding(name, what, Verdict.ALLOWED, old, new, said)


def _digests(name: str, row: Mapping[str, Any], before: Mapping[str, Any]) -> Finding:
    if row["digests"] == before["digests"]:
        return Finding(name, "digests", Verdict.SAME, "", "")
    changed = [key for key in before["digests"] if row["digests"].get(key) != before["digests"][key]]
    old, new = ((str(side["digests"].get(changed[0], "none"))[:12]) for side in (before, row))
    return Finding(name, "digests", Verdict.CHANGED, old, new, f"other bytes of: {', '.join(changed)}")


def _latencies(found: Facts, accepted: Facts, tolerances: Tolerances) -> Iterator[Finding]:
    """Compare timings as ratios to the reference of the same run, on the machine that the accepted ones are from only."""
    findings: list[Finding] = []
    machines = [side.made["host"]["machine"] for side in (accepted, found)]
    for name, row, before in _pairs("latency", found, accepted, findings):
        ratios = [_ratio(name, side.rows["latency"]) for side in (accepted, found)]
        if machines[0] != machines[1]:
            yield Finding(
                name, "latency", Verdict.ALLOWED, "", "", f"timed on another machine than {machines[0]}: not judged"
            )
        elif None in ratios:
            yield Finding(
                name, "latency", Verdict.ALLOWED, "", "", f"no {REFERENCE} over the same index was timed: not judged"
            )
        else:
            old, new = (float(ratio or 0) for ratio in ratios)
            worse = new > old * (1 + tolerances.latency)
            reason = f"p50 {before['p50']:.3f} to {row['p50']:.3f} ms; {tolerances.latency:.0%} more is allowed"
            verdict = Verdict.WORSE if worse else Verdict.ALLOWED
            yield Finding(name, "latency", verdict, f"{old:.3f} of {REFERENCE}", f"{new:.3f} of {REFERENCE}", reason)
    yield from findings


def _ratio(name: str, rows: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return p50 over p50 of exhaustive search over the same codec on as many threads; None where that was not timed."""
    dataset, model, codec, _, *rest = name.split(" ")
    reference = rows.get(" ".join((dataset, model, codec, REFERENCE, *rest)))
    return None if reference is None else rows[name]["p50"] / reference["p50"]


def _difference(before: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the parts of two mappings that differ, as text."""
    keys = [key for key in sorted({*before, *row}) if before.get(key) != row.get(key)]
    parts = [
        _difference(before[key], row[key]) if _nested(before, row, key) else (before.get(key), row.get(key)) for key in keys
    ]
    old, new = (", ".join(f"{key} {str(part[side])[:60]}" for key, part in zip(keys, parts, strict=True)) for side in (0, 1))
    return old, new


def _nested(before: Mapping[str, Any], row: Mapping[str, Any], key: str) -> bool:
    return isinstance(before.get(key), Mapping) and isinstance(row.get(key), Mapping)
