"""Hours and memory of a GPU: arithmetic by hand over a card of round numbers, and the file that is shipped."""

import dataclasses
import json

import pytest

from bench.config import gpu_hours, rates
from bench.config.estimate import Cost, Length, costs, read_lengths
from bench.config.gpu_hours import Device, stored, tasks, weights_of
from bench.config.plan import load
from bench.config.rates import Card, Network
from bench.errors import SettingsError
from bench.files.provenance import ROOT

KERNELS = json.loads((ROOT / "results" / "baselines" / "gpu-h100-kernels.json").read_text())


def card(memory=100e9, **changes):
    measured = {
        "encode": {"per_second": 1e6, "of": "tokens", "weights": 1000},
        "assign": {"per_second": 1e12, "of": "operations"},
        "exact": {"per_second": 1e12, "of": "operations"},
        "decode": {"per_second": 1e9, "of": "vectors"},
        "copy": {"per_second": 1e10, "of": "bytes"},
        "plaid": {"per_second": 100.0, "of": "queries", "vectors": 1_000_000},
        "colbertv2": {"per_second": 50.0, "of": "queries", "vectors": 1_000_000},
        "train": {"per_second": 1e5, "of": "tokens", "weights": 1000},
        "train-teacher": {"per_second": 1e4, "of": "tokens", "weights": 1000},
        **changes,
    }
    stages = {stage: {**measured.get(stage, {}), "source": "here", "lacks": "nothing"} for stage in rates.STAGES}
    return Card.parse({"name": "a card", "memory": memory, "rates": stages}, "the test")


def device(memory=100e9, networks=None, **changes):
    known = {name: Network(weights=weights, source="") for name, weights in (networks or {}).items()}
    return Device(card=card(memory, **changes), networks=known, share=0.5, at_once=1000)


