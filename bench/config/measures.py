"""Measures by their ir_measures texts, and the check that they can be computed here."""

from collections.abc import Sequence

import ir_measures

from bench.errors import SettingsError

UNSAFE = ("accuracy",)  # providers that fail on runs of ours: this one divides by the passages that are not relevant
EXAMPLES = "nDCG@10, RR@10, R@100, Success@5"


def measure(name: str, source: str) -> ir_measures.Measure:
    """The measure of this text; raises SettingsError for one that is unknown, spelled otherwise, or not to be computed."""
    try:
        parsed = ir_measures.parse_measure(name)
    except (ValueError, NameError, KeyError, SyntaxError, TypeError) as error:
        raise SettingsError(f"measure {name!r} of {source} is unknown; use ir_measures texts such as {EXAMPLES}") from error
    if str(parsed) != name:
        raise SettingsError(f"measure {name!r} of {source} is spelled {str(parsed)!r} here")
    for parameter in ("cutoff", "rel"):
        value = parsed.params.get(parameter, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SettingsError(f"measure {name!r} of {source}: its {parameter} must be a whole number of at least 1")
    if not any(_computes(provider, parsed) for provider in ir_measures.DefaultPipeline.providers):
        raise SettingsError(f"measure {name!r} of {source} cannot be computed here; use for example {EXAMPLES}")
    return parsed


def _computes(provider: ir_measures.providers.Provider, measure: ir_measures.Measure) -> bool:
    try:
        return provider.NAME not in UNSAFE and bool(provider.is_available() and provider.supports(measure))
    except AssertionError:  # how a provider refuses a parameter
        return False


def check_depth(names: Sequence[str], depth: int, source: str) -> None:
    """Refuse a measure that looks deeper than ``depth``, and one without a cutoff, which looks at everything."""
    for name in names:
        cutoff = measure(name, source).params.get("cutoff")
        if cutoff is None:
            raise SettingsError(f"measure {name!r} of {source} has no cutoff; write for example {name}@{depth}")
        if cutoff > depth:
            raise SettingsError(f"measure {name!r} of {source} looks deeper than the run of depth {depth}")
