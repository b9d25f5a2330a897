"""The tables of the papers as data: which printed numbers of results/published.csv stand in which row and column.

A row and a column are a title and the values of the columns of the CSV file that select their numbers. The numbers of the
tables are those of arXiv 2112.01488 (ColBERTv2), and of arXiv 2205.09707 (PLAID) where the name says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

COLBERTV2 = "ColBERTv2 (arXiv 2112.01488)"
PLAID = "PLAID (arXiv 2205.09707)"
Where = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """One table: ``tables`` of ``source`` are what the CSV file calls it, ``heads`` the titles of the row titles."""

    caption: str
    tables: tuple[str, ...]
    heads: tuple[str, ...]
    rows: Mapping[tuple[str, ...], Where]
    columns: Mapping[str, Where]
    source: str = COLBERTV2

    @property
    def datasets(self) -> tuple[str, ...]:
        """ids that the rows or the columns name, each once."""
        places = (*self.rows.values(), *self.columns.values())
        return tuple(dict.fromkeys(where["dataset"] for where in places if "dataset" in where))


def _systems(*names: str) -> dict[str, Where]:
    return {name: {"system": name} for name in names}


def _rows(columns: Mapping[str, Where]) -> dict[tuple[str, ...], Where]:
    return {(title,): where for title, where in columns.items()}


def _measures(prefix: str, dataset: str, **measures: str) -> dict[str, Where]:
    return {f"{prefix} {title}": {"dataset": dataset, "measure": measure} for title, measure in measures.items()}


def _of(task: str, **datasets: str) -> dict[tuple[str, ...], Where]:
    return {(task, title.replace("_", "-")): {"dataset": dataset} for title, dataset in datasets.items()}


def _lotte(split: str) -> dict[tuple[str, ...], Where]:
    topics = ("writing", "recreation", "science", "technology", "lifestyle", "pooled")
    return {
        (f"LoTTE {kind}", topic.capitalize()): {"dataset": f"lotte/{topic}/{split}/{kind}"}
        for kind in ("search", "forum")
        for topic in topics
    }


LOTTE_SYSTEMS = _systems("ColBERT", "BM25", "ANCE", "RocketQAv2", "SPLADEv2", "ColBERTv2")
SEARCH, RELATEDNESS, MARCO = "search", "semantic relatedness", "msmarco-passage/collection"
MARCO_RECALLS = {"RR@10": "RR@10", "R@50": "R@50", "R@1000": "R@1000"}
INDEX = {"measure": "index_GiB (as printed)"}
LIST = {"measure": "inverted_list_GiB (as printed)"}
PER_VECTOR = {"measure": "bytes_per_vector (incl. 4-byte centroid id when compressed)"}
VANILLA, CODED = "ColBERT (vanilla model, uncompressed)", "ColBERT (vanilla model) + residual"
BINARY = "ColBERT (vanilla model) + BPR-style binarisation"
SEARCHES = (
    "Vanilla ColBERTv2 p=2,c=2^13",
    "Vanilla ColBERTv2 p=4,c=2^16",
    *(f"PLAID ColBERTv2 k={depth}" for depth in (10, 100, 1000)),
)
TIMES = {"ms, 1 CPU": "latency_ms_cpu1", "ms, 8 CPUs": "latency_ms_cpu8", "ms, GPU": "latency_ms_gpu"}

PAPER_TABLES: Mapping[str, PaperTable] = {
    "table4": PaperTable(
        caption="Table 4: in-domain retrieval on the passages of MS MARCO, the development set and the Local Eval set.",
        tables=("Table 4",),
        heads=("system",),
        rows=_rows(
            _systems("RepBERT", "DPR", "ANCE", "LTRe", "ColBERT", "TAS-B", "SPLADEv2", "PAIR", "coCondenser", "RocketQAv2")
            | _systems("ColBERTv2")
        ),
        columns=_measures("dev", "msmarco-passage/dev/small", **MARCO_RECALLS)
        | _measures("Local Eval", "msmarco-passage/dev/local-eval", **MARCO_RECALLS),
    ),
    "table5a": PaperTable(
        caption="Table 5a: zero-shot retrieval on BEIR, nDCG@10.",
        tables=("Table 5a",),
        heads=("task", "data set"),
        rows=_of(
            SEARCH,
            DBPedia="beir/dbpedia-entity/test",
            FiQA="beir/fiqa/test",
            NQ="beir/nq",
            HotpotQA="beir/hotpotqa/test",
            NFCorpus="beir/nfcorpus/test",
            TREC_COVID="beir/trec-covid",
            Touché="beir/webis-touche2020/v2",
        )
        | _of(
            RELATEDNESS,
            ArguAna="beir/arguana",
            Climate_FEVER="beir/climate-fever",
            FEVER="beir/fever/test",
            Quora="beir/quora/test",
            SCIDOCS="beir/scidocs",
            SciFact="beir/scifact/test",
        ),
        columns=_systems("ColBERT", "DPR-M", "ANCE", "MoDIR", "TAS-B", "RocketQAv2", "SPLADEv2", "ColBERTv2"),
    ),
    "table5b": PaperTable(
        caption="Table 5b: zero-shot retrieval on open question answering over Wikipedia and on LoTTE test, Success@5.",
        tables=("Table 5b",),
        heads=("task", "data set"),
        rows=_of(
            "Wikipedia",
            NQ="dpr-w100/natural-questions/dev",
            TriviaQA="dpr-w100/trivia-qa/dev",
            SQuAD="squad-open (no ir_datasets id)/dev",
        )
        | _lotte("test"),
        columns=LOTTE_SYSTEMS,
    ),
    "table7": PaperTable(
        caption="Table 7: zero-shot retrieval on LoTTE dev, Success@5.",
        tables=("Table 7",),
        heads=("task", "data set"),
        rows=_lotte("dev"),
        columns=LOTTE_SYSTEMS,
    ),
    "compression": PaperTable(
        caption="Appendix B: what compression costs models that were not trained for it, with 16 bits for uncompressed.",
        tables=("App. B text", "App. B footnote 7"),
        heads=("system", "bits"),
        rows={
            (name, bits): {"system": system, "bits": bits}
            for name, system, widths in (
                ("ColBERT", VANILLA, ("16",)),
                ("ColBERT, residual", CODED, ("2", "1")),
                ("ColBERT, binarised", BINARY, ("2", "1")),
                ("ColBERT-QA", "ColBERT-QA", ("16", "2")),
                ("Baleen", "Baleen", ("16", "2")),
            )
            for bits in widths
        },
        columns={
            **_measures("MS MARCO", "msmarco-passage/dev/small", **{"RR@10": "RR@10", "R@50": "R@50"}),
            **_measures(
                "NQ",
                "dpr-w100/natural-questions/dev",
                **{"Success@5": "Success@5", "Success@20": "Success@20", "answer EM": "answer EM"},
            ),
            **_measures("HoVer", "HoVer/dev", **{"R@100": "R@100", "sentence EM": "sentence EM"}),
        },
    ),
    "sizes": PaperTable(
        caption="Sections 3.3 and 5.3: the size of an index of MS MARCO. Measured here: the vectors, or their codes, "
        "residuals and norms; the GiB and the ratio count the inverted list as well.",
        tables=("sec. 3.3 text", "sec. 5.3 text"),
        heads=("system", "bits"),
        rows={
            ("ColBERT", "16"): {"system": "ColBERT", "bits": "16"},
            ("ColBERTv2", "2"): {"system": "ColBERTv2", "bits": "2"},
            ("ColBERTv2", "1"): {"system": "ColBERTv2", "bits": "1"},
            ("ColBERTv2", "any"): {"system": "ColBERTv2", "bits": ""},
        },
        columns={
            "index, GiB": {"dataset": MARCO, **INDEX},
            "inverted list, GiB": {"dataset": MARCO, **LIST},
            "bytes / vector": {"dataset": MARCO, **PER_VECTOR},
            "ratio": {"dataset": MARCO, "measure": "compression ratio"},
        },
    ),
    "plaid-table1": PaperTable(
        caption="PLAID, Table 1: vectors and size of an index.",
        source=PLAID,
        tables=("Table 1",),
        heads=("collection",),
        rows={
            ("MS MARCO v1",): {"dataset": MARCO},
            ("Wikipedia",): {"dataset": "dpr-w100 (Wikipedia)/collection"},
            ("LoTTE pooled dev",): {"dataset": "lotte/pooled/dev/collection"},
            ("MS MARCO v2",): {"dataset": "msmarco-passage-v2/collection"},
        },
        columns={
            "vectors": {"system": "-", "measure": "n_embeddings"},
            "ColBERTv2, GiB": {"system": "Vanilla ColBERTv2", **INDEX},
            "PLAID, GiB": {"system": "PLAID ColBERTv2", **INDEX},
        },
    ),
    "plaid-table3": PaperTable(
        caption="PLAID, Table 3: quality and latency on MS MARCO, on the authors' machines and on the one of the records.",
        source=PLAID,
        tables=("Table 3",),
        heads=("system",),
        rows=_rows(_systems("BM25 (PISA)", "SPLADEv2 (PISA)", "ColBERTv1", *SEARCHES)),
        columns=_measures(
            "dev", "msmarco-passage/dev/small", **{"RR@10": "RR@10", "R@100": "R@100", "R@1000": "R@1000"}, **TIMES
        ),
    ),
}
