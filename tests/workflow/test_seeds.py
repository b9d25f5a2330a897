"""Several seeds in the DAG: what has a job for each of them, and what has one for all."""

from bench.files.provenance import ROOT


def test_two_seeds_train_and_fit_twice_and_make_once_what_draws_on_none(tree, tmp_path):
    config = tmp_path / "seeds.yaml"
    text = (ROOT / "config" / "ci.yaml").read_text()
    config.write_text(text.replace("seed: 20211202", "seeds: [1, 2]"))
    one, two = tree.planned(), tree.planned(config=str(config))
    # Over the pooled model: two shards, one encoding of the queries, an index and its size, a search that is evaluated.
    pooled = {"encode": 2, "encode_queries": 1, "index_uncompressed": 1, "size": 1, "search": 1, "evaluate": 2}
    once = {rule: count for rule, count in one.items() if two[rule] == count}
    assert {rule: 2 * count - pooled.get(rule, 0) for rule, count in one.items() if rule not in once} == {
        rule: count for rule, count in two.items() if rule not in once
    }
    assert {"corpus", "queries", "bm25", "pool", "truncation"} <= set(once)
    assert not {"train", "distill", "mine", "tuples", "triples", "training_part", "centroids", "fit", "project"} & set(once)
    assert {rule: count for rule, count in once.items() if count > 1} == {"corpus": 2, "queries": 2, "truncation": 3}
