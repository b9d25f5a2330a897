"""Search an index with query vectors and write a run in TREC format."""

from pathlib import Path
from typing import Annotated

from bench.config.datasets import SelfMatch
from bench.config.presets import EngineFlags
from bench.evaluation.runs import Run, save
from bench.files.provenance import context
from bench.machine.progress import bar
from bench.search.engines import open_engine
from bench.search.ranking import check_self_match, results
from bench.search.stage_times import StageWork
from bench.verbs.common import Flat, Threads, limit_threads, take_device
from bench.verbs.engine import SearchFlags, preset_given, provenance

QUERIES_PER_CALL = 512


def search(
    *,
    flags: Annotated[SearchFlags, Flat],
    engine: Annotated[EngineFlags, Flat],
    self_match: SelfMatch = "none",
    threads: Threads,
    output: Path,
) -> None:
    """Search an index with query vectors and write a run in TREC format.

    :param self_match: Whether a query's own passage is dropped or refused.
    :param output: run.trec.gz to write; its record goes beside it, as run.json.
    """
    asked = flags.depth + (self_match == "removed")  # one more, where the query's own passage is removed
    preset = preset_given(engine, asked)
    take_device(flags.kernels)
    index, queries = flags.open()
    check_self_match(self_match, queries.ids, index.ids)
    limit_threads(threads)
    opened = open_engine(preset, index, flags.kernels, threads)
    found: Run = {}
    watch = StageWork()
    removed = 0
    with bar(f"search {output.parent}", len(queries.ids), "queries") as progress:
        for start in range(0, len(queries.ids), QUERIES_PER_CALL):
            some = slice(start, start + QUERIES_PER_CALL)
            rankings = opened.search(queries.vectors[some], asked, watch)
            for name, ranking in zip(queries.ids[some], rankings, strict=True):
                found[name], dropped = results(ranking, index.ids, name, flags.depth, self_match)
                removed += dropped
            progress.update(len(rankings))
    settings = {"depth": flags.depth, "self_match": self_match, "kernels": flags.kernels, "threads": threads}
    record = {
        "settings": {**preset.model_dump(), **settings},
        **provenance(index, queries),
        "counts": {"queries": len(found), "self_matches": removed},
        "work": dict(watch.work),
        "context": context(__name__),
    }
    save(output, found, f"{index.manifest.settings['codec']}-{preset.engine}", record)
    print(f"{len(found)} queries, {sum(map(len, found.values()))} results; {removed} self-matches removed")
