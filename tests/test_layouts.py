"""The real ids of BEIR, LoTTE, MS MARCO and Wikipedia through every verb, from made files in ir_datasets' own layout."""

import json
import math
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from bench.cli import main
from bench.config import datasets
from bench.config.benchmark import Benchmark
from bench.config.plan import resolve
from bench.encoder import checkpoint
from bench.evaluation.runs import read_run
from bench.files.provenance import ROOT
from bench.files.storage import read_json
from workflow.jobs import Jobs
from workflow.report_jobs import ReportJobs

PROTOCOL = datasets.read(ROOT / "config" / "datasets.yaml")
DEPTH = 1000
KEPT_OF_LOCAL_EVAL = 4
CONFIG = {
    "name": "layouts",
    "seed": 5,
    "depth": DEPTH,
    "models": {"tiny": {"base": {"name": "./made-here"}, "projection": {"dim": 16}}},
    "presets": {"exact": {"engine": "exact"}},
    "grid": [{"models": ["tiny"], "codecs": ["fp16"], "presets": ["exact"]}],
    "bm25": True,
    "encode": {"passages_per_shard": 8, "precision": "float32"},
    "kmeans": {"iterations": 1},
}


def counted(made):
    """The protocol with the counts of the made files, and everything else as it is."""
    sets = {
        name: {
            **PROTOCOL.sets[name],
            "passages": len(found.passages),
            "queries": len(found.queries),
            "judgements": found.judgements,
        }
        for name, found in made.items()
    }
    sets["msmarco-passage/dev/local-eval"]["sample"] = KEPT_OF_LOCAL_EVAL
    return datasets.Protocol(sets=sets, groups=PROTOCOL.groups)


class Bench:
    """A folder in which verbs are called with the flags that the rules call them with."""

    def __init__(self, root: Path, made, queries):
        self.plan = resolve(Benchmark.parse({**CONFIG, "queries": queries}, "made.yaml"), "made.yaml", counted(made))
        self.jobs, self.reports, self.root = Jobs(self.plan), ReportJobs(self.plan), root

    def __call__(self, verb, settings, **paths):
        words = [verb, *shlex.split(settings)]
        for name, value in paths.items():
            found = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *(str(self.root / path) for path in found)]
        return main(words)

    def run(self, entry):
        """Every verb that a query set needs; its collection is made once."""
        corpus, queries = entry.corpus_name, entry.name
        at = SimpleNamespace(
            corpus=corpus, queries=queries, model="tiny", codec="fp16", preset="exact", system="tiny/fp16/exact"
        )
        if not (self.root / corpus).exists():
            self.index(at)
        folder = f"{corpus}/tiny/fp16/exact/{queries}"
        texts, vectors = f"{corpus}/queries/{queries}", f"{corpus}/tiny/queries/{queries}"
        jobs = self.jobs
        assert self("queries", jobs.queries(at), output=texts) == 0
        assert self("encode-queries", jobs.encode_queries(at), model="models/tiny", queries=texts, output=vectors) == 0
        index, run = f"{corpus}/tiny/fp16/index", f"{folder}/run.trec.gz"
        assert self("search", jobs.search(at), index=index, queries=vectors, output=run) == 0
        assert self("evaluate", jobs.evaluate(at), run=run, queries=texts, output=f"{folder}/metrics.json") == 0
        made = {"corpus": f"{corpus}/corpus", "vectors": self.shards(corpus), "queries": texts, "query_vectors": vectors}
        assert self("truncation", jobs.truncation(at), **made, output=f"{corpus}/tiny/truncation/{queries}.json") == 0
        at.system, folder = "bm25", f"{corpus}/bm25/{queries}"
        run = f"{folder}/run.trec.gz"
        assert self("bm25", jobs.bm25(at), corpus=f"{corpus}/corpus", queries=texts, output=run) == 0
        assert self("evaluate", jobs.evaluate(at), run=run, queries=texts, output=f"{folder}/metrics.json") == 0

    def index(self, at):
        corpus, index = f"{at.corpus}/corpus", f"{at.corpus}/tiny/fp16/index"
        assert self("corpus", self.jobs.corpus(at), output=corpus) == 0
        for number, shard in enumerate(self.shards(at.corpus)):
            at.shard = number
            assert self("encode", self.jobs.encode(at), model="models/tiny", corpus=corpus, output=shard) == 0
        assert self("index", "", corpus=corpus, vectors=self.shards(at.corpus), output=index) == 0
        size = f"{at.corpus}/tiny/fp16/size.json"
        assert self("size", self.jobs.size(at), index=index, output=size) == 0

    def shards(self, corpus):
        return [f"{corpus}/tiny/vectors/{shard}" for shard in self.plan.shards(corpus)]

    def paths(self, names):
        return [name.removeprefix("build/") for name in names]

    def record(self, dataset_id, name="metrics.json", system="tiny/fp16/exact"):
        entry = next(entry for entry in self.plan.entries.values() if entry.id == dataset_id)
        return read_json(self.root / entry.corpus_name / system / entry.name / name)

    def ranking(self, dataset_id, system="tiny/fp16/exact"):
        entry = next(entry for entry in self.plan.entries.values() if entry.id == dataset_id)
        return read_run(self.root / entry.corpus_name / system / entry.name / "run.trec.gz")


