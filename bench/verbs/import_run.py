"""Take a run of another system into the workflow: checked against queries and passages, in TREC format, with a record."""

from pathlib import Path

from bench.config.datasets import SelfMatch
from bench.config.own_runs import EXTERNAL
from bench.config.settings import Count
from bench.corpus.texts import open_passages, open_queries
from bench.evaluation import external
from bench.evaluation.runs import save
from bench.files.provenance import context
from bench.files.storage import sha256_file


def import_run(
    *,
    run: Path,
    corpus: Path,
    queries: Path,
    depth: Count,
    asked_depth: Count | None = None,
    self_match: SelfMatch = "none",
    output: Path,
) -> None:
    """Take a run of another system into the workflow: checked against queries and passages, in TREC format, with a record.

    :param run: File in the format of TREC, in TSV of MS MARCO, or in JSON of ranx; each also .gz or .zst.
    :param corpus: Corpus folder.
    :param queries: Query folder.
    :param depth: Passages per ranking that are kept.
    :param asked_depth: Passages that the system was asked for; those of its longest ranking if absent.
    :param self_match: Whether a query's own passage is dropped or refused.
    :param output: run.trec.gz to write; its record goes beside it, as run.json.
    """
    passages, asked = open_passages(corpus), open_queries(queries)
    read = external.read(run)
    reached = external.depth_of(read, asked_depth, run)
    found, counts = external.taken(
        read,
        run,
        queries={text.id for text in asked.texts},
        sampled=asked.manifest.settings.get("sample") is not None,
        passages=(text.id for text in passages.slice(0, len(passages))),
        depth=depth,
        self_match=self_match,
    )
    record = {
        "settings": {"engine": EXTERNAL, "depth": min(depth, reached), "asked_depth": reached, "self_match": self_match},
        "source": str(run),
        "inputs": {"corpus": passages.manifest.digest, "queries": asked.manifest.digest, "source": sha256_file(run)},
        "corpus": {"counts": dict(passages.manifest.counts), **passages.manifest.settings},
        "counts": counts,
        "context": context(__name__),
    }
    save(output, found, EXTERNAL, record)
    print(
        f"{run}: {counts['queries']} queries, {counts['self_matches']} self-matches removed, {counts['left_out']} left out"
    )
