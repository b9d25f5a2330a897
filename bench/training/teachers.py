"""Teachers, which score (query, passage) pairs for distillation (arXiv 2112.01488, section 3.2).

The paper's teacher is a cross-encoder. A bi-encoder (mean pooling, cosine) is a weaker substitute, and is labelled as such.
Scores are raw logits or cosines; distillation determines their scale.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
import transformers

from bench.encoder import base, checkpoint
from bench.encoder.encode import encode_passages
from bench.encoder.foreign import ONLY_LOCAL, check_finite
from bench.encoder.model import MeanPooling
from bench.errors import DamagedFileError, SettingsError
from bench.files.opening import open_folder
from bench.files.storage import MANIFEST, digest_of, read_json, sha256_file
from bench.training import cross_encoder
from bench.training.pair_scores import PAIRS_PER_BLOCK, score_pairs
from bench.training.pairs import check_maxlen

JUDGEMENTS = "judgements"  # replaces a teacher: score 1 for a relevant passage, 0 for any other
PROBE = (["how long is a day", "moon"], ["a day has twenty-four hours, and a night is no part of it", "light"])
Progress = Callable[[int], object]
Kind = Literal["cross-encoder", "bi-encoder"]


class Teacher(Protocol):
    """A model that scores pairs. digest: identity of its weights and tokenizer."""

    kind: Kind
    digest: str

    def score(self, queries: Sequence[str], passages: Sequence[str], progress: Progress = lambda done: None) -> np.ndarray:
        """Return the scores ``[pairs]`` float32 of the n-th query with the n-th passage."""
        ...


class CrossEncoderTeacher:
    """A Hugging Face model with one label over ``[CLS] query [SEP] passage [SEP]``, as loaded by sentence-transformers."""

    kind: Kind = "cross-encoder"

    def __init__(
        self, folder: Path, *, maxlen: int, precision: str, device: str = "cpu", tokens_per_batch: int | None = None
    ):
        """Load the model. Raise SettingsError for another kind of model, several labels, or another input format."""
        self.digest = _digest(folder)
        _check_head(folder)
        from sentence_transformers import CrossEncoder

        self._model: Any = CrossEncoder(
            str(folder),
            max_length=maxlen,
            activation_fn=torch.nn.Identity(),
            device=device,
            **ONLY_LOCAL,
            model_kwargs={"dtype": torch.float32},
        )
        self._model.eval()
        self._network = next(part for part in self._model.modules() if isinstance(part, transformers.PreTrainedModel))
        check_maxlen(self._model.tokenizer, self._model.config, maxlen, str(folder))
        self._maxlen, self._device, self._tokens_per_batch = maxlen, device, tokens_per_batch
        self._precision = "float32"
        expected = self._model.predict(list(zip(*PROBE, strict=True)), show_progress_bar=False)
        if not np.allclose(self.score(*PROBE), expected, rtol=1e-3, atol=1e-3):
            raise SettingsError(f"{folder} asks for a prompt or a template of its own, which is not supported here")
        self._precision = precision

    def score(self, queries: Sequence[str], passages: Sequence[str], progress: Progress = lambda done: None) -> np.ndarray:
        """Return logits ``[pairs]`` float32."""
        return score_pairs(
            self._network,
            self._model.tokenizer,
            queries,
            passages,
            maxlen=self._maxlen,
            precision=self._precision,
            device=self._device,
            tokens_per_batch=self._tokens_per_batch,
            progress=progress,
        )


class BiEncoderTeacher:
    """A pooled model of this harness: cosine of two float16 vectors; each distinct text is encoded once."""

    kind: Kind = "bi-encoder"

    def __init__(self, folder: Path, *, maxlen: int, precision: str, device: str = "cpu"):
        """Load the model. Raise SettingsError for a model folder of another kind."""
        self._encoder, manifest = checkpoint.load(folder)
        if not isinstance(self._encoder, MeanPooling):
            raise SettingsError(f"{folder} is a {self._encoder.kind} model, no bi-encoder; give a folder of `bench pool`")
        check_maxlen(self._encoder.inputs.tokenizer, self._encoder.bert.config, maxlen, str(folder))
        self._encoder.to(device)
        self.digest = manifest.digest
        self._maxlen, self._precision, self._device = maxlen, precision, device

    def score(self, queries: Sequence[str], passages: Sequence[str], progress: Progress = lambda done: None) -> np.ndarray:
        """Return cosines ``[pairs]`` float32."""
        asked, query = self._encode(queries)
        found, passage = self._encode(passages)
        scores = np.empty(len(queries), np.float32)
        for start in range(0, len(queries), PAIRS_PER_BLOCK):
            some = slice(start, start + PAIRS_PER_BLOCK)
            left, right = (vectors.astype(np.float32) for vectors in (asked[query[some]], found[passage[some]]))
            scores[some] = np.einsum("pd,pd->p", left, right)
            progress(len(left))
        return scores

    def _encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return vectors ``[distinct, hidden]`` float16 of the distinct texts, and the index for each text, ``[texts]``."""
        distinct = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        which = np.array([distinct[text] for text in texts], np.int64)
        if not distinct:
            return np.empty((0, self._encoder.dim), np.float16), which
        vectors, _ = encode_passages(
            self._encoder, list(distinct), maxlen=self._maxlen, precision=self._precision, device=self._device
        )
        return vectors, which


def _digest(folder: Path) -> str:
    """Return the identity of a cross-encoder. Raise SettingsError for a harness folder with another kind of model."""
    if not (folder / MANIFEST).exists():
        kept = (path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".safetensors", ".txt", ".model"))
        return digest_of({path.name: sha256_file(path) for path in kept})
    if read_json(folder / MANIFEST).get("kind") == "model":
        kind = read_json(folder / checkpoint.SETTINGS)["kind"]
        raise SettingsError(
            f"{folder} is a {kind} model, no cross-encoder; give a folder of `bench train-teacher` or a Hugging Face "
            f"cross-encoder{', or ask for a bi-encoder' if kind == MeanPooling.kind else ''}"
        )
    return open_folder(folder, cross_encoder.KIND, cross_encoder.VERSION, "train-teacher").digest


def _check_head(folder: Path) -> None:
    """Raise an error for a missing head, which Hugging Face would initialise at random, and for more than one label."""
    config = transformers.AutoConfig.from_pretrained(folder, **ONLY_LOCAL)
    names = config.architectures or ["of no stated architecture"]
    if not names[0].endswith("ForSequenceClassification"):
        raise SettingsError(f"{folder} holds a {names[0]}, no cross-encoder (a model for sequence classification)")
    if config.num_labels != 1:
        raise SettingsError(f"{folder} has {config.num_labels} labels; a teacher has one, the relevance of a passage")
    model, loading = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True, **ONLY_LOCAL
    )
    check_finite(model.state_dict(), folder)
    if missing := sorted(loading["missing_keys"]):
        raise DamagedFileError(f"{folder / base.WEIGHTS} lacks {missing[0]}: the scores of such a model mean nothing")


def open_teacher(kind: str, folder: Path, *, tokens_per_batch: int | None = None, **settings: Any) -> Teacher:
    """Return the teacher of this kind from a local folder; settings: maxlen, precision, device."""
    if kind == BiEncoderTeacher.kind:
        return BiEncoderTeacher(folder, **settings)
    if kind == CrossEncoderTeacher.kind:
        return CrossEncoderTeacher(folder, tokens_per_batch=tokens_per_batch, **settings)
    raise SettingsError(f"teacher {kind!r} is not one of ['bi-encoder', 'cross-encoder']")