def cost(vectors, *codecs):
    sizes = {"shards": 0, "codes": 0, "parts": {}, "indexes": dict.fromkeys(codecs, 1)}
    length = Length(vectors=10, source="")
    return Cost(corpus="c", model="m", passages=vectors // 10, length=length, dim=128, vectors=vectors, **sizes)


def seconds(hours):
    return pytest.approx(hours * 3600)


def test_bytes_on_a_card_are_those_of_codes_and_residuals_or_of_float16():
    million = cost(1_000_000)  # 8,192 centroids: two bytes a code
    assert [stored(million, codec) for codec in ("fp16", "residual-2", "residual-1", "pq-16")] == [
        256_000_000,
        34_000_000,
        18_000_000,
        18_000_000,
    ]
    assert stored(cost(20_000_000), "residual-2") == 20_000_000 * (32 + 2)  # 65,536 centroids
    assert stored(cost(596_823_052), "residual-2") == 596_823_052 * (32 + 4)  # 262,144 centroids
    assert stored(million, "residual-2.seed-7") == 34_000_000


def test_an_exhaustive_search_takes_its_products_and_decodes_once_a_pass():
    products = 2 * 128 * 32 * 1_000_000 * 1500 / 1e12  # 12.288 s
    assert seconds(device().exact(cost(1_000_000), "residual-2", 1500, 32)) == products + 2 * 1e6 / 1e9
    wider = device().exact(cost(1_000_000), "residual-2", 1500, 33)
    assert seconds(wider) == 2 * products + 2 * 1e6 / 1e9


def test_an_index_larger_than_its_share_of_the_memory_is_copied_once_a_pass():
    small = device(memory=500e6)  # 250 MB of it for an index of 256 MB
    assert (small.holds(250_000_000), small.holds(250_000_001)) == (True, False)
    few = small.exact(cost(1_000_000), "fp16", 2, 32)
    assert seconds(few) == 256e6 / 1e10  # 25.6 ms, beside 16.4 ms of products and 1 ms of decoding
    many = small.exact(cost(1_000_000), "fp16", 1500, 32)
    assert seconds(many) == 12.288 + 2e6 / 1e9
    unknown = {"copy": {"per_second": None}}
    assert device(memory=500e6, **unknown).exact(cost(1_000_000), "fp16", 2, 32) is None
    assert device(**unknown).exact(cost(1_000_000), "fp16", 2, 32) is not None


def test_engines_have_the_rate_that_was_measured_and_say_where_it_was_over_fewer_vectors():
    same, more = (device().engine("plaid", cost(count), "residual-2", 500, 32) for count in (1_000_000, 1_000_001))
    assert seconds(same.hours) == seconds(more.hours) == 5
    assert (same.stage, same.beyond, more.beyond) == ("plaid", False, True)


def test_a_network_takes_hours_in_proportion_to_its_weights_and_none_where_they_are_unknown():
    ours = device(networks={"large": 8000})
    assert seconds(ours.reading("encode", 5e6, "large")) == 40
    assert ours.reading("encode", 5e6, "other") is None
    assert ours.reading("score", 5e6, "large") is None


def test_the_tasks_of_ms_marco_by_hand():
    plan = load(ROOT / "config" / "msmarco.yaml", ROOT / "config" / "datasets.yaml")
    (found,) = costs(plan, read_lengths())
    done = list(tasks(plan, [found], device(networks={"colbert-ir/colbertv2.0": 2000}, memory=1e12)))
    vectors, queries = 596_823_052, (6980, 5000, 43, 54)
    by_stage = {stage: [task.hours for task in done if task.stage == stage] for stage in rates.STAGES}
    assert [len(by_stage[stage]) for stage in ("encode", "centroids", "assign", "compress", "train")] == [1, 1, 1, 4, 0]
    assert seconds(by_stage["encode"][0]) == 2 * vectors / 1e6
    assert by_stage["centroids"] == [None]
    assert seconds(by_stage["assign"][0]) == 2 * 128 * 262_144 * vectors / 1e12
    passes = 7 + 5 + 1 + 1
    assert len(by_stage["exact"]) == 5 * 4
    products = 2 * 128 * 32 * vectors * sum(queries) / 1e12
    assert seconds(sum(by_stage["exact"])) == 5 * (products + passes * vectors / 1e9)
    assert seconds(sum(by_stage["plaid"])) == 2 * sum(queries) / 100
    assert seconds(sum(by_stage["colbertv2"])) == 2 * sum(queries) / 50
    assert {task.stage for task in done if task.beyond} == {"plaid", "colbertv2"}


def test_k_means_compares_8_16_32_and_64_vectors_a_centroid_with_every_centroid():
    plan = load(ROOT / "config" / "msmarco.yaml", ROOT / "config" / "datasets.yaml")
    (found,) = costs(plan, read_lengths())
    known = device(centroids={"per_second": 1e12, "of": "operations"}, compress={"per_second": 1e9, "of": "vectors"})
    by_stage = {task.stage: task.hours for task in tasks(plan, [found], known)}
    points = 262_144 * (8 + 16 + 32 + 64)  # of a sample of 35 million, which is more
    assert seconds(by_stage["centroids"]) == 2 * 128 * 262_144 * points / 1e12
    assert seconds(by_stage["compress"]) == 596_823_052 / 1e9


def test_centroids_within_tokens_are_found_on_the_cpu_beside_those_of_all_vectors():
    plan = load(ROOT / "config" / "msmarco.yaml", ROOT / "config" / "datasets.yaml")
    found = dataclasses.replace(cost(1_000_000, "residual-2", "residual-2t", "residual-1t"), corpus="msmarco-passage")
    found = dataclasses.replace(found, model="official")
    done = list(tasks(plan, [found], device(centroids={"per_second": 1e12, "of": "operations"})))
    assert [task.hours is None for task in done if task.stage == "assign"] == [False, True]
    assert [task.hours is None for task in done if task.stage == "centroids"] == [False, True]


def test_trainings_count_every_text_as_long_as_it_may_be_and_mining_is_a_search():
    plan = load(ROOT / "config" / "msmarco-train.yaml", ROOT / "config" / "datasets.yaml")
    assert weights_of(plan.models, "colbertv2") == "bert-base-uncased"
    found = costs(plan, read_lengths())
    done = list(tasks(plan, found, device(networks={"bert-base-uncased": 1000})))
    taken = {(task.model, task.stage): task.hours for task in done if not task.corpus}
    assert seconds(taken["contrastive", "train"]) == 200_000 * 32 * (2 * 180 + 32) / 1e5
    assert seconds(taken["colbertv2", "train"]) == 400_000 * 32 * (64 * 180 + 32) / 1e5
    assert taken["first", "score"] is taken["colbertv2", "score"] is None
    mined = [task.hours for task in done if (task.model, task.stage) == ("first", "colbertv2")]
    assert [seconds(hours) for hours in mined] == [502_939 / 50]


def test_training_of_a_teacher_counts_its_pairs():
    plan = load(ROOT / "config" / "mini.yaml", ROOT / "config" / "datasets.yaml")
    (name, teacher) = next((name, each) for name, each in plan.teachers.items() if getattr(each, "train", None))
    train = teacher.train
    done = tasks(plan, [], device(networks={teacher.cross_encoder.name: 500}))
    (hours,) = [task.hours for task in done if task.stage == "train-teacher" and task.model == name]
    pairs = train.steps * train.batch * (1 + train.negatives)
    assert seconds(hours) == pairs * teacher.max_length / 1e4 / 2


def test_the_rates_of_the_h100_are_those_of_its_records():
    found = rates.read()
    known = found.card("h100", "the file").rates
    vectors = KERNELS["vectors"]
    exact = KERNELS["rounded MaxSim, float16, decoded vectors, 256 queries of 32 vectors"]
    assert known["exact"].per_second == pytest.approx(2 * 128 * 32 * 256 * vectors / (exact["ms"] / 1e3), rel=1e-3)
    assigned = KERNELS["assignment to 32,768 centroids, float16"]["ms"] / 1e3
    assert known["assign"].per_second == pytest.approx(2 * 128 * 32_768 * vectors / assigned, rel=1e-3)
    decoded = KERNELS["decoding 2 bits by a codebook of bytes"]["us"] / 1e6
    assert known["decode"].per_second == pytest.approx(vectors / decoded, rel=1e-3)
    assert known["copy"].per_second == KERNELS["copy to the device, pinned, GB/s"] * 1e9
    assert known["train-teacher"].per_second == pytest.approx(300 * 32 * 8 * 128 / 84.2, rel=1e-3)
    assert known["encode"].weights == 6 * 12 * 384**2
    assert found.networks["colbert-ir/colbertv2.0"].weights == 12 * 12 * 768**2
    assert [stage for stage, rate in known.items() if rate.per_second is None] == ["centroids", "compress", "score"]
    assert "not measured" in gpu_hours.described(known["compress"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decode": {"per_second": 1.0, "of": "bytes"}}, "decode is counted in bytes, expected vectors"),
        ({"encode": {"per_second": 1.0, "of": "tokens"}}, "a rate of tokens needs"),
        ({"decode": {"per_second": 1.0}}, "give both per_second and of"),
        ({"decode": {"per_second": 0.0, "of": "vectors"}}, "greater than 0"),
        ({"compress": {"per_second": 1.0, "of": "bytes"}}, "compress is counted in bytes, expected vectors"),
    ],
)
def test_a_rate_that_says_too_little_is_refused(changes, said):
    with pytest.raises(SettingsError, match=said):
        card(**changes)


def test_a_card_without_a_stage_and_an_unknown_card_are_refused(tmp_path):
    file = tmp_path / "rates.yaml"
    file.write_text("cards: {a: {name: A, memory: 1, rates: {copy: {source: here, lacks: all}}}}\nnetworks: {}\n")
    with pytest.raises(SettingsError, match=r"lacks the stages \['encode'"):
        rates.read(file)
    with pytest.raises(SettingsError, match=r"card 'b200' is not in the file; these were measured: \['h100'\]"):
        rates.read().card("b200", "the file")
