"""Rankings with their texts, and how a notebook shows them."""

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.notebook.matching import Match, as_html, pieces, shortened

SHOWN = 100  # characters of a text in a table of plain text
SHOWN_HTML = 300  # and in HTML, where what tokens won is marked
HITS_HTML = 100  # a longer table ends with how many more there are
COLUMNS = ("query", "rank", "score", "id", "text")


@dataclass(frozen=True)
class Hit:
    """A passage of a ranking; rank from 1, score: MaxSim (arXiv 2112.01488, equation 1)."""

    rank: int
    id: str
    score: float
    text: str


@dataclass(frozen=True, repr=False)
class Results(Sequence[list[Hit]]):
    """Rankings by query id, in the order asked; indexed by position."""

    rankings: Mapping[str, list[Hit]]
    queries: Mapping[str, str]
    explain: Callable[[str, Hit], list[Match]]

    @property
    def run(self) -> dict[str, dict[str, float]]:
        """``{query id: {passage id: score}}``, as ``bench.evaluate`` takes it."""
        return {query: {hit.id: hit.score for hit in hits} for query, hits in self.rankings.items()}

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each result: ``query_id``, ``query``, ``rank``, ``score``, ``id`` and ``text``."""
        rows = [
            {"query_id": query, "query": self.queries[query], **vars(hit)}
            for query, hits in self.rankings.items()
            for hit in hits
        ]
        return pd.DataFrame(rows, columns=["query_id", *COLUMNS])

    def matches(self, query: str, hit: Hit) -> list[Match]:
        """Which token of a passage each token of the query with this id matches."""
        return self.explain(self.queries[query], hit)

    def __len__(self) -> int:
        return len(self.rankings)

    def __getitem__(self, position: Any) -> Any:
        return list(self.rankings.values())[position]

    def _hits(self) -> Iterator[tuple[str, Hit]]:
        for query, hits in self.rankings.items():
            for hit in hits:
                yield query, hit

    def __repr__(self) -> str:
        lines = []
        for query, hit in self._hits():
            short = hit.text if len(hit.text) <= SHOWN else hit.text[:SHOWN] + " …"
            lines.append("  ".join((self.queries[query], str(hit.rank), f"{hit.score:.3f}", hit.id, short)))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        left = "text-align:left;vertical-align:top"
        head = "".join(f'<th style="{left}">{name}</th>' for name in COLUMNS[1:])
        rows, total, before = [], 0, None
        for query, hit in self._hits():
            total += 1
            if total <= HITS_HTML:
                if query != before:
                    rows.append(f'<tr><th colspan="4" style="{left}">{html.escape(self.queries[query])}</th></tr>')
                before = query
                shown = as_html(shortened(pieces(hit.text, self.matches(query, hit)), SHOWN_HTML))
                cells = "".join(f'<td style="{left}">{cell}</td>' for cell in (hit.rank, f"{hit.score:.3f}"))
                wide = f'<td style="{left};overflow-wrap:anywhere;min-width:5em">{html.escape(hit.id)}</td>'
                rows.append(f'<tr>{cells}{wide}<td style="{left};white-space:normal;min-width:10em">{shown}</td></tr>')
        more = f"<p>and {total - HITS_HTML} more</p>" if total > HITS_HTML else ""
        return f"<table><tr>{head}</tr>{''.join(rows)}</table>{more}"
