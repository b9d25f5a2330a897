"""Validation during training: exhaustive MaxSim of held-out queries over a sample of the passages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.corpus.texts import Passages, Qrels, Queries, Text
from bench.encoder.encode import encode_passages, encode_queries
from bench.encoder.model import LateInteraction
from bench.encoder.pooling import pooled
from bench.errors import DataError, SettingsError
from bench.index.ids import id_ranks
from bench.search.kernels.loops import maxima
from bench.search.ranking import results, top


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Held-out queries with judgements, and the passages to search."""

    queries: Sequence[Text]
    qrels: Qrels
    passages: Sequence[Text]

    def rank(
        self,
        encoder: LateInteraction,
        depth: int,
        *,
        query_maxlen: int,
        doc_maxlen: int,
        precision: str,
        device: str,
        pool: int = 1,
    ) -> dict[str, list[tuple[str, float]]]:
        """Return ids and scores of the best ``depth`` passages of each query, with the current weights of the encoder.

        The vectors are those of ``bench encode``, merged by ``pool`` as in ``bench merge``, and the scores those of
        ``exact``. The engine is not called here, because it searches indexes: training would then depend on codecs and on
        the layout of an index.
        """
        passages, queries = [text.text for text in self.passages], [text.text for text in self.queries]
        vectors, doclens = encode_passages(encoder, passages, maxlen=doc_maxlen, precision=precision, device=device)
        if pool > 1:
            fewer = pooled(vectors, doclens, pool)
            vectors, doclens = fewer.vectors, fewer.doclens
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
    """Return the judged queries that are not in ``trained_on`` (texts), and a sample of the corpus to search.

    The sample holds every relevant passage of these queries and seeded random passages up to ``passages`` in total, in
    corpus order. Raise DataError if no query is left or a relevant passage is not in the corpus, and SettingsError if the
    relevant passages alone exceed ``passages``.
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
