import json
import re
import shutil

import pandas as pd
import pytest

from workflow.peer_jobs import PEERS

CI_JOBS = {
    "assign": 7,
    "bm25": 1,
    "centroids": 4,
    "codecs_report": 1,
    "compress": 7,
    "corpus": 2,
    "distill": 1,
    "encode": 7,
    "encode_queries": 4,
    "evaluate": 9,
    "figures": 1,
    "fit": 4,
    "index": 4,
    "index_uncompressed": 3,
    "latency": 3,
    "latency_report": 1,
    "losses_report": 1,
    "mine": 2,
    "models_report": 1,
    "page": 1,
    "pool": 1,
    "project": 1,
    "protocol_report": 1,
    "published": 1,
    "queries": 2,
    "reconstruction": 2,
    "records": 1,
    "rule_graph": 1,
    "score": 2,
    "search": 8,
    "size": 6,
    "supervision_report": 1,
    "tables": 1,
    "train": 1,
    "training_part": 1,
    "training_report": 1,
    "triples": 1,
    "truncation": 3,
    "tuples": 1,
    "worst": 2,
    "worst_report": 1,
}
REPORT = {"page": 1, "rule_graph": 1}  # which show the config


def test_a_dry_run_from_nothing_plans_every_stage(finished):
    assert finished.planned("--forceall") == CI_JOBS


def test_the_main_job_plans_148_jobs(finished):
    counts = finished.planned("--forceall", config="config/quick.yaml")
    assert (counts["search"], counts["latency"]) == (15, 6)
    assert sum(counts.values()) == 148


def test_every_round_of_denoised_supervision_is_in_the_dag(checkout):
    before = checkout.planned("--forceall")
    checkout.edit("config/ci.yaml", "rounds: 1,", "rounds: 2,")
    after = checkout.planned("--forceall")
    more = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    assert more == {
        "mine": 2,
        "score": 2,
        "tuples": 1,
        "distill": 1,
        "encode": 1,
        "encode_queries": 1,
        "centroids": 1,
        "assign": 1,
        "fit": 1,
        "compress": 1,
        "index": 1,
    }
    dag = checkout.snakemake("--dag", "--forceall").stdout
    assert dag.count("model: denoised.round1") > 0
    assert dag.count('label = "distill') == 2


@pytest.mark.parametrize("name", ["mini", "mini-cpu", pytest.param("msmarco-train", marks=pytest.mark.slow)])
def test_a_recipe_that_no_test_can_run_is_planned_without_downloads(finished, name):
    counts = finished.planned(config=f"config/{name}.yaml")
    assert counts["distill"] == {"mini": 3, "mini-cpu": 3, "msmarco-train": 2}[name]
    assert counts["mine"] == counts["score"] == {"mini": 12, "mini-cpu": 3, "msmarco-train": 200}[name]
    if name == "msmarco-train":
        assert counts["encode"] == 3 * 89  # of 100,000 passages each, for three models


def test_another_teacher_temperature_trains_again_and_neither_mines_nor_scores(checkout):
    checkout.edit("config/ci.yaml", "teacher_temperature: 0.5", "teacher_temperature: 0.1")
    counts = checkout.planned()
    assert counts["distill"] == 1
    assert not {"mine", "score", "tuples"} & set(counts)


@pytest.mark.slow
def test_a_training_that_is_killed_goes_on_from_its_checkpoint_to_the_same_weights(checkout):
    model = checkout.root / "build/models/denoised"
    log = checkout.root / "build/models/denoised.steps.jsonl"
    words = ("--nocolor", "build/models/denoised")
    checkpoints = checkout.root / "build/models/denoised.checkpoints"
    weights, losses = files_of(model), losses_of(log)
    shutil.rmtree(model)
    checkout.killed(*words, when=lambda: any(checkpoints.glob("*/manifest.json")))
    assert not (model / "manifest.json").exists()
    assert checkout.snakemake("--unlock").returncode == 0
    done = checkout.snakemake(*words)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "resumed from step 2" in done.stderr + done.stdout
    assert (files_of(model), losses_of(log)) == (weights, losses)
    assert len(losses) == 3


