"""Read an index of colbert-ai or fast-plaid as one of ours, to search and judge it; nothing pickled in it is run."""

import tempfile
from pathlib import Path

import numpy as np

from bench.config.settings import Count
from bench.corpus.texts import Passages, open_passages
from bench.encoder import checkpoint
from bench.encoder.encode import encode_passages
from bench.encoder.model import LateInteraction
from bench.errors import DataError, SettingsError
from bench.files.provenance import context
from bench.index.foreign import Foreign, import_index, open_foreign
from bench.verbs.common import new_folder, prepare_torch, refuse_existing

CHECKED = 8
LEAST = 0.5  # mean cosine of decoded vectors with those of the model; 1 bit has about 0.8, vectors of another model 0.1


def import_(source: Path, *, corpus: Path, model: Path, doc_maxlen: Count | None = None, output: Path) -> None:
    """Read an index of colbert-ai or fast-plaid as one of ours, to search and judge it; nothing pickled in it is run.

    Some passages are encoded by the model and compared: an index of other passages or of another model is refused.

    :param source: Index folder of colbert-ai 0.2 or fast-plaid 1.
    :param corpus: Corpus folder of its passages, in the order in which they were indexed.
    :param model: Model folder that it was made by, as project or convert write it.
    :param doc_maxlen: Tokens of a passage; what the index or the model says if absent.
    :param output: Index folder to write, which must not be there yet.
    """
    prepare_torch(threads=1)
    refuse_existing(output)
    foreign, passages = open_foreign(source), open_passages(corpus)
    encoder, manifest = checkpoint.load(model)
    if not isinstance(encoder, LateInteraction):
        raise SettingsError(f"{model} is a model with one vector per text, not a late interaction checkpoint")
    if len(passages) != foreign.passages:
        raise DataError(f"{source} has {foreign.passages} passages, {corpus} has {len(passages)}: another collection")
    maxlen = doc_maxlen or foreign.config.get("doc_maxlen") or manifest.settings.get("doc_maxlen")
    if maxlen is None:
        raise SettingsError(f"neither {source} nor {model} says how long passages are; give --doc-maxlen")
    similarity = _compared(foreign, passages, encoder, int(maxlen))
    settings = {"encode": {"doc_maxlen": int(maxlen)}}
    if "template" in passages.manifest.settings:
        settings["text"] = passages.manifest.settings["template"]
    inputs = {"corpus": passages.manifest.digest, "model": manifest.digest}
    made = {"settings": settings, "inputs": inputs, "context": context(__name__)}
    with new_folder(output) as folder, tempfile.TemporaryDirectory(dir=folder.parent) as work:
        found = import_index(foreign, passages.ids(), folder, Path(work), **made)
    moved = float(np.linalg.norm(foreign.codec.centroids - foreign.centroids, axis=1).max())
    print(
        f"{output}: {foreign.kind}, {foreign.nbits} bits, {found.counts['passages']} passages, {found.counts['vectors']} "
        f"vectors; mean cosine {similarity:.3f} with the model's; rounding moved a centroid by {moved:.4f} at most"
    )


def _compared(foreign: Foreign, passages: Passages, encoder: LateInteraction, maxlen: int) -> float:
    """Return the mean cosine of stored vectors with those of the model, of the first passages.

    Raise DataError where a passage has another number of vectors, or the cosine is below ``LEAST``.
    """
    count = min(CHECKED, len(foreign.doclens[0]))
    vectors, doclens = encode_passages(encoder, [text.text for text in passages.slice(0, count)], maxlen=maxlen)
    stored = foreign.doclens[0][:count]
    if not np.array_equal(doclens, stored):
        place = int((doclens != stored).argmax())
        raise DataError(
            f"passage {place} of {foreign.folder} has {stored[place]} vectors, the model gives {doclens[place]} at "
            f"{maxlen} tokens: other passages, another order, another model or another --doc-maxlen"
        )
    codes, residuals = foreign.part(0)
    decoded = foreign.codec.decode(codes[: len(vectors)], residuals[: len(vectors)])
    similarity = float((decoded * vectors.astype(np.float32)).sum(axis=1).mean())
    if similarity < LEAST:
        raise DataError(
            f"vectors of {foreign.folder} have a mean cosine of {similarity:.2f} with those of the model, expected at least "
            f"{LEAST}: other passages, another order or another model"
        )
    return similarity
