"""Runs of other systems in a config: what each needs, and what is refused before a job starts."""

import pytest

from bench.config.plan import load
from bench.errors import SettingsError
from bench.files.provenance import ROOT

DATASETS = ROOT / "config" / "datasets.yaml"
HEAD = (
    f"extends: {ROOT}/config/quick.yaml\nname: mine\n"
    "queries: {pydocs/tiny: {}}\nbaseline: null\nlatency: null\n"
    "grid: [{models: [minilm], codecs: [fp16], presets: [exact]}, {models: [pooled], codecs: [fp16], presets: [flat]}]\n"
)
THEIRS = "file: r.trec, queries: pydocs/tiny, model: ANCE, search: 'HNSW, ef 200'"


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "r.trec").touch()

    def make(*runs):
        text = "".join(f"  r{number}: {{{run}}}\n" for number, run in enumerate(runs))
        (tmp_path / "x.yaml").write_text(f"{HEAD}runs:\n{text}")
        return load(tmp_path / "x.yaml", DATASETS)

    return make


def test_a_run_has_its_file_beside_the_config_and_the_entry_of_its_queries(plan, tmp_path):
    found = plan(f"{THEIRS}, against: minilm").external["r0"]
    assert (found.file, found.entry.name, found.settings.against) == (tmp_path / "r.trec", "pydocs-tiny", "minilm")


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([THEIRS.replace("r.trec", "s.trec")], r"runs\.r0 in .*x\.yaml: the file .*s\.trec does not exist"),
        ([THEIRS.replace("pydocs/tiny", "tiny")], r"queries 'tiny' is not one of the judged query sets \['pydocs/tiny'\]"),
        ([f"{THEIRS}, against: pooled"], r"against 'pooled' is not run as fp16 by the preset exact; these: \['minilm'\]"),
        ([THEIRS, THEIRS], r"runs\.r1 .*: has the queries, model and search of runs\.r0, which would be one row"),
        ([THEIRS.replace("ANCE", "a/b")], r"runs\.r0\.model: 'a/b' does not match"),
        ([THEIRS.replace("model: ANCE, ", "")], r"runs\.r0\.model: is missing"),
    ],
)
def test_a_run_that_cannot_be_a_row_is_refused(plan, runs, message):
    with pytest.raises(SettingsError, match=message):
        plan(*runs)
