"""The HTML report of records made by hand: its data, and what a browser shows of it on a desk and on a phone."""

import base64
import json
import re

import numpy as np
import pandas as pd
import pytest

from bench.config import plan as plans
from bench.corpus.texts import Text, write_queries
from bench.errors import DataError
from bench.files.provenance import ROOT
from bench.files.storage import write_json
from bench.report import overview, page, quality, records
from workflow.report_jobs import reported

DOT = '0[label = "all"]\n1[label = "corpus"]\n2[label = "encode"]\n1 -> 2\n2 -> 0\n'
CONTEXT = {"code": "0123456789abcdef", "packages": {}}


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def rows(metric, size):
    """Records of two late interaction models and BM25, and the sizes of their indexes."""
    metrics, sizes = [], []
    for model, bonus in (("minilm", 0.0), ("contrastive", 0.1)):
        for codec, loss in (("fp16", 0.0), ("residual-2", 0.02)):
            values = [0.8 + bonus - loss, 0.5 + bonus, 0.4 + bonus, 0.6 + bonus - loss]
            metrics.append(metric(model, codec, "exact", values))
            sizes.append(size(model, codec))
    settings = {"ncells": 2, "centroid_score_threshold": 0.45, "ndocs": 1024}
    metrics.append(metric("minilm", "residual-2", "plaid", [0.77, 0.49, 0.39, 0.57], settings=settings))
    return [*metrics, metric("bm25", "text", "bm25", [0.4, 0.4, 0.4, 0.4])], sizes


@pytest.fixture(scope="module")
def sources(tmp_path_factory, metric, size):
    tmp_path = tmp_path_factory.mktemp("page")
    metrics, sizes = rows(metric, size)
    results, folder = tmp_path / "results", tmp_path / "queries"
    frame = records.quality_frame(metrics, sizes, seed=1, margins={"nDCG@10": 0.05})
    results.mkdir()
    quality.quality_table(frame, None, {"nDCG@10": 0.05}).write(results / "table1_quality")
    quality.size_table(records.size_frame(sizes)).write(results / "table2_size")
    (results / "figure1_quality_bytes.png").write_bytes(base64.b64decode(PIXEL))
    texts = [Text(f"q{number}", f"question </script> {number}") for number in range(4)]
    settings = {"dataset": "toy"}
    write_queries(folder, texts, {text.id: {"p": 1} for text in texts}, settings=settings, context=CONTEXT, inputs={})
    paths = [tmp_path / f"{number}.json" for number in range(len(metrics))]
    for path, record in zip(paths, metrics, strict=True):
        run = {**record["run"], "context": CONTEXT, "digest": "d" * 64}
        write_json(path, {**record, "run": run, "context": CONTEXT})
    (tmp_path / "rules.dot").write_text(DOT)
    for place, seconds in (
        ("pydocs-tiny/corpus.tsv", 2.5),
        ("pydocs-tiny/minilm/encode.00000.tsv", 60),
        ("else/corpus.tsv", 9),
    ):
        (tmp_path / "benchmarks" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "benchmarks" / place).write_text(f"s\tmax_rss\n{seconds}\t{10 * seconds}\n")
    return page.Sources(
        results=results,
        items=["table1_quality", "table2_size", "figure1_quality_bytes"],
        metrics=paths,
        latencies=[],
        queries=[folder],
        benchmarks=tmp_path / "benchmarks",
        rules=tmp_path / "rules.dot",
    )


@pytest.fixture(scope="module")
def plan():
    return plans.load(ROOT / "config" / "ci.yaml", ROOT / "config" / "datasets.yaml")


@pytest.fixture(scope="module")
def made(plan, sources):
    with pytest.MonkeyPatch.context() as patch:  # these records are of another plan
        patch.setattr(overview, "what_ran", lambda plan, metrics: [("config", plan.source)])
        return page.page(plan, sources)


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_values_of_every_query_and_run_are_in_the_page_with_the_text_of_the_query(made, sources):
    found = data_of(made)["queries"]["toy"]
    assert found["measure"] == "nDCG@10"
    assert found["runs"][:3] == ["minilm · fp16 · exact", "minilm · residual-2 · exact", "contrastive · fp16 · exact"]
    assert found["rows"][0][:5] == ["q0", "question </script> 0", 0.8, 0.78, 0.9]
    assert len(found["rows"]) == 4


