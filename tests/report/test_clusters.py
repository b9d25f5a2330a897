"""Figure 2 and the tables of appendix A, from a record made by hand."""

import pytest

from bench.errors import DataError
from bench.files.storage import write_json
from bench.report import clusters
from bench.report.figures import save


@pytest.fixture
def record():
    """A made record: ten tokens in four clusters, and in all of them at random."""
    return {
        "corpus": "toy",
        "model": "m",
        "counts": {"passages": 4, "vectors": 40},
        "real": {
            "clusters": 4,
            "tokens": 10,
            "clusters_per_token": [[1, 8], [2, 2]],
            "tokens_per_cluster": [[2, 2], [4, 1], [20, 1]],
        },
        "random": {"clusters": 4, "tokens": 10, "clusters_per_token": [[4, 10]], "tokens_per_cluster": [[10, 4]]},
        "examples": {
            "clusters": [{"cluster": 3, "vectors": 12, "tokens": [["photo", 9], ["image", 3]], "context": "a [photo] | of"}],
            "tokens": [
                {
                    "token": "bank",
                    "vectors": 30,
                    "clusters": 2,
                    "cluster": 1,
                    "count": 20,
                    "tokens": ["bank", "money"],
                    "context": "the [bank]",
                }
            ],
        },
    }


def test_figure_2_draws_the_share_of_tokens_and_clusters_up_to_each_value(record):
    of_tokens, of_clusters = clusters.figure([record]).axes
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in of_tokens.lines}
    assert lines == {"real vectors": ([1, 1, 2], [0, 0.8, 1.0]), "random vectors": ([4, 4], [0, 1.0])}
    assert list(of_clusters.lines[0].get_ydata()) == [0, 0.5, 0.75, 1.0]
    assert (of_tokens.get_xlabel(), of_clusters.get_xlabel()) == ("clusters per token", "tokens per cluster")
    assert of_tokens.get_title() == "toy, m"


def test_figure_2_of_the_same_numbers_has_identical_bytes(record, tmp_path):
    for name in ("a", "b"):
        save(clusters.figure([record]), tmp_path / name)
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_the_numbers_of_figure_2_are_quantiles_and_the_share_of_clusters_of_few_tokens(record):
    table = clusters.distribution_table([record])
    real, random = (row for _, row in table.shown.iterrows())
    assert (real["clusters per token: median"], real["clusters per token: 90 %"], real["tokens per cluster: most"]) == (
        "1",
        "2",
        "20",
    )
    assert (real["at most 16 tokens"], random["at most 16 tokens"]) == ("75.0 %", "100.0 %")
    assert random["tokens per cluster: median"] == "10"
    assert len(table.data) == 7


def test_the_tables_of_appendix_a_name_tokens_clusters_and_contexts(record, tmp_path):
    clustered, named = clusters.clusters_table([record]), clusters.tokens_table([record])
    assert clustered.shown.iloc[0].tolist() == ["toy", "m", "3", "12", "photo 9, image 3", "a [photo] | of"]
    assert named.shown.iloc[0].tolist() == ["toy", "m", "bank", "2", "1", "20 of 30", "bank, money", "the [bank]"]
    clustered.write(tmp_path / "clusters")
    assert "photo 9 | image 3" in (tmp_path / "clusters.csv").read_text()
    assert r"| a [photo] \| of |" in (tmp_path / "clusters.md").read_text()


def test_without_any_example_the_tables_are_empty_and_still_written(record, tmp_path):
    record["examples"] = {"clusters": [], "tokens": []}
    for make in (clusters.clusters_table, clusters.tokens_table):
        make([record]).write(tmp_path / make.__name__)
        assert "Appendix A" in (tmp_path / f"{make.__name__}.md").read_text()


def test_two_records_of_the_same_vectors_are_refused(record, tmp_path):
    write_json(tmp_path / "a.json", record)
    with pytest.raises(DataError, match=r"several records of clusters for \[\('toy', 'm'\)\]"):
        clusters.read_clusters([tmp_path / "a.json", tmp_path / "a.json"])
