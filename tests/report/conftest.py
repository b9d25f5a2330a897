"""Records as the verbs evaluate and size write them, made by hand."""

import pytest

COMPONENTS = ("float16", "codes", "residuals", "inverted list", "norms", "centroids", "other")
BYTES = {
    "fp16": (2560, 0, 0, 0, 0, 0, 40),
    "residual-2": (0, 20, 320, 60, 10, 100, 130),
    "residual-1": (0, 20, 160, 60, 10, 100, 50),
}


@pytest.fixture(scope="session")
def metric():
    """``metric(model, codec, preset, values)``: nDCG@10 per query, and an RR@10 of twice the value, at most 1."""

    def make(model, codec, preset, values, *, dataset="toy", settings=None, **changes):
        per_query = {f"q{number}": value for number, value in enumerate(values)}
        second = {query: min(1.0, 2 * value) for query, value in per_query.items()}
        measures = {"nDCG@10": per_query, "RR@10": second}
        embedded = model != "bm25"
        record = {
            "dataset": dataset,
            "model": model,
            "codec": codec,
            "preset": preset,
            "measures": list(measures),
            "mean": {name: sum(found.values()) / len(found) for name, found in measures.items()},
            "per_query": measures,
            "counts": {"judged": len(values), "short": 1, "tied": 2, "results": 100 * len(values)},
            "deviations": {},
            "run": {
                "settings": {"engine": preset, "depth": 100, **(settings or {})},
                "counts": {"self_matches": 0},
                "inputs": {"index": f"{dataset}/{model}/{codec}"} if embedded else {},
                **({"queries": {"precision": "float32"}} if embedded else {}),
            },
        }
        return {**record, **changes}

    return make


@pytest.fixture(scope="session")
def size():
    """``size(model, codec)``: 10 vectors in 4 passages."""

    def make(model, codec, corpus="toy", **changes):
        components = dict(zip(COMPONENTS, BYTES[codec], strict=True))
        total = sum(components.values())
        record = {
            "corpus": corpus,
            "model": model,
            "codec": codec,
            "bytes": components,
            "total": total,
            "vectors": 10,
            "passages": 4,
            "centroids": 0 if codec == "fp16" else 2,
            "bytes_per_vector": total / 10,
            "ratio": None if codec == "fp16" else {"paper": 6.4, "with_centroids": 5.12, "list_on_both_sides": 6.55},
            "index": f"{corpus}/{model}/{codec}",
            "deviations": {},
        }
        return {**record, **changes}

    return make


@pytest.fixture
def latency():
    """``latency(metric, p50)``: a timing of the search that a record of quality is of; p95 and p99 are multiples of p50."""

    def make(metric, p50, *, threads=1, encode=7.5, search=None, **changes):
        run = metric["run"]
        stages = {"centroids": p50 / 4, "scoring": p50 / 2}
        times = {"p50": p50, "p95": 2 * p50, "p99": 3 * p50, "mean_best": 0.75 * p50, "stages": stages}
        record = {
            "settings": {**run["settings"], "threads": threads, "kernels": "cpu"},
            "inputs": run["inputs"],
            "queries": run["queries"],
            "index": {"codec": metric["codec"]},
            "search": {
                **times,
                "queries": 200,
                "passes": 4,
                "stable": True,
                "open_s": 0.25,
                "first_s": 1.5,
                **(search or {}),
            },
            "batch": {"queries": 200, "queries_per_s": 1250.0},
            "encode": {"mean_best": encode} if encode else None,
            "open_s": 0.5,
            "host": {"cpu": "A Processor", "cores": 8, "load": {"before": [0.25, 0.5, 0.75], "after": [1.0, 0.5, 0.75]}},
        }
        return {**record, **changes}

    return make


@pytest.fixture
def quick(metric, size):
    """Records of a small benchmark: two late interaction models, a pooled one and BM25."""
    metrics, sizes = [], []
    for model, bonus in (("minilm", 0.0), ("contrastive", 0.1)):
        for codec, loss in (("fp16", 0.0), ("residual-2", 0.02), ("residual-1", 0.1)):
            values = [0.8 + bonus - loss, 0.5 + bonus, 0.4 + bonus, 0.6 + bonus - loss]
            metrics.append(metric(model, codec, "exact", values))
            sizes.append(size(model, codec))
            if codec != "fp16":
                settings = {"ncells": 2, "centroid_score_threshold": 0.45, "ndocs": 1024}
                metrics.append(metric(model, codec, "plaid", [value - 0.01 for value in values], settings=settings))
    metrics += [metric("pooled", "fp16", "flat", [0.3, 0.4, 0.5, 0.2]), metric("bm25", "text", "bm25", [0.4, 0.4, 0.4, 0.4])]
    return metrics, [*sizes, size("pooled", "fp16")]
