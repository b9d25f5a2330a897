"""Made collections of a dozen passages, in the files and places in which ir_datasets 0.6.3 keeps the real ones.

Its own code finds them there, takes them for what it has downloaded before, and reads them under the real ids.
"""

import gzip
import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import ir_datasets
import numpy as np
import pytest

from tests.fixtures_model import WORDS

Texts = dict[str, str]
Grades = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Made:
    """A made query set: passages as the harness must read them, all queries of its files, and the judgements of the set."""

    corpus: str
    passages: Texts
    queries: Texts
    qrels: Grades

    @property
    def judgements(self) -> int:
        return sum(map(len, self.qrels.values()))


def sentences(seed: int, count: int, words: int) -> list[str]:
    """Distinct lines of ``words`` words that the tiny model knows."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS.split(), words)) + f" {'.' * (number % 3)}" for number in range(count)]


def drawn_grades(seed: int, queries: Texts, passages: Texts, grades: tuple[int, ...]) -> Grades:
    """Two judged passages of each query, every grade in turn."""
    rng = np.random.default_rng(seed)
    found: Grades = {}
    for number, query in enumerate(queries):
        chosen = rng.choice(list(passages), 2, replace=False)
        found[query] = {str(name): grades[(2 * number + place) % len(grades)] for place, name in enumerate(chosen)}
    return found


@pytest.fixture(scope="session")
def layouts() -> dict[str, Made]:
    """Made query sets by their ids, written below the home of ir_datasets."""
    home = ir_datasets.util.home_path()
    return {
        **_beir(home / "beir"),
        **_lotte(home / "lotte"),
        **_msmarco(home / "msmarco-passage"),
        **_dpr(home / "dpr-w100"),
    }


# What the metadata of passages and queries in a corpus.jsonl and a queries.jsonl of BEIR holds, by data set.
_METADATA = {
    "scifact": ({}, {}),
    "arguana": ({}, {}),
    "quora": ({}, {}),
    "trec-covid": ({"url": "", "pubmed_id": "1"}, {"query": "", "narrative": ""}),
    "webis-touche2020": ({"stance": "PRO", "url": ""}, {"description": "", "narrative": ""}),
    "android": ({"tags": []}, {"tags": []}),
}


def _beir(home: Path) -> dict[str, Made]:
    plain = {f"{number}": line for number, line in enumerate(sentences(1, 4, 6))}
    arguments = {f"argument-{number}": line for number, line in enumerate(sentences(2, 12, 9))}
    own = dict(list(arguments.items())[:4])  # ArguAna: queries are passages, by id and by text
    made = {
        "beir/scifact/test": ("scifact", "scifact", "test", {}, plain, (1,)),
        "beir/arguana": ("arguana", "arguana", "test", arguments, own, (1,)),
        "beir/quora/test": ("quora", "quora", "test", {}, {f"{100 + int(n)}": q for n, q in plain.items()}, (1,)),
        "beir/trec-covid": ("trec-covid", "trec-covid", "test", {}, plain, (-1, 0, 1, 2)),
        "beir/webis-touche2020/v2": ("webis-touche2020/v2", "webis-touche2020", "test", {}, plain, (0, 1, 2)),
        "beir/cqadupstack/android": ("cqadupstack", "cqadupstack/android", "test", {}, plain, (1,)),
    }
    found = {}
    for number, (name, (folder, inside, split, passages, queries, grades)) in enumerate(made.items()):
        passages = passages or {f"{place}": line for place, line in enumerate(sentences(10 + number, 12, 14))}
        untitled = name == "beir/quora/test"
        titled = passages if untitled else {key: f"a title {text}" for key, text in passages.items()}
        if name == "beir/arguana":
            queries = {key: titled[key] for key in queries}
        qrels = drawn_grades(number, queries, {key: text for key, text in passages.items() if key not in queries}, grades)
        metadata = _METADATA[inside.split("/")[-1]]
        lines = {
            "corpus.jsonl": [
                {"_id": key, "title": "" if untitled else "a title", "text": text, "metadata": metadata[0]}
                for key, text in passages.items()
            ],
            # of all splits, as BEIR has them: the last query is of another one
            "queries.jsonl": [
                {"_id": key, "text": text, "metadata": metadata[1]}
                for key, text in (
                    {**queries, "elsewhere": "of another split"} if name.endswith("/test") else queries
                ).items()
            ],
        }
        judged = "query-id\tcorpus-id\tscore\n" + "".join(
            f"{query}\t{passage}\t{grade}\n" for query, row in qrels.items() for passage, grade in row.items()
        )
        (home / folder).mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(home / folder / "source.zip", "w") as archive:
            for file, rows in lines.items():
                archive.writestr(f"{inside}/{file}", "".join(json.dumps(row) + "\n" for row in rows))
            archive.writestr(f"{inside}/qrels/{split}.tsv", judged)
        corpus = name.removesuffix("/test")
        found[name] = Made(corpus, titled, queries, qrels)
    return found


def _lotte(home: Path) -> dict[str, Made]:
    found = {}
    files = {}
    for number, (topic, kinds) in enumerate({"writing": ("search", "forum"), "pooled": ("search",)}.items()):
        folder = f"lotte/{topic}/test"
        passages = {f"{place}": line for place, line in enumerate(sentences(30 + number, 12 + 3 * number, 11))}
        files[f"{folder}/collection.tsv"] = _tsv(passages)
        for kind in kinds:
            queries = {f"{place}": line for place, line in enumerate(sentences(40 + number + len(kind), 3, 5))}
            qrels = drawn_grades(50 + number + len(kind), queries, passages, (1,))
            answers = [
                {"qid": int(query), "answer_pids": list(map(int, qrels[query])), "query": queries[query]} for query in qrels
            ]
            files[f"{folder}/questions.{kind}.tsv"] = _tsv(queries)
            files[f"{folder}/qas.{kind}.jsonl"] = "".join(json.dumps(row) + "\n" for row in answers)
            found[f"lotte/{topic}/test/{kind}"] = Made(f"lotte/{topic}/test", passages, queries, qrels)
    _tar(home / "lotte.tar.gz", files)
    return found


def _msmarco(home: Path) -> dict[str, Made]:
    """Queries 0 to 2 are dev/small, 0 to 9 dev, of which the last is not judged; 20 to 22 those of 2019, 22 not judged."""
    passages = {f"{number}": line for number, line in enumerate(sentences(60, 14, 12))}
    dev = {f"{number}": line for number, line in enumerate(sentences(61, 10, 5))}
    judged = drawn_grades(62, dict(list(dev.items())[:9]), passages, (1,))
    small = {query: dev[query] for query in ("0", "1", "2")}
    later = {f"{number}": line for number, line in enumerate(sentences(63, 3, 5), start=20)}
    graded = drawn_grades(64, dict(list(later.items())[:2]), passages, (0, 1, 2, 3))
    collection = {"collection.tsv": _tsv(passages), "queries.dev.small.tsv": _tsv(small)}
    collection["qrels.dev.small.tsv"] = _qrels({query: judged[query] for query in small}, "\t")
    _tar(home / "collectionandqueries.tar.gz", collection)
    _tar(home / "queries.tar.gz", {"queries.dev.tsv": _tsv(dev)})
    for name, text in {"dev/qrels": _qrels(judged, "\t"), "trec-dl-2019/qrels": _qrels(graded, " ")}.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    (home / "trec-dl-2019/queries.tsv").write_text(_tsv(later))
    outside = {query: row for query, row in judged.items() if query not in small}
    return {
        "msmarco-passage/dev/small": Made("msmarco-passage", passages, small, {query: judged[query] for query in small}),
        "msmarco-passage/dev/local-eval": Made(
            "msmarco-passage", passages, {query: dev[query] for query in outside}, outside
        ),
        "msmarco-passage/trec-dl-2019/judged": Made("msmarco-passage", passages, {q: later[q] for q in graded}, graded),
    }


def _dpr(home: Path) -> dict[str, Made]:
    lines = sentences(70, 9, 8)
    passages = {f"{number}": line for number, line in enumerate(lines, start=1)}
    home.mkdir(parents=True, exist_ok=True)
    rows = "".join(f'{key}\t"{text}"\ta title\n' for key, text in passages.items())
    (home / "docs.tsv.gz").write_bytes(gzip.compress(f"id\ttext\ttitle\n{rows}".encode()))
    queries = {f"{number}": line for number, line in enumerate(sentences(71, 2, 4))}
    qrels = {"0": {"1": 2, "2": 1, "3": 0, "4": -1}, "1": {"5": 2, "6": -1}}
    context = {2: ("positive_ctxs", 1000), 1: ("positive_ctxs", 12), 0: ("hard_negative_ctxs", 0), -1: ("negative_ctxs", 0)}
    records = []
    for query, row in qrels.items():
        record = {
            "question": queries[query],
            "answers": ["x"],
            "positive_ctxs": [],
            "hard_negative_ctxs": [],
            "negative_ctxs": [],
        }
        for passage, grade in row.items():
            part, score = context[grade]
            record[part].append({"passage_id": passage, "score": score})
        records.append(record)
    (home / "nq-dev.json.gz").write_bytes(gzip.compress(json.dumps(records).encode()))
    titled = {key: f'a title "{text}"' for key, text in passages.items()}
    return {"dpr-w100/natural-questions/dev": Made("dpr-w100", titled, queries, qrels)}


def _tsv(texts: Texts) -> str:
    return "".join(f"{key}\t{text}\n" for key, text in texts.items())


def _qrels(qrels: Grades, separator: str) -> str:
    rows = ((query, "0", passage, str(grade)) for query, row in qrels.items() for passage, grade in row.items())
    return "".join(separator.join(row) + "\n" for row in rows)


def _tar(path: Path, files: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
