"""Compare decoded vectors with uncompressed ones, and with the bound of rate-distortion theory at the same bits."""

from pathlib import Path
from typing import Any

import numpy as np

from bench.config.seeds import split
from bench.config.settings import Count, Natural
from bench.errors import DataError
from bench.evaluation.reconstruction import Sample, bits_of
from bench.evaluation.runs import open_run
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index.index import Index, open_index
from bench.search.kernels.base import without_padding
from bench.search.queries import open_query_vectors
from bench.verbs.common import Threads, limit_threads


def reconstruction(
    *,
    indexes: list[Path],
    reference: Path,
    queries: Path,
    run: Path,
    sample: Count,
    first: Count,
    dataset: str,
    model: str,
    model_seed: Natural | None = None,
    seed: Natural,
    threads: Threads,
    output: Path,
) -> None:
    """Compare decoded vectors with uncompressed ones, and with the bound of rate-distortion theory at the same bits.

    :param indexes: Compressed indexes.
    :param reference: The uncompressed index of the same passages by the same model.
    :param queries: Folder of query vectors.
    :param run: run.trec.gz of these queries over the uncompressed index, with its run.json beside it.
    :param sample: Passages, drawn at random, whose vectors are compared; all of a smaller collection.
    :param first: Passages of each ranking that MaxSim is compared on; all of a shorter ranking.
    :param dataset: Name of the data set in the tables.
    :param model: Name of the model in the tables.
    :param model_seed: Seed of the model, where there are several.
    :param seed: Seed of the sample and of the noise of the test channel.
    :param output: JSON to write.
    """
    limit_threads(threads)
    plain, asked = open_index(reference), open_query_vectors(queries)
    if plain.raw is None:
        raise DataError(f"--reference {reference} is compressed as {plain.manifest.settings['codec']}: give the fp16 index")
    ranked, record_of_run = open_run(run)
    inputs = record_of_run["inputs"]
    if inputs != {**plain.manifest.inputs, **asked.manifest.inputs, "index": plain.manifest.digest}:
        raise DataError(f"{run} was not searched in {reference} with the vectors of {queries}: search again")
    found = {query: [passage for passage, _ in ranking[:first]] for query, ranking in ranked.items()}
    wanted = {passage for passages in found.values() for passage in passages}
    place = {name: number for number, name in enumerate(plain.ids) if name in wanted}
    pairs = [
        (without_padding(vectors), np.array([place[passage] for passage in found[query]]))
        for query, vectors in zip(asked.ids, asked.vectors, strict=True)
        if query in found
    ]
    if not pairs:
        raise DataError(f"{run} has no results: there is no pair of a query and a passage to compare MaxSim on")
    drawn = np.random.default_rng(seed).choice(len(plain), min(sample, len(plain)), replace=False)
    compared = Sample(plain, plain.positions(np.sort(drawn)), pairs)
    rows = [_row(compared, plain, folder, seed) for folder in indexes]
    settings = {"sample": sample, "first": first, "seed": seed, "threads": threads}
    counts = {
        "passages": len(drawn),
        "vectors": len(compared.positions),
        "queries": len(pairs),
        "pairs": len(compared.scores),
    }
    record = {
        "dataset": dataset,
        "model": model,
        **({"model_seed": model_seed} if model_seed is not None else {}),
        "codecs": rows,
        "dim": plain.dim,
        "variance": float(compared.source.variances.sum()),
        "maxsim": float(compared.scores.mean()),
        "counts": counts,
        "settings": settings,
        "inputs": inputs,
        "context": context(__name__),
    }
    write_json(output, record)
    for row in rows:
        shown = (f"{name} {row['measured'][name]:.4f} (bound {row['bound'][name]:.4f})" for name in row["measured"])
        print(f"{row['codec']}: {', '.join(shown)}")


def _row(compared: Sample, plain: Index, folder: Path, seed: int) -> dict[str, Any]:
    index = open_index(folder)
    if index.compressed is None:
        raise DataError(f"--indexes {folder} is uncompressed: there is nothing to compare; leave it out")
    same = all(index.manifest.inputs[name] == plain.manifest.inputs[name] for name in ("corpus", "model"))
    if not same or not np.array_equal(index.doclens, plain.doclens):
        raise DataError(f"--indexes {folder} and --reference are of different passages or models")
    bits, (_, seed_of_codec) = bits_of(index), split(folder.parent.name)
    return {
        "codec": index.manifest.settings["codec"],
        **({"seed": seed_of_codec} if seed_of_codec is not None else {}),
        "bits": bits,
        "measured": compared.measured(index),
        "bound": compared.bound(sum(bits.values()), seed),
        "residual_bound": compared.residual_bound(index),
        "index": index.manifest.digest,
    }