def widened(encoder):
    """The encoder with room for every length of the protocol; vectors of short texts stay what they are."""
    config, weights = encoder.bert.config, encoder.bert.state_dict()
    config.max_position_embeddings = 512
    name = "embeddings.position_embeddings.weight"
    weights[name] = torch.nn.functional.pad(weights[name], (0, 0, 0, 512 - len(weights[name])))
    encoder.bert = type(encoder.bert)(config, add_pooling_layer=False)
    encoder.bert.load_state_dict(weights)
    return encoder


@pytest.fixture(scope="module")
def bench(layouts, tiny_encoder, tmp_path_factory):
    """All made query sets evaluated and reported; SciFact with shorter passages than the protocol's."""
    given = {name: {} for name in layouts} | {"beir/scifact/test": {"override": {"doc_maxlen": 12}}}
    found = Bench(tmp_path_factory.mktemp("layouts"), layouts, given)
    checkpoint.save(widened(tiny_encoder(pad_queries=False)), found.root / "models/tiny")
    for entry in found.plan.entries.values():
        found.run(entry)
    metrics, sizes = found.paths(found.reports.metrics()), found.paths(found.reports.sizes())
    assert found("tables", f"{found.reports.means()} --seed 1", metrics=metrics, sizes=sizes, output="results") == 0
    truncations = found.paths(found.reports.truncations())
    assert found("protocol-report", "", truncations=truncations, metrics=metrics, output="results") == 0
    return found


def by_hand(measure, ranking, grades):
    """A measure of one query, from its definition."""
    name, cutoff = measure.split("@")
    gains = [max(grades.get(passage, 0), 0) for passage, _ in ranking[: int(cutoff)]]
    relevant = [grade for grade in grades.values() if grade > 0]
    if name == "nDCG":
        ideal = sorted(relevant, reverse=True)[: int(cutoff)]
        discounted = [sum(gain / math.log2(rank + 2) for rank, gain in enumerate(found)) for found in (gains, ideal)]
        return discounted[0] / discounted[1] if ideal else 0.0
    if name == "R":
        return sum(gain > 0 for gain in gains) / len(relevant) if relevant else 0.0
    first = next((rank for rank, gain in enumerate(gains, start=1) if gain > 0), None)
    return 0.0 if first is None else 1.0 if name == "Success" else 1 / first


def test_every_made_query_set_is_scored_as_its_measures_are_defined(bench, layouts):
    for entry in bench.plan.entries.values():
        run, record = bench.ranking(entry.id), bench.record(entry.id)
        kept = set(run)
        assert len(kept) == entry.kept
        judged = {query: row for query, row in layouts[entry.id].qrels.items() if query in kept}
        for measure in PROTOCOL.sets[entry.id]["measures"]:
            values = [by_hand(measure, run[query], grades) for query, grades in judged.items()]
            assert record["mean"][measure] == pytest.approx(sum(values) / len(values), abs=1e-4), (entry.id, measure)
    assert len(bench.plan.entries) == 13


