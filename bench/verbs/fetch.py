"""Download what a config needs, up front: data by ir_datasets, with its checksums, and weights of the hub."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ir_datasets
import pandas as pd

from bench.config.models import Catalogued, Converted, Pooled, Projected
from bench.config.own import OwnEntry
from bench.config.plan import DATASETS, Plan, load
from bench.config.training import CrossEncoder
from bench.config.weights import Weights
from bench.corpus import downloads
from bench.corpus.downloads import KINDS, File
from bench.encoder import base, hub, loading
from bench.errors import DataError

MB = 1e6


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something to download: what, for what, its size where that is known, whether it is here, and where it belongs."""

    what: str
    used_by: tuple[str, ...]
    bytes: int | None
    here: bool
    place: str


def fetch(config: Path, *, datasets: Path = DATASETS, dry_run: bool = False) -> None:
    """Download what a config needs, up front: data by ir_datasets, with its checksums, and weights of the hub.

    :param config: Config file.
    :param datasets: The evaluation protocol.
    :param dry_run: Only list what would be downloaded, and how large it is.
    """
    plan = load(config, datasets)
    sets, weights = _sets(plan), _weights(plan)
    items = [*_data_items(sets), *(_weights_item(*each) for each in weights)]
    if not items:
        print(f"{config} downloads nothing: its data and weights come with packages")
        return
    missing = [item for item in items if not item.here]
    print(_listed(items))
    known = sum(item.bytes or 0 for item in missing)
    unknown = sum(item.bytes is None for item in missing)
    home = ir_datasets.util.home_path()
    free = shutil.disk_usage(home).free
    print(
        f"\n{len(missing)} of {len(items)} to download, {known / MB:,.1f} MB"
        f"{f' and {unknown} of unknown size' if unknown else ''}; {free / MB:,.1f} MB are free in {home}.\n"
        "What ir_datasets takes out of archives comes on top.",
        flush=True,
    )
    if dry_run:
        return
    if known > free:
        raise DataError(f"{known / MB:,.1f} MB do not fit in {home}, which has {free / MB:,.1f} MB: set IR_DATASETS_HOME")
    tasks: list[tuple[str, Callable[[], Any]]] = [
        (name, partial(downloads.fetch, name, kinds)) for name, kinds in sets.items()
    ]
    tasks += [(each.name, partial(base.locate, each, files, also)) for each, files, also in weights]
    for name, task in tasks:
        task()
        print(f"{name}: here", flush=True)


def _sets(plan: Plan) -> dict[str, Sequence[str]]:
    """ir_datasets ids of the plan, and which parts of each are read."""
    entries = [entry for entry in (*plan.entries.values(), *plan.sources.values()) if not isinstance(entry, OwnEntry)]
    found: dict[str, Sequence[str]] = {entry.corpus: ("docs",) for entry in entries}
    found |= {name: KINDS for entry in entries for name in (entry.dataset, entry.without) if name}
    stages = (getattr(model, "train", None) for model in plan.models.values())
    return found | {stage.docpairs: ("docpairs",) for stage in stages if stage and stage.docpairs}


def _weights(plan: Plan) -> list[tuple[Weights, Sequence[str], Sequence[str]]]:
    """Weights of the hub, with the names that their file may have and the files beside it."""
    found: dict[Weights, tuple[Sequence[str], Sequence[str]]] = {}
    for settings in (*plan.models.values(), *plan.teachers.values()):
        match settings:
            case Converted() | Catalogued():
                found[settings.checkpoint.weights] = (loading.WEIGHTS, loading.FILES)
            case Projected() | Pooled():
                found[settings.base] = ((base.WEIGHTS,), ())
            case CrossEncoder():
                found[settings.cross_encoder] = ((base.WEIGHTS,), ())
    return [(each, *special) for each, special in found.items() if hub.comes_from_hub(each)]


def _data_items(sets: dict[str, Sequence[str]]) -> Iterable[Item]:
    """One item per file, however many data sets it is in."""
    files: dict[str, list[tuple[str, File]]] = {}
    for name, kinds in sets.items():
        for file in downloads.files(name, kinds):
            files.setdefault(file.url, []).append((name, file))
    for url, users in files.items():
        names = tuple(dict.fromkeys(name for name, _ in users))
        first, here = users[0][1], all(file.here for _, file in users)
        yield Item(what=url, used_by=names, bytes=first.bytes, here=here, place=str(first.places[0]))


def _weights_item(each: Weights, weights: Sequence[str], also: Sequence[str]) -> Item:
    from huggingface_hub import constants

    here = hub.is_here(each, weights)
    size = None if here else hub.size(each, weights, also)
    return Item(what=each.name, used_by=(f"revision {each.revision}",), bytes=size, here=here, place=constants.HF_HUB_CACHE)


def _listed(items: Sequence[Item]) -> str:
    rows = [
        {
            "download": item.what,
            "for": ", ".join(item.used_by[:2]) + (f" and {len(item.used_by) - 2} more" if len(item.used_by) > 2 else ""),
            "MB": "here" if item.here else "unknown" if item.bytes is None else f"{item.bytes / MB:,.1f}",
            "belongs in": item.place,
        }
        for item in items
    ]
    return str(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True))
