"""Print where the numbers of a record come from, and the commands that make it again."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.config.own_runs import EXTERNAL
from bench.config.seeds import named
from bench.config.settings import flags
from bench.errors import DataError
from bench.files.storage import read_json

LEFT_OUT = ("per_query", "search", "batch", "encode")  # values by query, and times, which Table 3 has


def show(record: Path, /) -> None:
    """Print where the numbers of a record come from, and the commands that make it again.

    :param record: metrics.json, run.json, size.json, latency.json or a JSON of reconstruction.
    """
    found = read_json(record)
    kinds = {"per_query": _evaluated, "bytes_per_vector": _sized, "host": _timed, "maxsim": _rebuilt, "settings": _searched}
    kind = next((kind for key, kind in kinds.items() if isinstance(found, dict) and key in found), None)
    if kind is None:
        raise DataError(
            f"{record} is no record; give a metrics.json, run.json, size.json, latency.json or one of reconstruction"
        )
    for name, value in _lines(found):
        print(f"{name:<44} {value}")
    print("\nMake it again:")
    for command in kind(record, found):
        print(f"  bench {command}")


def _lines(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value of a record with its place: digests, settings, counts, versions, host."""
    for key, value in found.items():
        place = f"{prefix}{key}"
        if not prefix and key in LEFT_OUT:
            continue
        if isinstance(value, Mapping):
            yield from _lines(value, f"{place}.")
        elif value is not None:
            yield place, " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _evaluated(path: Path, found: Mapping[str, Any]) -> list[str]:
    names = {name: found.get(name) for name in ("dataset", "model", "codec", "preset", "seed")}
    rules = {"protocol": [f"{name}={value}" for name, value in found["protocol"].items()]}
    against = {"against": found.get("against")}
    deviations = {"deviations": [f"{name}={value}" for name, value in found["deviations"].items()] or None}
    scored = {"measures": found["measures"], "depth": found["run"]["settings"]["depth"]}
    run, queries = path.with_name("run.trec.gz"), _queries(path, found["run"])
    said = f"evaluate --run {run} --queries {queries} {flags(scored, rules, deviations, names, against)} --output {path}"
    return [*_searched(path.with_name("run.json"), found["run"]), said]


def _searched(path: Path, found: Mapping[str, Any]) -> list[str]:
    settings, output = dict(found["settings"]), path.with_name("run.trec.gz")
    if settings["engine"] == EXTERNAL:
        given = flags({"run": found["source"]}, {name: settings[name] for name in ("depth", "asked_depth", "self_match")})
        folders = f"--corpus {_corpus(path, found) / 'corpus'} --queries {_queries(path, found)}"
        return [f"import-run {folders} {given} --output {output}"]
    if "index" not in found:
        given = flags({name: settings[name] for name in ("depth", "self_match")})
        corpus = _corpus(path, found) / "corpus"
        return [f"bm25 --corpus {corpus} --queries {_queries(path, found)} {given} --output {output}"]
    return [f"search {_index(path)} {flags(settings)} --output {output}"]


def _timed(path: Path, found: Mapping[str, Any]) -> list[str]:
    first = {"first": found["search"]["queries"]}
    return [f"latency {_index(path.parent)} {flags(found['settings'], first)} --output {path}"]


def _sized(path: Path, found: Mapping[str, Any]) -> list[str]:
    names = flags({name: found.get(name) for name in ("corpus", "model", "seed")})
    return [f"size --index {path.parent / 'index'} {names} --output {path}"]


def _rebuilt(path: Path, found: Mapping[str, Any]) -> list[str]:
    model, queries = path.parents[1], path.stem
    indexes = {
        "indexes": [str(model / _folder(row) / "index") for row in found["codecs"]],
        "reference": model / "fp16/index",
    }
    inputs = {"queries": model / "queries" / queries, "run": model / "fp16/exact" / queries / "run.trec.gz"}
    names = {name: found.get(name) for name in ("dataset", "model", "model_seed")}
    return [f"reconstruction {flags(indexes, inputs, names, found['settings'])} --output {path}"]


def _folder(row: Mapping[str, Any]) -> str:
    """Return the folder of a codec, whose name ends in its seed where there are several and the model has none."""
    return named(row["codec"], row["seed"]) if "seed" in row else str(row["codec"])


def _index(path: Path) -> str:
    """Return the flags of index and query vectors of ``build/corpus/model/codec/preset/queries/run.json``."""
    codec, model = path.parents[2], path.parents[3]
    return f"--index {codec / 'index'} --queries {model / 'queries' / path.parent.name}"


def _queries(path: Path, run: Mapping[str, Any]) -> Path:
    return _corpus(path, run) / "queries" / path.parent.name


def _corpus(path: Path, run: Mapping[str, Any]) -> Path:
    """Return the folder of the collection of a run: five folders up, three for another system, two for BM25."""
    return path.parents[4 if "index" in run else 3 if run["settings"]["engine"] == EXTERNAL else 2]