def test_the_passages_that_are_searched_are_those_of_the_files_with_their_titles(bench, layouts):
    for name, found in layouts.items():
        lines = (bench.root / found.corpus.replace("/", "-") / "corpus/passages.jsonl").read_text().splitlines()
        assert {row["id"]: row["text"] for row in map(json.loads, lines)} == found.passages, name


def test_every_result_is_a_passage_and_every_ranking_holds_all_of_them(bench, layouts):
    for name, found in layouts.items():
        own = 1 if name == "beir/arguana" else 0
        for query, ranking in bench.ranking(name).items():
            assert len({passage for passage, _ in ranking} & set(found.passages)) == len(found.passages) - own, (name, query)


def test_a_query_of_arguana_never_finds_itself_and_the_removals_are_counted(bench):
    assert all(query not in [passage for passage, _ in ranking] for query, ranking in bench.ranking("beir/arguana").items())
    assert bench.record("beir/arguana")["run"]["counts"]["self_matches"] == 4
    assert bench.record("beir/arguana", system="bm25")["run"]["counts"]["self_matches"] == 4
    assert bench.record("lotte/writing/test/search")["run"]["counts"]["self_matches"] == 0


def test_queries_that_are_passages_are_refused_where_none_is_expected(bench, capsys):
    paths = {"index": "beir-arguana/tiny/fp16/index", "queries": "beir-arguana/tiny/queries/beir-arguana"}
    assert bench("search", "--engine exact --depth 10 --threads 1 --self-match absent", **paths, output="refused/run") == 1
    assert "4 queries have the id of a passage, such as ['argument-0', 'argument-1', " in capsys.readouterr().err
    assert not (bench.root / "refused").exists()
    assert bench.record("beir/quora/test")["run"]["settings"]["self_match"] == "absent"


def test_equal_ids_of_two_numberings_are_no_self_matches(bench):
    found = bench.ranking("lotte/writing/test/search")
    assert all(query in [passage for passage, _ in ranking] for query, ranking in found.items())


def test_negative_grades_and_higher_ones_count_as_the_protocol_says(bench, layouts):
    grades = {grade for row in layouts["beir/trec-covid"].qrels.values() for grade in row.values()}
    assert grades == {-1, 0, 1, 2}
    assert bench.record("beir/trec-covid")["protocol"]["gains"] == "graded"
    assert bench.record("dpr-w100/natural-questions/dev")["protocol"]["gains"] == "binary"


def test_query_sets_of_one_collection_search_one_index(bench):
    for names in (
        ("msmarco-passage/dev/small", "msmarco-passage/dev/local-eval", "msmarco-passage/trec-dl-2019/judged"),
        ("lotte/writing/test/search", "lotte/writing/test/forum"),
    ):
        assert len({bench.record(name)["run"]["inputs"]["index"] for name in names}) == 1
    pooled = bench.record("lotte/pooled/test/search")["run"]
    assert pooled["inputs"]["index"] != bench.record("lotte/writing/test/search")["run"]["inputs"]["index"]
    assert pooled["index"]["counts"]["passages"] == 15
    assert len(list(bench.root.glob("*/tiny/fp16/index"))) == 10


