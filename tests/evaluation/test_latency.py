"""The measuring protocol, on a clock that only the measured function moves."""

import numpy as np
import pytest

from bench.errors import SettingsError
from bench.evaluation.latency import Repeats, batch_rate, measure, seconds, summary
from bench.search.stage_times import unwatched


class Clock:
    """Time that stands still but for ``sleep``."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, milliseconds):
        self.now += milliseconds / 1e3


def searcher(clock, duration):
    """A search that takes ``duration(pass, query)`` ms, a quarter of it for centroids; keeps what it saw."""
    seen = []

    def search(query, watch=unwatched):
        number = sum(asked == query for _, asked in seen)
        seen.append((number, query))
        clock.sleep(duration(number, query) / 4)
        watch("centroids")
        clock.sleep(duration(number, query) * 3 / 4)
        watch("scoring")

    search.seen = seen
    return search


def timed(duration, queries=100, **repeats):
    clock = Clock()
    search = searcher(clock, duration)
    return search, measure(search, queries, clock, Repeats(**repeats))


def test_a_search_of_constant_time_is_measured_in_three_passes_after_one_that_is_not():
    search, timings = timed(lambda number, query: 8.0, queries=4)
    assert search.seen == [(number, query) for number in range(4) for query in range(4)]
    assert timings.seconds == pytest.approx(np.full((3, 4), 0.008))
    assert (timings.stable, len(timings.medians)) == (True, 3)


def test_warm_up_passes_run_every_query_and_count_for_nothing():
    _, timings = timed(lambda number, query: 1000.0 if number < 2 else 1.0, warmup=2)
    assert timings.seconds.max() == pytest.approx(0.001)
    assert timings.medians == pytest.approx([0.001] * 3)


def test_passes_go_on_until_the_median_of_the_last_is_within_two_percent_of_the_best():
    medians = [0, 10.0, 20.0, 10.3, 10.1]
    _, timings = timed(lambda number, query: medians[number])
    assert timings.stable is True
    assert timings.medians == pytest.approx([0.010, 0.020, 0.0103, 0.0101])
    assert timings.seconds[:, 0] == pytest.approx([0.020, 0.0103, 0.0101])


def test_a_search_that_never_settles_is_given_up_and_says_so():
    _, timings = timed(lambda number, query: 1.0 + number, most=5)
    assert (timings.stable, len(timings.medians)) == (False, 5)
    assert summary(timings)["stable"] is False
    assert summary(timings)["medians"] == pytest.approx([2, 3, 4, 5, 6])
    assert timings.seconds[:, 0] == pytest.approx([0.004, 0.005, 0.006])


@pytest.mark.parametrize("repeats", [{"least": 2}, {"least": 5, "most": 4}])
def test_fewer_passes_than_three_are_refused(repeats):
    with pytest.raises(SettingsError, match="passes cannot be"):
        Repeats(**repeats)


def test_percentiles_are_over_every_timing_of_the_last_three_passes():
    _, timings = timed(lambda number, query: 1.0 + query)
    found = summary(timings)
    expected = np.percentile(np.repeat(np.arange(1.0, 101.0), 3), [50, 95, 99])
    assert [found["p50"], found["p95"], found["p99"]] == pytest.approx(expected)
    assert (found["queries"], found["unit"]) == (100, "ms")


def test_the_mean_of_the_best_of_three_takes_each_query_at_its_own_best_pass():
    durations = {0: [9, 1, 2, 3], 1: [9, 6, 5, 4]}
    _, timings = timed(lambda number, query: durations[query][number], queries=2, most=3)
    assert summary(timings)["mean_best"] == pytest.approx((1 + 4) / 2)


def test_stages_add_up_to_the_mean_of_the_best():
    _, timings = timed(lambda number, query: 4.0 * (query + 1) + number, queries=3, most=3)
    found = summary(timings)
    assert found["stages"] == pytest.approx({"centroids": 9.0 / 4, "scoring": 27.0 / 4})
    assert sum(found["stages"].values()) == pytest.approx(found["mean_best"])


@pytest.mark.parametrize(
    ("queries", "absent"), [(1, {"p50", "p95", "p99"}), (2, {"p95", "p99"}), (20, {"p99"}), (99, {"p99"}), (100, set())]
)
def test_a_percentile_that_so_few_queries_do_not_carry_is_absent_and_not_zero(queries, absent):
    found = summary(timed(lambda number, query: 1.0, queries=queries)[1])
    assert {name for name in ("p50", "p95", "p99") if found[name] is None} == absent


def test_the_rate_of_a_batch_is_the_median_of_three_after_one_more():
    clock, durations = Clock(), iter([100_000, 4_000, 1_000, 2_000])
    assert batch_rate(lambda: clock.sleep(next(durations)), 10, clock) == pytest.approx(5.0)
    assert list(durations) == []


def test_seconds_of_a_call_stand_beside_what_it_returns():
    clock = Clock()
    assert seconds(lambda: clock.sleep(250), clock) == (None, pytest.approx(0.25))
