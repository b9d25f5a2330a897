from bench.machine.rates import Row, medians


def test_a_ratio_is_the_share_of_the_bound_for_rates_and_times():
    assert Row("search", 50.0, "queries/s", "products", 200.0).ratio == 0.25
    assert Row("build", 8.0, "s", "products", 2.0).ratio == 0.25
    assert Row("copy", 3.0, "TB/s").ratio is None


def test_medians_are_of_alternating_calls_after_one_that_does_not_count():
    said = []
    taken = medians("cpu", 2, lambda: said.append("a"), lambda: said.append("b"))
    assert said == ["a", "b", "a", "b", "a", "b"]
    assert len(taken) == 2
