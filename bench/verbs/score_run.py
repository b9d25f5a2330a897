"""Score a run of any system on a query set by hand: means with intervals, and a paired test against another run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.config import datasets as protocol_file
from bench.config import protocol
from bench.config.datasets import Entry
from bench.config.measures import measure
from bench.config.own import OwnEntry
from bench.config.plan import DATASETS, load
from bench.config.settings import Count, Natural
from bench.corpus import downloads, judged, registry
from bench.corpus.judged import Judged
from bench.corpus.own import judged as own
from bench.corpus.own.files import Texts, distinct
from bench.errors import DataError, SettingsError
from bench.evaluation import external
from bench.evaluation.comparison import compare, interval
from bench.evaluation.quality import Quality, evaluate


def score_run(
    *,
    run: Path,
    dataset: str,
    against: Path | None = None,
    config: Path | None = None,
    depth: Count | None = None,
    seed: Natural = 0,
    datasets: Path = DATASETS,
) -> None:
    """Score a run of any system on a query set by hand: means with intervals, and a paired test against another run.

    :param run: File in the format of TREC, in TSV of MS MARCO, or in JSON of ranx; each also .gz or .zst.
    :param dataset: Id of a query set of the protocol, or of the config.
    :param against: Another run, which the first one is paired with by query.
    :param config: Config that has the query set, such as own data; its sample of queries is taken.
    :param depth: Results that count, the deepest cutoff of the measures if absent.
    :param seed: Seed of intervals and of the randomization test.
    :param datasets: The evaluation protocol.
    """
    entry, sample_seed = _entry(dataset, config, datasets)
    asked, passages = _asked(entry, sample_seed), set(_passages(entry))
    if len(passages) != entry.passages:
        raise DataError(f"{dataset} has {len(passages)} passages here, expected {entry.passages}: other data")
    deepest = max(measure(name, dataset).params.get("cutoff", 1) for name in entry.measures)
    files = [run] if against is None else [run, against]
    found = [_quality(file, entry, asked, passages, depth or deepest) for file in files]
    values = [np.array(list(each.per_query[entry.measures[0]].values())) for each in found]
    for file, each, by_query in zip(files, found, values, strict=True):
        low, high = interval(by_query, np.random.default_rng(seed))
        first, *others = (f"{name} {value:.4f}" for name, value in each.mean.items())
        print(f"{file}: {', '.join([f'{first} [{low:.4f}, {high:.4f}]', *others])}")
        counts = each.counts
        print(
            f"  {counts['judged']} judged queries, {counts['judged'] - counts['scored']} of them missing and counted as 0; "
            f"{counts['short']} with fewer than {depth or deepest} results; {counts['tied']} results tied"
        )
    if against is not None:
        paired = compare(values[0] - values[1], np.random.default_rng(seed))
        print(
            f"{entry.measures[0]}, first less second: {paired.mean:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}], "
            f"p {paired.p:.4f}, {paired.wins} won, {paired.ties} tied, {paired.losses} lost"
        )


def _entry(dataset: str, config: Path | None, datasets: Path) -> tuple[Entry, int]:
    """Return the entry of a query set, and the seed of its sample."""
    if config is None:
        entry = protocol.resolve(dataset, None, protocol_file.read(datasets).sets, str(datasets))
        return entry, entry.sample_seed or 0
    plan = load(config, datasets)
    found = {entry.id: entry for entry in plan.entries.values()}
    if dataset not in found:
        raise SettingsError(f"--dataset {dataset} of the command line is not a query set of {config}: {sorted(found)}")
    entry = found[dataset]
    if not entry.judgements:
        raise SettingsError(f"--dataset {dataset} of the command line has no judgements in {config}")
    return entry, plan.seed_for("queries", entry.name) if entry.sample_seed is None else entry.sample_seed


def _asked(entry: Entry, seed: int) -> Judged:
    if isinstance(entry, OwnEntry):
        files = entry.files
        texts = Texts(files.queries, files.query_template, files.query_id)
        found = own.read(texts, files.judgements, judged_only=files.judged_only)
    else:
        with downloads.explained(entry.dataset, *([entry.without] if entry.without else [])):
            found = judged.read(entry.dataset, entry.without)
    judged.check(found, entry.id, entry.queries, entry.judgements, entry.grades)
    ids = judged.read_ids(Path(entry.ids)) if entry.ids is not None else None
    return judged.kept(found, entry.id, entry.sample, seed, ids)


def _passages(entry: Entry) -> Iterator[str]:
    """Yield the ids of the passages of a collection."""
    if isinstance(entry, OwnEntry):
        yield from (text.id for text in distinct(Texts(entry.files.passages, entry.template, entry.files.passage_id)))
        return
    with downloads.explained(entry.corpus):
        yield from (doc.doc_id for doc in registry.load(entry.corpus).docs_iter())


def _quality(file: Path, entry: Entry, asked: Judged, passages: set[str], depth: int) -> Quality:
    read = external.read(file)
    if (reached := external.depth_of(read, None, file)) < depth:
        raise DataError(f"{file}: its rankings have at most {reached} results, too few to be scored at {depth}")
    found, _ = external.taken(
        read,
        file,
        queries={text.id for text in asked.texts},
        sampled=entry.sample is not None,
        passages=passages,
        depth=depth,
        self_match=entry.self_match,
    )
    return evaluate(found, asked.qrels, entry.measures, depth, entry.gains)
