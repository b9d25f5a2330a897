"""Several seeds: means over them, their spread, and intervals and tests over queries, by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from bench.errors import DataError
from bench.evaluation.comparison import interval
from bench.gate import facts
from bench.report import seeds
from bench.report.codecs import codecs_frame, codecs_table, overlaps
from bench.report.latency import latency_frame, latency_table
from bench.report.models import models_frame, models_table
from bench.report.page import per_query
from bench.report.published import Measured
from bench.report.quality import quality_table, size_table
from bench.report.records import quality_frame, read_metrics, size_frame
from bench.report.training import training_frame, training_table
from bench.report.worst import worst_table

PLAIN = {1: [0.5, 0.5], 2: [0.75, 0.25]}  # by seed: of uncompressed vectors, and of compressed ones
CODED = {1: [0.25, 0.5], 2: [0.5, 0.5]}


@pytest.fixture
def seeded(metric):
    """``seeded(model, codec, preset, {seed: values})``: a record per seed, each of a model and an index of its own."""

    def make(model, codec, preset, values, **changes):
        records = []
        for seed, found in values.items():
            record = metric(model, codec, preset, found, seed=seed, **changes)
            shared = {"corpus": "c", "queries": "q", "model": f"{model}-{seed}", "index": f"{model}/{codec}/{seed}"}
            records.append({**record, "run": {**record["run"], "inputs": shared, "digest": f"run-{codec}-{seed}"}})
        return records

    return make


@pytest.fixture
def records(seeded, metric):
    lexical = metric("bm25", "text", "bm25", [0.25, 0.25])
    lexical["run"]["inputs"].update({"corpus": "c", "queries": "q"})
    return [*seeded("m", "fp16", "exact", PLAIN), *seeded("m", "residual-2", "exact", CODED), lexical]


@pytest.fixture
def sizes(size):
    found = [size("m", "fp16", seed=seed, index=f"m/fp16/{seed}") for seed in (1, 2)]
    larger = {"bytes_per_vector": 66.0, "total": 660}
    found.append(size("m", "residual-2", seed=1, index="m/residual-2/1"))
    return [*found, size("m", "residual-2", seed=2, index="m/residual-2/2", **larger)]


def test_a_row_is_the_mean_of_its_seeds_query_by_query(records):
    plain, coded, lexical = seeds.over_seeds(records)
    assert plain["per_query"]["nDCG@10"] == {"q0": 0.625, "q1": 0.375}
    assert coded["per_query"]["nDCG@10"] == {"q0": 0.375, "q1": 0.5}
    assert (plain["mean"]["nDCG@10"], coded["mean"]["nDCG@10"]) == (0.5, 0.4375)
    assert plain["counts"] == records[0]["counts"]
    assert lexical is records[-1]
    assert [record["seed"] for record in seeds.made_of(coded)] == [1, 2]
    assert seeds.over_seeds([plain, coded, lexical]) == [plain, coded, lexical]


def test_table_1_has_means_with_their_spread_and_the_interval_over_queries_of_averaged_values(records, sizes):
    frame = quality_frame(records, sizes, seed=0, margins={"nDCG@10": 0.5})
    plain, coded, lexical = frame.to_dict("records")
    assert (plain["value"], coded["value"]) == (0.5, 0.4375)
    assert plain["value_spread"] == 0  # both seeds have the mean 0.5
    assert coded["value_spread"] == pytest.approx(np.std([0.375, 0.5], ddof=1))  # 0.0884
    assert (coded["seeds"], coded["value_seed_1"], coded["value_seed_2"]) == ("1 2", 0.375, 0.5)
    assert (coded["low"], coded["high"]) == interval(np.array([0.375, 0.5]), np.random.default_rng(0))
    assert coded["difference"] == -0.0625  # of [-0.25, 0.125]
    assert coded["difference_spread"] == pytest.approx(np.std([-0.125, 0.0], ddof=1))  # each seed to its own
    assert (coded["difference_wins"], coded["difference_ties"], coded["difference_losses"]) == (1, 0, 1)
    assert coded["bytes_per_vector"] == 65  # of 64 and 66
    table = quality_table(frame, margins={"nDCG@10": 0.5})
    low, high = coded["low"], coded["high"]
    assert table.shown["nDCG@10"].tolist() == [
        "0.500 ± 0.000 [0.375, 0.625]",
        f"0.438 ± 0.088 [{low:.3f}, {high:.3f}]",
        "0.250 [0.250, 0.250]",
    ]
    assert table.shown["RR@10"].tolist()[1] == "0.875 ± 0.177"  # of 0.75 and 1.0, without an interval
    assert table.shown["Δ uncompressed"].tolist()[1].startswith("−0.062 ± 0.088 [")
    assert "Seeds 1, 2: whatever draws on a seed was trained and fitted once with each of them" in table.caption
    assert "whose values are averaged over seeds first" in table.caption
    assert pd.isna(lexical["value_spread"])


def test_one_seed_has_no_column_and_no_word_of_seeds(quick):
    frame = quality_frame(*quick, seed=0)
    table = quality_table(frame)
    assert not [name for name in frame if "seed" in name or name.endswith(seeds.SPREAD)]
    assert "±" not in table.shown.to_string() + table.caption
    assert "eeds" not in table.caption + size_table(size_frame(quick[1])).caption


def test_codecs_of_a_model_without_a_seed_are_compared_with_its_one_uncompressed_run(metric, seeded):
    plain = metric("m", "fp16", "exact", [0.5, 0.75])
    frame = quality_frame([plain, *seeded("m", "residual-2", "exact", CODED)], [], seed=0)
    assert frame["difference"].tolist()[1] == pytest.approx(0.4375 - 0.625)
    assert frame["difference_spread"].tolist()[1] == pytest.approx(np.std([0.375, 0.5], ddof=1))
    assert pd.isna(frame["seeds"].tolist()[0])


def test_a_mean_over_data_sets_has_the_spread_of_its_own_mean_in_every_seed(seeded):
    values = {"a": {1: [0.5, 0.5], 2: [0.25, 0.25]}, "b": {1: [0.25, 0.5], 2: [1.0, 0.5]}}
    records = [record for name, each in values.items() for record in seeded("m", "fp16", "exact", each, dataset=name)]
    table = quality_table(quality_frame(records, [], seed=0), {"mean": ["a", "b"]})
    row = table.data[table.data["dataset"] == "mean"].iloc[0]
    assert row["value"] == pytest.approx((0.375 + 0.5625) / 2)
    assert row["value_spread"] == pytest.approx(np.std([(0.5 + 0.375) / 2, (0.25 + 0.75) / 2], ddof=1))
    assert table.shown["nDCG@10"].tolist()[-1] == "0.469 ± 0.044"


def test_table_5_pairs_models_by_the_means_of_their_queries(seeded):
    records = [*seeded("a", "fp16", "exact", PLAIN), *seeded("b", "fp16", "exact", CODED)]
    frame = models_frame(records, "a", seed=0)
    assert frame["difference"].tolist()[1] == -0.0625
    assert frame["difference_spread"].tolist()[1] == pytest.approx(np.std([-0.125, 0.0], ddof=1))
    shown = models_table(frame, "a", {}, {}).shown
    assert shown["value"].tolist()[1].startswith("0.438 ± 0.088 [")


def test_table_7_averages_the_overlap_of_each_seed_with_its_own_uncompressed_run(records, sizes):
    runs = {}
    for record in records[:4]:
        coded, seed = record["codec"] != "fp16", record["seed"]
        found = [("x", 2.0), ("y", 1.0)] if coded and seed == 1 else [("p", 2.0), ("r", 1.0)]
        runs[seeds.key_of(record)] = dict.fromkeys(("q0", "q1"), found)
    frame = codecs_frame(records[:4], sizes, overlaps(records[:4], runs, [2]), {}, seed=0)
    row = frame[frame["codec"] == "residual-2"].iloc[0]
    assert (row["overlap@2"], row["bytes_per_vector"]) == (0.5, 65)  # nothing under seed 1, all under seed 2
    assert row["overlap@2_spread"] == pytest.approx(np.std([0.0, 1.0], ddof=1))
    assert codecs_table(frame).shown["overlap@2"].tolist()[0] == "0.500 ± 0.707 [0.500, 0.500]"


def test_table_2_averages_bytes_over_seeds(sizes):
    frame = size_frame(sizes)
    assert frame["total"].tolist() == [2600, 650]
    assert frame["vectors"].tolist() == [10, 10]
    assert frame["bytes_per_vector_spread"].tolist() == [0, pytest.approx(2**0.5)]
    table = size_table(frame)
    assert table.shown["bytes / vector"].tolist() == ["260.0 ± 0.0", "65.0 ± 1.4"]
    assert "means over seeds ± their standard deviation. A row" in table.caption


def test_table_3_averages_what_each_seed_was_timed_at(records, sizes, latency):
    runs = records[2:4]
    for run in runs:
        run["run"]["queries"] = {"precision": "float32"}
    frame = latency_frame([latency(run, p50) for run, p50 in zip(runs, (2.0, 4.0), strict=True)], runs, sizes)
    (row,) = frame.to_dict("records")
    assert (row["p50"], row["p95"], row["value"], row["bytes_per_vector"]) == (3.0, 6.0, 0.4375, 65)
    assert row["p50_spread"] == pytest.approx(2**0.5)
    assert latency_table(frame).shown["p50, ms"].tolist() == ["3.00 ± 1.41"]


def test_the_values_of_a_query_in_the_page_and_printed_numbers_are_means(records):
    found = per_query(records, [])["toy"]
    assert found["runs"] == ["m · fp16 · exact", "m · residual-2 · exact", "bm25 · text · bm25"]
    assert found["rows"][0][2:] == [0.625, 0.375, 0.25]
    printed = {"dataset": "toy", "model": "m", "codec": "residual-2", "preset": "exact", "measure": "nDCG@10"}
    printed["unit"] = "percent"
    assert Measured(records).find(printed) == (43.75, {})


def test_the_gate_judges_means_and_holds_the_counts_and_digests_of_every_seed(records, sizes):
    made = [{**record, "protocol": {}} for record in records[:4]]
    sized = [{**each, "settings": {"codec": each["codec"]}} for each in sizes]
    rows = facts.collect(made, sized, []).rows
    row = rows["quality"]["toy m residual-2 exact"]
    assert row["per_query"]["nDCG@10"] == {"q0": 0.375, "q1": 0.5}
    assert row["settings"]["seeds"] == [1, 2]
    assert (row["digests"]["run, seed 1"], row["digests"]["run, seed 2"]) == ("run-residual-2-1", "run-residual-2-2")
    assert row["counts"]["judged, seed 2"] == 2
    indexes = rows["size"]["toy m residual-2"]["digests"]
    assert indexes == {f"index, seed {seed}": f"m/residual-2/{seed}" for seed in (1, 2)}


def test_each_training_has_a_row_with_its_seed(tmp_path):
    rates = {"learning_rate": 0.1, "queries_per_s": 1.0}
    line = json.dumps({"step": 1, "loss": 1.0, "accuracy": 0.5, "parts": {}, "validation": {}, **rates}) + "\n"
    paths = [tmp_path / f"a.round1.seed-{seed}.steps.jsonl" for seed in (1, 2)]
    for path in paths:
        path.write_text(line)
    shown = training_table(training_frame(paths)).shown
    assert (shown["model"].tolist(), shown["seed"].tolist()) == (["a.round1", "a.round1"], ["1", "2"])


def test_worst_queries_name_the_seed_of_their_run():
    row = dict.fromkeys(("queries", "model", "codec", "preset", "query", "text", "measure"), "x")
    row |= {"reference_value": 1.0, "value": 0.5, "moved": [], "tokens": []}
    assert worst_table([{**row, "seed": 2}]).shown["seed"].tolist() == ["2"]
    assert "seed" not in worst_table([row]).shown


@pytest.mark.parametrize(
    ("left", "message"),
    [
        (lambda records: records[:3], r"toy/m/residual-2/exact lacks the seeds \[2\], which other rows have: run them too"),
        (
            lambda records: [*records, {name: value for name, value in records[0].items() if name != "seed"}],
            r"toy/m/fp16/exact has records with a seed and without: leave one kind out",
        ),
        (
            lambda records: [records[0], {**records[1], "per_query": {"nDCG@10": {"q0": 1.0}, "RR@10": {"q0": 1.0}}}],
            r"the seeds of toy/m/fp16/exact cover different queries",
        ),
        (
            lambda records: [records[0], {**records[1], "measures": ["RR@10"]}],
            r"the seeds of toy/m/fp16/exact were evaluated in different measures",
        ),
    ],
)
def test_seeds_that_cannot_be_averaged_are_refused(records, left, message):
    with pytest.raises(DataError, match=message):
        seeds.over_seeds(left(records))


def test_two_records_of_one_seed_are_refused(records, tmp_path):
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for path, record in zip(paths, [*records[:2], records[0]], strict=True):
        path.write_text(json.dumps(record))
    assert len(read_metrics(paths[:2])) == 2
    with pytest.raises(DataError, match=r"several records for the same row: \[\('toy', 'm', 'fp16', 'exact', 1\)\]"):
        read_metrics(paths)