def files_of(folder):
    return json.loads((folder / "manifest.json").read_text())["files"]


def losses_of(log):
    return [json.loads(line)["loss"] for line in log.read_text().splitlines()]


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned() == {}


def test_the_table_has_a_row_per_run_and_the_uncompressed_run_has_no_difference_to_itself(finished):
    table = pd.read_csv(finished.root / "results/ci/table1_quality.csv")
    assert len(table) == 9
    reference = table[(table.codec == "fp16") & (table.preset == "exact")]
    assert reference["difference"].isna().all()
    assert table[table.codec == "residual-2"]["difference"].notna().all()


def test_every_number_carries_what_it_depends_on(finished):
    record = json.loads((finished.root / "build/pydocs-tiny/minilm/residual-2/plaid/pydocs-tiny/metrics.json").read_text())
    assert record["run"]["settings"] == {
        "engine": "plaid",
        "ncells": 2,
        "centroid_score_threshold": 0.45,
        "ndocs": 400,
        "depth": 100,
        "self_match": "none",
        "kernels": "cpu",
        "threads": 1,
    }
    assert {"corpus", "model", "queries", "index"} <= set(record["run"]["inputs"])
    assert all(len(digest) == 64 for digest in record["run"]["inputs"].values())
    assert record["run"]["index"]["encode"]["precision"] == "float32"
    assert record["counts"]["judged"] == 50
    assert record["context"]["packages"]["torch"]


def test_a_timing_carries_its_setting_its_machine_and_its_stages(finished):
    folder = finished.root / "build/pydocs-tiny/minilm/residual-2/plaid/pydocs-tiny"
    record = json.loads((folder / "threads-1/latency.json").read_text())
    run = json.loads((folder / "run.json").read_text())
    assert (record["inputs"], record["queries"]) == (run["inputs"], run["queries"])
    assert record["settings"] == {name: value for name, value in run["settings"].items() if name != "self_match"}
    assert len(record["host"]["cpus"]) == 1
    assert {"cpu", "cores", "memory", "load"} <= set(record["host"])
    search = record["search"]
    assert (search["queries"], record["encode"]["queries"], record["batch"]["queries"]) == (20, 20, 20)
    assert 3 <= search["passes"] <= 10
    assert search["p99"] is None
    assert 0 < search["p50"] <= search["p95"]
    assert list(search["stages"]) == ["candidates", "centroids", "scoring"]
    assert sum(search["stages"].values()) == pytest.approx(search["mean_best"], rel=0.1)


def test_table_3_has_a_row_per_timing_with_the_quality_of_its_run(finished):
    table = pd.read_csv(finished.root / "results/ci/table3_latency.csv")
    assert (table["model"] + " " + table["codec"]).unique().tolist() == ["minilm residual-2"]
    assert table["preset"].tolist() == ["exact", "colbertv2", "plaid"]
    quality = pd.read_csv(finished.root / "results/ci/table1_quality.csv").set_index(["model", "codec", "preset"])
    for row in table.itertuples():
        assert row.value == quality.loc[(row.model, row.codec, row.preset), "value"]
        assert row.bytes_per_vector == quality.loc[(row.model, row.codec, row.preset), "bytes_per_vector"]


def test_another_number_of_threads_is_another_timing_and_nothing_else(checkout):
    checkout.edit("config/ci.yaml", "threads: [1]", "threads: [1, 2]")
    assert checkout.planned() == {"latency": 3, "latency_report": 1, "records": 1, **REPORT}


def test_a_timing_on_more_threads_than_the_workflow_is_given_is_refused(checkout):
    checkout.edit("config/ci.yaml", "threads: [1]", "threads: [3]")
    timing = "build/pydocs-tiny/minilm/residual-2/exact/pydocs-tiny/threads-3/latency.json"
    done = checkout.snakemake("--nocolor", timing)
    assert done.returncode == 1
    assert "SettingsError: threads 3 of the command line: this process is given" in done.stderr + done.stdout
    assert "completed successfully" not in done.stderr + done.stdout
    assert not (checkout.root / timing).exists()


