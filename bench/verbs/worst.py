"""Find the queries that lost most against another run, with the judged passages that moved and the tokens that lost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.config.settings import Count
from bench.errors import DataError
from bench.evaluation.explanation import moved, worst_queries
from bench.files.storage import read_json, write_json
from bench.verbs.common import prepare_torch
from bench.verbs.sides import Asked, Side, beside

TEXT = 160
Record = Mapping[str, Any]


def worst(*, runs: list[Path], against: Path, most: Count, output: Path) -> None:
    """Find the queries that lost most against another run, with the judged passages that moved and the tokens that lost.

    The JSON is a list, run by run, of at most so many queries each, the one that lost most first. Its keys are queries (the
    data set), model, codec, preset, seed (where there are several), engine, query (id), text, measure (the first one of the
    data set), value, reference_value, moved and tokens. moved is a list of the relevant passages with another rank, the one
    that fell farthest first: passage, grade, text (its beginning), rank and reference_rank, null where it is not in the
    ranking. tokens is a list of the query tokens for the first of these, the one that lost most first: passage, token, match
    (the passage token with the largest inner product), value (the product), reference_match, reference_value, change.

    :param runs: run.trec.gz of each run where the workflow wrote it, with run.json and metrics.json beside it.
    :param against: The run that they are compared with, by the same model for the same queries.
    :param most: Queries of each run.
    :param output: JSON to write.
    """
    prepare_torch(threads=1)
    reference = read_json(against.with_name("metrics.json"))
    asked: Asked | None = None
    found: list[dict[str, Any]] = []
    for run in runs:
        record = read_json(run.with_name("metrics.json"))
        if any(record[name] != reference[name] for name in ("dataset", "measures", "protocol")):
            raise DataError(f"{run} and {against} were not evaluated alike: evaluate both again")
        one, other = beside(run, against)
        asked = asked or Asked(other)
        found += _of_run(record, reference, one, other, asked, most)
    write_json(output, found)
    print(f"{len(found)} queries of {len(runs)} runs")


def _of_run(record: Record, reference: Record, one: Side, other: Side, asked: Asked, most: int) -> list[dict[str, Any]]:
    measure = record["measures"][0]
    values, before = record["per_query"][measure], reference["per_query"][measure]
    described = {name: record[name] for name in ("model", "codec", "preset", "seed") if name in record}
    rows = []
    for query in worst_queries(values, before, most):
        text, grades = asked.query(query)
        relevant = {passage for passage, grade in grades.items() if grade > 0}
        changed = moved(one.rankings.get(query, ()), other.rankings.get(query, ()), relevant)
        parts = asked.parts(query, changed[0].passage, one.index, other.index) if changed else []
        rows.append(
            {
                "queries": record["dataset"],
                **described,
                "engine": record["run"]["settings"]["engine"],
                "query": query,
                "text": text,
                "measure": measure,
                "value": values[query],
                "reference_value": before[query],
                "moved": [
                    {
                        "passage": move.passage,
                        "grade": grades[move.passage],
                        "text": " ".join(asked.passage(move.passage).split())[:TEXT],
                        "rank": move.rank,
                        "reference_rank": move.other_rank,
                    }
                    for move in changed
                ],
                "tokens": [
                    {
                        "passage": changed[0].passage,
                        "token": part.token,
                        "match": part.match,
                        "value": part.value,
                        "reference_match": part.other_match,
                        "reference_value": part.other_value,
                        "change": part.change,
                    }
                    for part in sorted(parts, key=lambda part: part.change)
                ],
            }
        )
    return rows
