import pytest

from bench.config.presets import parse
from bench.search.engines import open_engine
from bench.search.exact import Exact, ExactKernels
from bench.search.kernels.backends import open_kernels
from bench.search.stage_times import StageTimes, StageWork, unwatched

STAGES = {
    "exact": ({"engine": "exact"}, ["centroids", "scoring"]),
    "colbertv2": ({"engine": "colbertv2", "nprobe": 2, "ncandidates": 9}, ["centroids", "candidates", "scoring"]),
    "plaid": (
        {"engine": "plaid", "ncells": 2, "centroid_score_threshold": 0.1, "ndocs": 16},
        ["centroids", "candidates", "scoring"],
    ),
}


def ticking(*times):
    return iter(times).__next__


def test_a_stage_takes_from_the_end_of_the_one_before_it_to_its_own():
    watch = StageTimes(ticking(10.0, 10.5, 12.5))
    watch("one")
    watch("two")
    assert watch.seconds == {"one": 0.5, "two": 2.0}


def test_the_seconds_of_a_stage_add_up_over_queries_and_a_pause_before_a_restart_counts_for_none():
    watch = StageTimes(ticking(0.0, 1.0, 3.0, 100.0, 104.0, 105.0))
    watch("one")
    watch("two")
    watch.restart()
    watch("one")
    watch("two")
    assert watch.seconds == {"one": 5.0, "two": 3.0}


def test_without_a_stage_there_are_no_seconds():
    assert StageTimes(ticking(1.0)).seconds == {}
    assert unwatched("one") is None


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("kernels", ["cpu", "reference"])
def test_an_engine_names_its_stages_in_order_for_every_query(indexes, random_queries, name, kernels):
    values, stages = STAGES[name]
    seen = []
    open_engine(parse(values, "a.yaml"), indexes[4], kernels).search(
        random_queries(3, 4), 5, lambda stage, **_: seen.append(stage)
    )
    assert seen == 3 * stages


def test_the_presets_open_kernels_for_compressed_indexes_alone(indexes):
    preset = parse({"engine": "exact"}, "a.yaml")
    assert isinstance(open_engine(preset, indexes[None]), Exact)
    engine = open_engine(preset, indexes[4], "cpu", 3)
    assert isinstance(engine, ExactKernels)
    assert engine.kernels.threads == 3
    assert type(open_engine(preset, indexes[4], "reference").kernels) is type(open_kernels("reference", indexes[4]))


def test_all_queries_of_an_uncompressed_index_are_one_stage(indexes, random_queries):
    watch = StageTimes(ticking(1.0, 3.5))
    Exact(indexes[None]).search(random_queries(3, 4), 5, watch)
    assert watch.seconds == {"scoring": 2.5}


WORK = {
    "exact": lambda index, _: {"scored": len(index)},
    "colbertv2": lambda _, found: {"candidates": found, "scored": min(9, found)},
    "plaid": lambda _, found: {"candidates": found, "interactions": found + min(16, found), "scored": min(4, found)},
}


@pytest.mark.parametrize("engine", WORK)
def test_the_work_of_a_query_is_counted_by_kind(indexes, random_queries, engine):
    """plaid: all candidates are scored by some centroids, the best 16 by all, and the best 4 by decoded vectors."""
    index, query = indexes[4], random_queries(1, 3)
    kernels = open_kernels("cpu", index)
    found = len(kernels.candidates(kernels.nearest(kernels.open(query[0]), 2)))
    assert found > 16
    watch = StageWork()
    open_engine(parse(STAGES[engine][0], "a test"), index, "cpu", 1).search(query, 4, watch)
    assert dict(watch.work) == WORK[engine](index, found)


def test_the_work_of_several_threads_adds_up_to_that_of_one(indexes, random_queries):
    index, queries = indexes[4], random_queries(20, 3)
    counted = []
    for threads in (1, 4):
        watch = StageWork()
        open_engine(parse(STAGES["plaid"][0], "a test"), index, "cpu", threads).search(queries, 4, watch)
        counted.append(watch.work)
    assert counted[0] == counted[1]
