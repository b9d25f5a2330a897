"""Build an index from shards: uncompressed, or with codes and residuals, an inverted list from centroid to passages."""

from collections.abc import Sequence
from pathlib import Path

from bench.codec.names import UNCOMPRESSED
from bench.corpus.texts import open_passages
from bench.errors import DataError
from bench.files.provenance import context
from bench.index.build import build_compressed, build_uncompressed
from bench.index.codecs import open_codec
from bench.index.parts import open_codes, open_residuals
from bench.index.shards import Doclens, Shard, open_shard, read_doclens
from bench.verbs.common import KernelDevice, take_device

ENCODED = ("doc_maxlen", "passages_per_shard", "precision", "threads")


def index(
    *,
    corpus: Path,
    vectors: list[Path],
    codec: Path | None = None,
    codes: list[Path] | None = None,
    residuals: list[Path] | None = None,
    device: KernelDevice = "cpu",
    output: Path,
) -> None:
    """Build an index from shards: uncompressed, or with codes and residuals, an inverted list from centroid to passages.

    :param corpus: Corpus folder.
    :param vectors: All shards of the corpus, in order; a compressed index needs their lengths alone.
    :param codec: Codec folder; uncompressed if absent.
    :param codes: Folders of codes, one per shard.
    :param residuals: Folders of residual bytes, one per shard.
    :param output: Index folder to write.
    """
    take_device(device)
    passages = open_passages(corpus)
    plain = [open_shard(folder) for folder in vectors] if codec is None else []
    shards: Sequence[Shard | Doclens] = plain or [read_doclens(folder) for folder in vectors]
    models = {shard.manifest.inputs["model"] for shard in shards}
    corpora = {shard.manifest.inputs["corpus"] for shard in shards}
    pools = {shard.manifest.settings.get("pool") for shard in shards}
    if len(pools) != 1:
        raise DataError(f"shards of {output} are merged by {sorted(map(str, pools))}: merge all by the same number, or none")
    if len(models) != 1 or corpora != {passages.manifest.digest}:
        raise DataError(f"the shards of {output} come from {len(models)} models or another corpus: encode them again")
    inputs = {"corpus": passages.manifest.digest, "model": models.pop()}
    encoded = shards[0].manifest.settings
    settings = {"encode": {name: encoded[name] for name in (*ENCODED, *(["pool"] if "pool" in encoded else []))}}
    if "template" in passages.manifest.settings:
        settings["text"] = passages.manifest.settings["template"]
    made = {"inputs": inputs, "context": context(__name__)}
    if codec is None:
        manifest = build_uncompressed(output, plain, passages.ids(), settings={"codec": UNCOMPRESSED, **settings}, **made)
    else:
        opened, fitted = open_codec(codec)
        coded, packed = (
            [open_codes(folder) for folder in codes or ()],
            [open_residuals(folder) for folder in residuals or ()],
        )
        for folder, part, shard in zip(codes or (), coded, shards, strict=False):
            part.check_made_from(folder, vectors=shard.manifest.digest, centroids=fitted.inputs["centroids"])
        for folder, part, code in zip(residuals or (), packed, coded, strict=False):
            part.check_made_from(folder, codes=code.manifest.digest, codec=fitted.digest)
        manifest = build_compressed(
            output,
            [shard.doclens for shard in shards],
            [part.array for part in coded],
            [part.array for part in packed],
            opened,
            passages.ids(),
            device,
            settings={**fitted.settings, **settings, **({} if device == "cpu" else {"device": device})},
            **made,
        )
    size = sum(file["bytes"] for file in manifest.files.values())
    counts = manifest.counts
    print(f"{counts['passages']} passages, {counts['vectors']} vectors, {size / counts['vectors']:.1f} bytes per vector")
