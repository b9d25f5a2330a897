"""Validation while training: exhaustive MaxSim of held-out queries over a slice of the passages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.corpus.texts import Passages, Qrels, Queries, Text
from bench.encoder.encode import encode_passages, encode_queries
from bench.encoder.model import LateInteraction
from bench.errors import DataError, SettingsError
from bench.index.ids import id_ranks
from bench.search.kernels.loops import maxima
from bench.search.ranking import results, top

Score = Callable[[Mapping[str, Sequence[tuple[str, float]]], Qrels], float]


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Queries with judgements, and the passages that they are searched in."""

    queries: Sequence[Text]
    qrels: Qrels
    passages: Sequence[Text]

    def rank(
        self, encoder: LateInteraction, depth: int, *, query_maxlen: int, doc_maxlen: int, precision: str, device: str
    ) -> dict[str, list[tuple[str, float]]]:
        """Ids and scores of the best ``depth`` passages of each query, by the vectors that this encoder gives now.

        The vectors are those of ``bench encode``, and the scores those of the engine ``exact`` over them. It is not called
        here, since it searches indexes: a training would then depend on codecs and on the layout of an index.
        """
        passages, queries = [text.text for text in self.passages], [text.text for text in self.queries]
        vectors, doclens = encode_passages(encoder, passages, maxlen=doc_maxlen, precision=precision, device=device)
        asked = encode_queries(encoder, queries, maxlen=query_maxlen, precision=precision, device=device)
        ids = [text.id for text in self.passages]
        starts, numbers, ranks = np.cumsum(doclens) - doclens, np.arange(len(ids)), id_ranks(ids)
        wide = vectors.astype(np.float32)
        found = {}
        for text, query in zip(self.queries, asked, strict=True):
            scores = maxima(np.ascontiguousarray(wide @ query[query.any(axis=1)].T), starts).sum(axis=1)
            found[text.id] = results(top(numbers, scores, depth, ranks), ids, text.id, depth, "none")[0]
        return found


def held_out(corpus: Passages, queries: Queries, trained_on: set[str], passages: int, seed: int) -> HeldOut:
    """The judged queries that are not ``trained_on`` (texts), and a slice of the corpus to find their passages in.

    The slice has every relevant passage of these queries, and passages drawn by seed from the rest up to ``passages``, all
    in the order of the corpus. Raises DataError where no query is left or a relevant passage is not in the corpus, and
    SettingsError where the relevant ones alone are more than ``passages``.
    """
    left = [text for text in queries.texts if text.text not in trained_on and _relevant(queries.qrels, text.id)]
    if not left:
        raise DataError(
            f"none of the {len(queries.texts)} validation queries is both judged and absent from the training set"
        )
    qrels = {text.id: dict(queries.qrels[text.id]) for text in left}
    ids = corpus.ids()
    position = {name: number for number, name in enumerate(ids)}
    relevant = sorted({name for text in left for name in _relevant(qrels, text.id)})
    if absent := [name for name in relevant if name not in position]:
        raise DataError(f"relevant passage {absent[0]!r} of the validation queries is not in the corpus")
    if len(relevant) > passages:
        raise SettingsError(
            f"validation_passages {passages} is fewer than the {len(relevant)} relevant passages of {len(left)} queries"
        )
    needed = np.array([position[name] for name in relevant])
    others = np.setdiff1d(np.arange(len(ids)), needed)
    drawn = np.random.default_rng(seed).permutation(others)[: passages - len(needed)]
    return HeldOut(queries=left, qrels=qrels, passages=list(corpus.at(np.sort(np.concatenate([needed, drawn])).tolist())))


def _relevant(qrels: Qrels, query: str) -> list[str]:
    return [passage for passage, grade in qrels.get(query, {}).items() if grade > 0]