def test_without_latency_there_is_neither_table_3_nor_figure_3(checkout):
    checkout.edit("config/ci.yaml", "latency: {", "latency: null  # {")
    assert set(CI_JOBS) - set(checkout.planned("--forceall")) == {"latency", "latency_report"}


def test_a_changed_preset_reruns_exactly_its_runs(checkout):
    checkout.edit("config/ci.yaml", "ndocs: 400", "ndocs: 420")
    tables = (
        "tables",
        "figures",
        "codecs_report",
        "protocol_report",
        "latency_report",
        "losses_report",
        "records",
        "published",
    )
    assert checkout.planned() == {"search": 1, "evaluate": 1, "latency": 1, **dict.fromkeys(tables, 1), **REPORT}


def test_a_changed_margin_reruns_the_tables_that_compare_and_nothing_else(checkout):
    checkout.edit("config/ci.yaml", "margin: {RR@10: 0.01}", "margin: {RR@10: 0.02}")
    assert checkout.planned() == {"tables": 1, "models_report": 1, "codecs_report": 1, **REPORT}


SEARCHED_AGAIN = {
    "search": 8,
    "evaluate": 8,
    "records": 1,
    "tables": 1,
    "codecs_report": 1,
    "figures": 1,
    "protocol_report": 1,
    "latency": 3,
    "latency_report": 1,
    "published": 1,
    "page": 1,
    "reconstruction": 2,
    "worst": 2,
    "losses_report": 1,
    "worst_report": 1,
}
TRAINED_AGAIN = {  # what a distilled model is made of from mining on, and what is made of it before any search
    "mine": 2,
    "score": 2,
    "tuples": 1,
    "distill": 1,
    "encode": 2,
    "encode_queries": 1,
    "centroids": 1,
    "assign": 2,
    "truncation": 1,
    "supervision_report": 1,
    "training_report": 1,
    "models_report": 1,
}


def test_an_edited_search_module_reruns_searches_and_what_is_trained_by_them_but_no_other_index(checkout):
    checkout.edit("bench/search/plaid.py", "FINAL_SHARE = 4", "FINAL_SHARE = 2")
    assert checkout.planned() == {
        **SEARCHED_AGAIN,
        **TRAINED_AGAIN,
        "fit": 1,
        "compress": 2,
        "index": 1,
        "index_uncompressed": 1,
        "size": 2,
    }


def test_an_edited_codec_reruns_fitting_and_what_follows_but_no_search_of_uncompressed_vectors(checkout):
    checkout.edit("bench/codec/residual.py", "+ 0.5) / buckets", "+ 0.25) / buckets")
    assert checkout.planned() == {
        **SEARCHED_AGAIN,
        **TRAINED_AGAIN,
        "search": 6,
        "evaluate": 6,
        "fit": 4,
        "compress": 7,
        "index": 4,
        "index_uncompressed": 1,
        "size": 4,
    }


def test_a_comment_reruns_nothing(checkout):
    checkout.edit("bench/codec/residual.py", "import numpy as np", "import numpy as np  # arrays")
    assert checkout.planned() == {}


def test_a_deleted_shard_is_the_only_one_encoded_again_when_something_needs_it(checkout):
    (checkout.root / "build/pydocs-tiny/minilm/vectors/00001/manifest.json").unlink()
    shutil.rmtree(checkout.root / "build/pydocs-tiny/minilm/fp16/index")
    counts = checkout.planned("build/pydocs-tiny/minilm/fp16/index")
    assert counts == {"encode": 1, "index_uncompressed": 1}


@pytest.mark.slow
def test_forcing_every_vector_to_be_made_again_gives_the_same_bytes_in_every_fact_file(checkout):
    before = checkout.facts()
    wanted = [f"build/pydocs-tiny/minilm/residual-2/{preset}/pydocs-tiny/metrics.json" for preset in ("exact", "plaid")]
    done = checkout.snakemake("--forcerun", "encode", "encode_queries", "--", *wanted)
    assert done.returncode == 0, done.stderr[-4000:]
    after = checkout.facts()
    assert sorted(before) == sorted(after)
    assert [name for name in before if before[name] != after[name]] == []


