"""Which token of a passage each token of a question matches, and where it stands in the text."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.encoder.inputs import Inputs
from bench.errors import DataError
from bench.evaluation.explanation import contributions

Span = tuple[int, int]


@dataclass(frozen=True)
class Match:
    """A token of a question and the token of a passage with the largest inner product, ``value``: its part of the score.

    of_text: whether the token is of the question itself, not a marker or a filler; span: where the other stands in the text
    of the passage, None for a marker.
    """

    token: str
    match: str
    value: float
    of_text: bool
    span: Span | None


def matches(
    inputs: Inputs,
    question: str,
    query: np.ndarray,
    text: str,
    passage: np.ndarray,
    query_maxlen: int,
    doc_maxlen: int,
    unmerged: np.ndarray | None = None,
) -> list[Match]:
    """Return the match of each vector of a question.

    query ``[query vectors, dim]`` without padding, passage ``[vectors, dim]``; unmerged ``[tokens, dim]``: the vectors of
    its tokens, if those of the passage are merged: the token whose vector is nearest stands for a merged one. Raise
    DataError where the texts have other numbers of vectors: they were encoded by another model or at another length.
    """
    ids, attention = inputs.queries([question], query_maxlen)
    kept = inputs.asked(ids, attention)[0]
    asked, places = ids[0][kept], inputs.spans(question, query_maxlen, query=True)
    of_text = np.array([*(place is not None for place in places), *[False] * len(ids[0])])[: len(ids[0])][kept]
    rows = inputs.passages([text], doc_maxlen).ids
    spans = [span for span, here in zip(inputs.spans(text, doc_maxlen), inputs.kept(rows), strict=True) if here]
    named = inputs.names(rows[inputs.kept(rows)])
    tokens = passage if unmerged is None else unmerged
    if len(asked) != len(query) or len(named) != len(tokens):
        raise DataError(
            f"the passage has {len(named)} tokens and {len(tokens)} vectors, the question {len(asked)} and {len(query)}: "
            "they were encoded by another model or at another length"
        )
    best, values = contributions(query, passage)
    if unmerged is not None:
        best = (passage[best] @ unmerged.T).argmax(axis=1)
    return [
        Match(token, named[place], float(value), bool(own), spans[place])
        for token, place, value, own in zip(inputs.names(asked), best, values, of_text, strict=True)
    ]


def pieces(text: str, found: Sequence[Match]) -> list[tuple[str, tuple[Match, ...]]]:
    """Return a text in pieces, each with the matches of the question's own tokens that it won; most have none."""
    won: dict[Span, list[Match]] = {}
    for match in found:
        if match.of_text and match.span is not None:
            won.setdefault(match.span, []).append(match)
    parts: list[tuple[str, tuple[Match, ...]]] = []
    place = 0
    for first, last in sorted(won):
        if first < place:
            continue
        parts += [(text[place:first], ()), (text[first:last], tuple(won[first, last]))]
        place = last
    return [(part, matched) for part, matched in [*parts, (text[place:], ())] if part]


def shortened(parts: Sequence[tuple[str, tuple[Match, ...]]], most: int) -> list[tuple[str, tuple[Match, ...]]]:
    """Return the pieces within about ``most`` characters around the matches: plain stretches are cut in their middle."""
    total = sum(len(part) for part, _ in parts)
    plain = [len(part) for part, matched in parts if not matched]
    if total <= most or not plain:
        return list(parts)
    room = max(24, (most - (total - sum(plain))) // len(plain))
    found = []
    for number, (part, matched) in enumerate(parts):
        if not matched and len(part) > room:
            if number == 0 and len(parts) > 1:
                part = f"… {_whole_words(part[-room:], end=True)}"
            elif number == len(parts) - 1:
                part = f"{_whole_words(part[:room])} …"
            else:
                part = f"{_whole_words(part[: room // 2])} … {_whole_words(part[-(room // 2) :], end=True)}"
        found.append((part, matched))
    return found


def _whole_words(part: str, *, end: bool = False) -> str:
    """Return what is left of a cut piece without the word that was cut, at its end or, if it is an end, at its start."""
    return (part.partition(" ")[2] if end else part.rpartition(" ")[0]) or part


def as_html(parts: Sequence[tuple[str, tuple[Match, ...]]]) -> str:
    """Return pieces as HTML: what tokens won is marked, the stronger the larger their parts of the score."""
    return "".join(_piece(part, matched) for part, matched in parts)


def _piece(part: str, matched: Sequence[Match]) -> str:
    if not matched:
        return html.escape(part)
    share = min(max(max(match.value for match in matched), 0.15), 1.0)
    won = html.escape(", ".join(f"{match.token} {match.value:.2f}" for match in matched))
    return f'<mark title="{won}" style="background:rgba(255,170,0,{share:.2f});color:inherit">{html.escape(part)}</mark>'


def as_text(parts: Sequence[tuple[str, tuple[Match, ...]]], before: str, after: str) -> str:
    """Return pieces as one line of text, with ``before`` and ``after`` around what tokens won."""
    marked = (f"{before}{part}{after}" if matched else part for part, matched in parts)
    return " ".join("".join(marked).split())
