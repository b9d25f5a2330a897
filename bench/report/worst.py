"""The queries that lost most by compression, as a table for people; the verb ``worst`` makes the records behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bench.report.table import MISSING, Table, number, signed

TEXT, PASSAGES, TOKENS = 100, 3, 3
COLUMNS = ("queries", "model", "codec", "preset", "query", "text", "measure", "reference_value", "value")
Rows = Sequence[Mapping[str, Any]]


def worst_table(rows: Rows) -> Table:
    """Return the table of worst queries, one row per query and run, in the order given."""
    columns = [*COLUMNS[:3], *(["seed"] if any("seed" in row for row in rows) else []), *COLUMNS[3:]]
    data = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns=columns)
    data["moved"] = [_moved(row["moved"], len(row["moved"])) for row in rows]
    data["tokens"] = [_tokens(row["tokens"], len(row["tokens"])) for row in rows]
    shown = pd.DataFrame(
        {
            "data set": data["queries"],
            "model": data["model"],
            "codec": data["codec"],
            "search": data["preset"],
            "query": [f"{row['query']}: {' '.join(row['text'].split())[:TEXT]}" for row in rows],
            "measure": data["measure"],
            "uncompressed": [number(value, 3) for value in data["reference_value"]],
            "compressed": [number(value, 3) for value in data["value"]],
            "moved": [_moved(row["moved"], PASSAGES) for row in rows],
            "tokens": [_tokens(row["tokens"], TOKENS) for row in rows],
        }
    )
    if "seed" in data:
        shown.insert(3, "seed", [number(seed, 0) for seed in data["seed"]])
    caption = (
        f"Worst queries: those that lost most of the measure against uncompressed vectors under exhaustive search by the "
        f"same model; of equal losses, the first by id. Moved: relevant passages and their ranks, uncompressed → "
        f"compressed, the one that fell farthest first, at most {PASSAGES}; {MISSING} is below the depth of the ranking. "
        f"Tokens: query tokens whose part of the score of the first of these fell most, at most {TOKENS}. A passage also "
        f"falls where others gain. The CSV and worst_queries.json have all passages and tokens."
    )
    return Table(data, shown, caption)


def _moved(passages: Rows, most: int) -> str:
    ranks = [[MISSING if row[name] is None else row[name] for name in ("reference_rank", "rank")] for row in passages[:most]]
    cells = [f"{row['passage']} {before} → {after}" for row, (before, after) in zip(passages, ranks, strict=False)]
    return ", ".join(cells) or MISSING


def _tokens(parts: Rows, most: int) -> str:
    return ", ".join(f"{part['token']} {signed(part['change'])}" for part in parts[:most]) or MISSING