def test_a_compressed_index_of_a_lotte_topic_serves_its_search_and_its_forum_queries(bench, layouts):
    names = ["lotte/writing/test/search", "lotte/writing/test/forum"]
    presets = {"colbertv2": {"engine": "colbertv2", "nprobe": 2, "ncandidates": DEPTH}}
    grid = [{"models": ["tiny"], "codecs": ["residual-2"], "presets": ["colbertv2"]}]
    settings = {**CONFIG, "queries": {name: {} for name in names}, "presets": presets, "grid": grid}
    plan = resolve(Benchmark.parse(settings, "made.yaml"), "made.yaml", counted(layouts))
    jobs, corpus = Jobs(plan), "lotte-writing-test"
    axes = {"codec": "residual-2", "preset": "colbertv2", "system": "tiny/residual-2/colbertv2"}
    at = SimpleNamespace(corpus=corpus, model="tiny", times="", **axes)
    shards, centroids, codec = bench.shards(corpus), f"{corpus}/tiny/centroids", f"{corpus}/tiny/residual-2/codec"
    codes, residuals = ([f"{shard}.{part}" for shard in shards] for part in ("codes", "residuals"))
    assert bench("centroids", jobs.centroids(at), vectors=shards, output=centroids) == 0
    assert bench("fit", "--codec residual-2 --seed 1 --threads 1", centroids=centroids, output=codec) == 0
    for shard, code, residual in zip(shards, codes, residuals, strict=True):
        assert bench("assign", "--threads 1", vectors=shard, centroids=centroids, output=code) == 0
        assert bench("compress", "", vectors=shard, codes=code, codec=codec, output=residual) == 0
    index, parts = f"{corpus}/tiny/residual-2/index", {"codes": codes, "residuals": residuals, "codec": codec}
    assert bench("index", "", corpus=f"{corpus}/corpus", vectors=shards, **parts, output=index) == 0
    for name in names:
        at.queries = name.replace("/", "-")
        folder, texts = f"{corpus}/tiny/residual-2/colbertv2/{at.queries}", f"{corpus}/queries/{at.queries}"
        paths = {"index": index, "queries": f"{corpus}/tiny/queries/{at.queries}"}
        assert bench("search", jobs.search(at), **paths, output=f"{folder}/run.trec.gz") == 0
        run = f"{folder}/run.trec.gz"
        assert bench("evaluate", jobs.evaluate(at), run=run, queries=texts, output=f"{folder}/metrics.json") == 0
        record, found = (read(name, system=at.system) for read in (bench.record, bench.ranking))
        assert record["run"]["index"]["text"] == "{text}"
        assert record["counts"]["results"] == sum(map(len, found.values())) > 0
        values = [by_hand("Success@5", found[query], row) for query, row in layouts[name].qrels.items()]
        assert record["mean"]["Success@5"] == pytest.approx(sum(values) / 3)


def test_local_eval_is_drawn_from_the_judged_queries_of_dev_outside_dev_small(bench, layouts):
    kept = set(bench.ranking("msmarco-passage/dev/local-eval"))
    assert len(kept) == KEPT_OF_LOCAL_EVAL
    assert kept <= {"3", "4", "5", "6", "7", "8"}
    assert bench.record("msmarco-passage/dev/local-eval")["queries"]["seed"] == 20211202


def test_local_eval_by_a_list_of_ids_keeps_these_and_is_marked(layouts, tmp_path):
    (tmp_path / "list.txt").write_text("8\n3\n")
    given = {"msmarco-passage/dev/local-eval": {"ids": str(tmp_path / "list.txt"), "sample": 2}}
    found = Bench(tmp_path, layouts, given)
    entry = next(iter(found.plan.entries.values()))
    assert found("queries", found.jobs.queries(SimpleNamespace(queries=entry.name)), output="queries") == 0
    lines = (tmp_path / "queries/queries.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["3", "8"]
    assert entry.deviations == {"sample": "2 of 6 queries, named in list.txt"}
    assert found.jobs.asked(SimpleNamespace(queries=entry.name)) == [str(tmp_path / "list.txt")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3\n9\n", r"no judged query with these ids of the list: \['9'\]"),
        ("3\n0\n", r"no judged query with these ids of the list: \['0'\]"),
        ("3\n3\n", r"ids that stand twice in the list for msmarco-passage/dev/judged: \['3'\]"),
        ("3\n", "the list for msmarco-passage/dev/judged has 1 ids, the sample is 2"),
    ],
)
def test_a_list_of_ids_that_is_not_one_of_local_eval_is_refused(layouts, tmp_path, capsys, text, message):
    (tmp_path / "list.txt").write_text(text)
    found = Bench(tmp_path, layouts, {"msmarco-passage/dev/local-eval": {"ids": str(tmp_path / "list.txt"), "sample": 2}})
    settings = found.jobs.queries(SimpleNamespace(queries="msmarco-passage-dev-local-eval"))
    assert found("queries", settings, output="queries") == 1
    assert re.search(f"bench queries: DataError: .*{message}", capsys.readouterr().err)
    assert not (tmp_path / "queries/manifest.json").exists()


