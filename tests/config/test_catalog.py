"""The catalogue of published checkpoints: every entry is whole, and a config names it."""

from pathlib import Path

import pytest

from bench.config import extends
from bench.config.benchmark import Benchmark
from bench.config.catalog import entries
from bench.config.models import Catalogued
from bench.errors import SettingsError


def test_the_catalogue_has_a_dozen_entries_with_hub_id_and_dimensions():
    assert len(entries()) == 12
    assert {entry.name.count("/") for entry in entries().values()} == {1}
    assert {entry.dim for entry in entries().values()} == {48, 64, 96, 128}
    assert sum(entry.revision is not None for entry in entries().values()) == 5


def test_a_pinned_entry_is_a_checkpoint():
    found = Catalogued.parse({"catalog": "gte-moderncolbert-v1"}, "x").checkpoint
    assert (found.name, found.dim, found.query_maxlen) == ("lightonai/GTE-ModernColBERT-v1", 128, 48)
    assert found.revision == "25f6f7bb8237b7ae25ae1d9b805ce17c0d1cc639"


def test_an_entry_that_is_not_pinned_needs_a_revision():
    with pytest.raises(SettingsError, match="'lateon' is not pinned: give the revision of lightonai/LateOn"):
        Catalogued.parse({"catalog": "lateon"}, "x")
    assert Catalogued.parse({"catalog": "lateon", "revision": "ab" * 20}, "x").checkpoint.revision == "ab" * 20


def test_an_unknown_entry_is_refused_with_the_nearest_one():
    with pytest.raises(SettingsError, match=r"catalog 'colbertv3' is not an entry.*known: .*'colbertv2'"):
        Catalogued.parse({"catalog": "colbertv3"}, "x")


def test_a_config_names_an_entry_by_the_key_catalog():
    document = extends.read(Path("config/ci.yaml"))
    models = {**document.values["models"], "gte": {"catalog": "gte-moderncolbert-v1"}}
    found = Benchmark.parse({**document.values, "models": models}, "x").models["gte"]
    assert isinstance(found, Catalogued)
    assert found.checkpoint.dim == 128
