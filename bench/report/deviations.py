"""Numbers that differ from the protocol carry a mark, and the caption says in what they differ."""

from collections.abc import Mapping

import pandas as pd

MARK = "†"


def described(deviations: Mapping[str, str]) -> str:
    """Marks of a record in one line, as plain tables hold them; empty for a record that follows the protocol."""
    return "; ".join(f"{key} {mark}" for key, mark in sorted(deviations.items()))


def cells(names: "pd.Series[str]", deviations: "pd.Series[str]") -> list[str]:
    """Names, with the mark behind those that have one."""
    return [f"{name} {MARK}" if mark else name for name, mark in zip(names, deviations, strict=True)]


def note(names: "pd.Series[str]", deviations: "pd.Series[str]") -> str:
    """What a caption says of the deviations, with a space before it; empty where there are none."""
    found = dict.fromkeys((name, mark) for name, mark in zip(names, deviations, strict=True) if mark)
    if not found:
        return ""
    return f" {MARK} differs from the protocol: " + ", ".join(f"{name} ({mark})" for name, mark in found) + "."
