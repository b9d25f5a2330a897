"""The search page: a question, and ranked passages with the tokens that won, of one index or of two side by side."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.evaluation.explanation import moves
from bench.notebook.collection import SearchIndex
from bench.notebook.matching import Match, as_html, pieces, shortened
from bench.notebook.results import Hit

SHOWN = 700  # characters of a passage
STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:1rem}
h1{font-size:1.25rem;margin:0 0 .75rem}h2{font-size:1rem;margin:0 0 .5rem}
form{display:flex;gap:.5rem;flex-wrap:wrap;margin-bottom:1rem}
input[type=search]{flex:1 1 14rem;min-width:0;font:inherit;padding:.5rem .75rem}
button,input[type=number]{font:inherit;padding:.5rem .75rem}input[type=number]{width:4.5rem}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:1.5rem}
article{border-top:1px solid var(--line);padding:.6rem 0;overflow-wrap:anywhere}
.head{display:flex;gap:.75rem;font-variant-numeric:tabular-nums;font-size:.875rem;flex-wrap:wrap}
.id{font-family:ui-monospace,monospace}.moved{font-weight:600}
p{margin:.25rem 0}mark{border-radius:.2em;padding:0 .1em}
details{font-size:.8125rem}td,th{text-align:left;padding:.1rem .75rem .1rem 0}
.error{border-left:4px solid #c33;padding:.25rem .75rem}
"""


@dataclass(frozen=True)
class Found:
    """A result with the matches of the question's tokens, and how it moved against the other index, None without one."""

    hit: Hit
    matches: Sequence[Match]
    other_rank: int | None
    compared: bool

    @property
    def moved(self) -> str:
        """How the passage moved against the other index, in words; empty without another index."""
        if not self.compared:
            return ""
        if self.other_rank is None:
            return "only here"
        up = self.other_rank - self.hit.rank
        return "=" if up == 0 else f"{'▲' if up > 0 else '▼'} {abs(up)}"

    def as_json(self) -> dict[str, Any]:
        tokens = [vars(match) for match in self.matches if match.of_text]
        found = {**vars(self.hit), "tokens": tokens}
        return {**found, "other_rank": self.other_rank} if self.compared else found


def searched(indexes: Sequence[SearchIndex], question: str, k: int, **engine: Any) -> list[list[Found]]:
    """Return the k best passages of each index for a question."""
    results = [index.search(question, k=k, **engine) for index in indexes]
    rankings = [[(hit.id, hit.score) for hit in found[0]] for found in results]
    sides = []
    for number, found in enumerate(results):
        compared = len(results) == 2
        other = rankings[1 - number] if compared else []
        ranks = {move.passage: move.other_rank for move in moves(rankings[number], other, k)}
        sides.append([Found(hit, found.matches("0", hit), ranks[hit.id], compared) for hit in found[0]])
    return sides


def named(index: SearchIndex) -> str:
    """Codec, passages and bytes a vector of an index."""
    counts, codec = index.index.manifest.counts, index.index.manifest.settings["codec"]
    size = sum(file["bytes"] for file in index.index.manifest.files.values())
    return f"{codec} · {counts['passages']:,} passages · {size / counts['vectors']:.1f} bytes a vector"


def page(names: Sequence[str], question: str = "", k: int = 10, sides: Sequence[Sequence[Found]] = (), why: str = "") -> str:
    """Return the page, which needs no other file: an empty one, one with results, or one with the reason of a refusal."""
    asked = html.escape(question, quote=True)
    shown = f'<p class="error" role="alert">{html.escape(why)}</p>' if why else ""
    columns = "".join(_side(name, found) for name, found in zip(names, sides, strict=True)) if sides else ""
    about = "" if sides or why else f"<p>{'<br>'.join(map(html.escape, names))}</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1"><title>'
        f"{asked + ' – ' if asked else ''}Search</title><style>{STYLE}</style></head><body><h1>Late interaction search</h1>"
        f'<form action="/" method="get" role="search"><input type="search" name="q" value="{asked}" aria-label="Question" '
        f'placeholder="Ask a question" required autofocus><input type="number" name="k" value="{k}" min="1" max="100" '
        f'aria-label="Results"><button>Search</button></form>{shown}{about}'
        f'<main class="sides">{columns}</main></body></html>'
    )


def _side(name: str, found: Sequence[Found]) -> str:
    articles = "".join(_article(each) for each in found) or "<p>No passage was found.</p>"
    return f"<section><h2>{html.escape(name)}</h2>{articles}</section>"


def _article(found: Found) -> str:
    text = as_html(shortened(pieces(found.hit.text, found.matches), SHOWN))
    rows = "".join(
        f"<tr><td>{html.escape(match.token)}</td><td>{html.escape(match.match)}</td><td>{match.value:.3f}</td></tr>"
        for match in found.matches
        if match.of_text
    )
    others = [match.value for match in found.matches if not match.of_text]
    rest = f"<tr><td>{len(others)} markers and fillers</td><td></td><td>{sum(others):.3f}</td></tr>" if others else ""
    return (
        f'<article><div class="head"><b>{found.hit.rank}</b><span>{found.hit.score:.3f}</span>'
        f'<span class="moved">{found.moved}</span><span class="id">{html.escape(found.hit.id)}</span></div><p>{text}</p>'
        f"<details><summary>Tokens</summary><table><tr><th>question</th><th>passage</th><th>part of the score</th></tr>"
        f"{rows}{rest}</table></details></article>"
    )
