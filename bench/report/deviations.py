"""Deviations from the protocol: a mark on each number, and a note in the caption."""

from collections.abc import Mapping

import pandas as pd

MARK = "†"


def described(deviations: Mapping[str, str]) -> str:
    """Return the deviations of a record in one line, for plain tables; empty if the record follows the protocol."""
    return "; ".join(f"{key} {mark}" for key, mark in sorted(deviations.items()))


def cells(names: "pd.Series[str]", deviations: "pd.Series[str]") -> list[str]:
    """Return the names, with the mark behind each name that has a deviation."""
    return [f"{name} {MARK}" if mark else name for name, mark in zip(names, deviations, strict=True)]


def note(names: "pd.Series[str]", deviations: "pd.Series[str]") -> str:
    """Return the sentence of a caption about deviations, with a leading space; empty without deviations."""
    found = dict.fromkeys((name, mark) for name, mark in zip(names, deviations, strict=True) if mark)
    if not found:
        return ""
    return f" {MARK} differs from the protocol: " + ", ".join(f"{name} ({mark})" for name, mark in found) + "."
