"""Count the bytes of an index by component, beside the same vectors as plain float16."""

from pathlib import Path

from bench.config import pools
from bench.config.settings import Natural
from bench.evaluation.size import account
from bench.files.opening import check_sizes, read_manifest
from bench.files.storage import write_json
from bench.index.index import ALWAYS, KIND, VERSION, check_counts
from bench.verbs.common import Deviations, pairs


def size(
    *, index: Path, corpus: str, model: str, deviations: Deviations = (), seed: Natural | None = None, output: Path
) -> None:
    """Count the bytes of an index by component, beside the same vectors as plain float16.

    :param index: Index folder.
    :param corpus: Name of the corpus in the tables.
    :param model: Name of the model in the tables.
    :param seed: Seed of model or codec, where there are indexes of several.
    :param output: size.json to write.
    """
    manifest = read_manifest(index, KIND, VERSION, "index", ALWAYS)
    check_sizes(index, manifest)
    check_counts(index, manifest)
    ledger = account(manifest)
    record = {
        "corpus": corpus,
        "model": model,
        "codec": pools.named(manifest.settings["codec"], pools.of(manifest.settings)),
        **({"seed": seed} if seed is not None else {}),
        **ledger,
        "index": manifest.digest,
        "settings": manifest.settings,
        "deviations": pairs("--deviations", deviations),
    }
    write_json(output, record)
    print(f"{record['codec']}: {ledger['bytes_per_vector']:.1f} bytes per vector, everything counted")