def test_truncation_of_other_shards_than_those_of_the_texts_is_refused(bench, capsys):
    lotte = SimpleNamespace(queries="lotte-writing-test-search", model="tiny")
    folder = "lotte-writing-test"
    texts = {"queries": f"{folder}/queries/{lotte.queries}", "query_vectors": f"{folder}/tiny/queries/{lotte.queries}"}
    for vectors, message in (
        (bench.shards("lotte-pooled-test"), "were not made from these texts by one model"),
        (bench.shards(folder)[:1], "hold 8 passages, the corpus 12: one is missing"),
    ):
        given = {"corpus": f"{folder}/corpus", "vectors": vectors, **texts, "output": "refused.json"}
        assert bench("truncation", bench.jobs.truncation(lotte), **given) == 1
        assert message in capsys.readouterr().err
    assert not (bench.root / "refused.json").exists()


def test_the_real_counts_refuse_the_made_files(bench, capsys):
    shards = {**CONFIG["encode"], "passages_per_shard": 2400}
    config = {**CONFIG, "queries": {"beir/scifact/test": {}}, "encode": shards}
    real = resolve(Benchmark.parse(config, "real.yaml"), "real.yaml", PROTOCOL)
    jobs, at = Jobs(real), SimpleNamespace(corpus="beir-scifact", queries="beir-scifact-test")
    assert bench("corpus", jobs.corpus(at), output="refused") == 1
    assert "beir/scifact has 12 passages here, the protocol says 5183" in capsys.readouterr().err
    assert bench("queries", jobs.queries(at), output="refused") == 1
    assert "beir/scifact/test has 4 queries here, the protocol says 300" in capsys.readouterr().err


def test_table_1_has_a_row_per_run_marks_what_differs_and_has_no_mean_of_a_part(bench, layouts):
    table = pd.read_csv(bench.root / "results/table1_quality.csv", keep_default_na=False)
    assert sorted(set(table["dataset"])) == sorted(layouts)
    assert len(table) == 2 * len(layouts)
    marked = table[table["deviations"] != ""]
    assert set(marked["dataset"]) == {"beir/scifact/test"}
    assert set(marked["deviations"]) == {"doc_maxlen 12, protocol 300"}
    text = (bench.root / "results/table1_quality.md").read_text()
    assert text.count("| beir/scifact/test † ") == 2
    assert text.count("†") == 3
    assert "No CQADupStack, mean of 12, tiny / fp16 / exact: missing beir/cqadupstack/english, " in text
    assert "No LoTTE test forum, mean of 5 topics, bm25 / text / bm25: missing lotte/recreation/test/forum, " in text


def test_table_6_says_what_was_cut_and_what_is_short(bench, layouts):
    table = pd.read_csv(bench.root / "results/table6_protocol.csv").set_index("dataset")
    assert table["model"].tolist() == ["tiny"] * len(layouts) + ["bm25"] * len(layouts)
    table = table[table["model"] == "tiny"]
    assert sorted(table.index) == sorted(layouts)
    assert table["passages"].to_dict() == {name: len(found.passages) for name, found in layouts.items()}
    cut = table[table["passages_cut"] > 0]
    assert cut.index.tolist() == ["beir/scifact/test"]
    row = cut.iloc[0]
    relevant = {passage for judged in layouts["beir/scifact/test"].qrels.values() for passage in judged}
    assert (row["passages_cut"], row["relevant"], row["relevant_cut"]) == (12, len(relevant), len(relevant))
    # a title and 14 words are 2 + 14 + 3 vectors with the markers; the dots after them are none
    assert row["vectors"] == 12 * (2 + 14 + 3)
    assert row["vectors_cut"] == row["vectors"] - 12 * 12
    assert (table["short"] == [len(bench.ranking(name)) for name in table.index]).all()
    assert table.loc["beir/quora/test", "text"] == "{text}"
    assert table.loc["beir/scifact/test", "text"] == "{title} {text}"