def test_a_damaged_index_stops_the_search_and_names_the_file(checkout):
    residuals = checkout.root / "build/pydocs-tiny/minilm/residual-2/index/residuals.npy"
    content = bytearray(residuals.read_bytes())
    content[-1] ^= 1
    residuals.write_bytes(content)
    run = "build/pydocs-tiny/minilm/residual-2/exact/pydocs-tiny/run.trec.gz"
    done = checkout.snakemake("--forcerun", "search", "--", run)
    assert done.returncode == 1
    assert "residuals.npy has sha256" in done.stderr + done.stdout
    assert not (checkout.root / run).exists()


def test_codecs_share_the_centroids_that_they_have_in_the_same_number(checkout):
    checkout.edit("config/ci.yaml", "opq-8x4", "opq-8x2")
    own = {"centroids": 1, "assign": 2, "fit": 1, "compress": 2, "index": 1, "size": 1, "search": 1, "evaluate": 1}
    counts = checkout.planned()
    assert {rule: counts.get(rule) for rule in own} == own
    assert not {"encode", "encode_queries", "index_uncompressed", "train"} & set(counts)
    checkout.edit("config/ci.yaml", "opq-8x2", "opq-8")
    assert not {"centroids", "assign"} & set(checkout.planned())


def test_an_unknown_engine_is_refused_before_any_job(checkout):
    checkout.edit("config/ci.yaml", "engine: plaid", "engine: plade")
    done = checkout.snakemake("--dry-run")
    assert done.returncode == 1
    assert (
        "presets.plaid: engine must be one of colbertv2, exact, flat, grouped, plaid; given: {'engine': 'plade'"
        in done.stderr + done.stdout
    )


def test_the_report_holds_every_table_and_figure_the_config_and_the_rules_that_made_them(finished):
    page = (finished.root / "results/ci/report.html").read_text()
    made = {path.stem for path in (finished.root / "results/ci").iterdir() if path.suffix in (".html", ".png")} - {"report"}
    assert made == set(re.findall(r'<figure id="(\w+)">', page))
    assert "<dd>pydocs/tiny (50 queries, 200 passages)</dd>" in page
    assert set(re.findall(r"<text [^>]*>(\w+)</text>", page)) == CI_JOBS.keys() - REPORT.keys()
    assert "bench show build/pydocs-tiny/minilm/residual-2/plaid/pydocs-tiny/metrics.json" in page


def test_the_targets_of_the_paper_run_what_they_show_and_cluster_random_vectors_by_the_rules_of_real_ones(finished):
    tables = {"paper_table": 2, "table4": 1, "sizes": 1}
    clustered = {"random_vectors": 2, "centroids": 1, "assign": 2, "clusters_counted": 1, "clusters_report": 1}
    targets = {"figure2": 1, "clusters": 1}
    # The figure that figure3 asks for is there already.
    assert finished.planned("table4", "sizes", "figure3", *targets) == {**tables, **clustered, **targets}


def test_peers_are_measured_only_when_asked_for(checkout):
    for peer in PEERS:
        (checkout.root / ".venv-peers" / peer).mkdir(parents=True)
        (checkout.root / ".venv-peers" / peer / "ready").touch()
    (checkout.root / "bench/verbs/peer.py").touch()
    assert checkout.planned() == {}
    assert checkout.planned("peers") == {"peer": 4, "peer_ours": 2, "peers": 1}


def test_peers_without_their_environments_are_refused_by_the_file_that_is_missing(checkout):
    (checkout.root / "bench/verbs/peer.py").touch()
    done = checkout.snakemake("--dry-run", "peers")
    assert done.returncode == 1
    assert ".venv-peers/colbert-ai/ready" in done.stderr + done.stdout