def test_a_query_that_a_run_does_not_cover_has_no_value(metric, sources):
    found = page.per_query(
        [metric("m", "fp16", "exact", [0.123456]), metric("m", "r", "exact", [0.5, 1.0])], sources.queries
    )
    assert found["toy"]["rows"][1] == ["q1", "question </script> 1", None, 1.0]
    assert found["toy"]["rows"][0][2] == 0.1235


def test_the_page_opens_on_the_verdicts_and_names_stages_of_this_plan_alone(made):
    opening = made[made.index('<section id="overview">') : made.index('<section id="quality">')]
    counts = re.findall(r'(\d+) <span class="verdict" data-verdict="(\w+)"', opening)
    assert sum(int(count) for count, _ in counts) == 3
    assert "62.5 s in all jobs that are timed" in re.sub(r"\s+", " ", opening)


def test_a_table_that_no_section_holds_is_refused(plan, sources):
    with pytest.raises(DataError, match=r"table9_new of .* stands in no section of the report"):
        page.page(plan, page.Sources(**{**vars(sources), "items": ["table9_new"]}))


def test_every_figure_of_a_section_has_a_caption_and_every_result_of_the_workflow_a_section(plan):
    held = {stem for stems in page.SECTIONS.values() for stem in stems}
    assert {stem for stem in held if stem.startswith("figure")} == page.FIGURES.keys()
    tables, figures = reported(plan, trained=True, lossy=True)
    assert {*tables, *figures} <= held


def test_measured_numbers_are_counted_by_verdict_and_those_that_were_not_run_by_table():
    cells = [("Table 4", "a", "match"), ("Table 4", "a", "missing"), ("Table 4", "a", "missing"), ("Table 7", "b", "off")]
    printed = pd.DataFrame(cells, columns=["table", "dataset", "verdict"]).assign(source="paper")
    assert overview.against_print(printed) == {"match": 1, "off": 1}
    assert overview.not_run(printed) == [("paper, Table 4", "a: 2 printed numbers")]


def test_times_are_those_of_the_corpora_and_models_of_the_plan(plan, sources):
    found = overview.stages(sources.benchmarks, plan)
    assert [(stage.name, stage.jobs, stage.seconds, stage.memory) for stage in found] == [
        ("encode", 1, 60.0, 600.0),
        ("corpus", 1, 2.5, 25.0),
    ]
    assert [overview.duration(seconds) for seconds in (62.5, 600, 7200)] == ["62.5 s", "10.0 min", "2.0 h"]


@pytest.mark.parametrize("browser", [1280, 390], indirect=True)
def test_a_reader_finds_the_numbers_of_the_csv_sorts_filters_and_compares_two_runs(browser, made, sources):
    def find(path):
        return browser.find_element("css selector", path)

    def column(table, number):
        cells = browser.find_elements("css selector", f"{table} tbody tr:not([hidden]) td:nth-child({number})")
        return [cell.get_property("textContent").strip() for cell in cells]

    path = sources.results / "report.html"
    path.write_text(made)
    browser.get(path.as_uri())
    numbers = pd.read_csv(sources.results / "table1_quality.csv")
    assert column("#headline", 7) == [f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in numbers.itertuples()]

    find("#headline th:nth-child(7)").click()
    sorted_values = [float(text.split()[0]) for text in column("#headline", 7)]
    assert sorted_values == sorted(round(value, 3) for value in numbers["value"])
    find("#headline th:nth-child(7)").click()
    assert [float(text.split()[0]) for text in column("#headline", 7)] == sorted_values[::-1]

    find("[data-table=headline] input").send_keys("contrastive residual-2")
    assert set(column("#headline", 2)) == {"contrastive"}
    assert find("[data-table=headline] .count").text == "1 of 6 rows"

    find("#table1_quality button").click()  # plain numbers
    place = list(numbers.columns).index("value") + 1
    assert [float(text) for text in column("#table1_quality table", place)] == pytest.approx(numbers["value"].tolist())
    find("#table1_quality button").click()
    assert column("#table1_quality table", 2) == numbers["model"].tolist()

    losses = [float(text.replace("−", "-")) for text in column("#per-query-values", 3)]
    assert losses == pytest.approx(np.sort([-0.02, 0.0, 0.0, -0.02]))
    find("#per-query input").send_keys("q3")
    assert column("#per-query-values", 1) == ["q3"]

    assert (
        browser.execute_script(
            "return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length"
        )
        == 0
    )
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
