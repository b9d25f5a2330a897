"""Rates of encoding: what is measured, and that a bare machine can import it."""

import ast
import json
import sys

import numpy as np

from bench.encoder.rates import Fed, Row, Sizes, made_texts, made_tokenizer, vocabulary
from bench.files.provenance import ROOT
from bench.training import rates
from bench.training.rates import measure, table


def imported(module, seen):
    """Names of all modules that importing ``module`` runs: its own statements, not those of functions and of typing."""
    path = ROOT.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if module in seen or not source.exists():
        return
    seen.add(module)
    for node in ast.parse(source.read_text()).body:
        match node:
            case ast.Import(names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(str(base), names):
                found = [base, *(f"{base}.{alias.name}" for alias in names)]
            case _:
                continue
        for name in found:
            if name.startswith("bench."):
                imported(name, seen)
            else:
                seen.add(name.split(".")[0])


def test_the_measurement_imports_nothing_that_a_bare_machine_lacks():
    seen = set()
    imported("bench.training.rates", seen)
    assert "bench.training.loop" in seen
    others = {name for name in seen if "." not in name and name not in sys.stdlib_module_names and name != "bench"}
    assert others == {"numpy", "torch", "transformers", "safetensors"}


def test_settings_of_inputs_are_those_that_are_declared():
    from bench.config.inputs import InputSettings

    assert vars(Fed()) == InputSettings(query_marker=None, doc_marker=None).model_dump()


def test_made_texts_are_as_long_as_docstrings_and_every_word_is_known():
    entries = vocabulary(5000)
    assert len(entries) == 5000
    found = made_tokenizer(entries)(made_texts(entries, 300), add_special_tokens=False)["input_ids"]
    assert 100 < np.mean([min(len(row) + 2, 180) for row in found]) < 150
    assert entries["[UNK]"] not in {token for row in found for token in row}


def test_every_rate_stands_beside_its_bound(monkeypatch, tmp_path, capsys):
    small = Sizes(texts=40, repeats=1, steps=2, batch=2, groups=2, pairs=16, layers=1, hidden=32, words=400)
    rows = measure("cpu", 1, small)
    assert [(row.name, row.goal) for row in rows] == [
        ("encode passages", 0.6),
        ("tokenize", None),
        ("contrastive training", 0.4),
        ("cross-encoder scoring", 0.6),
        ("cross-encoder training", 0.4),
    ]
    for row in rows:
        assert row.ratio == row.rate / row.bound or abs(row.ratio * row.bound / row.rate - 1) < 1e-9
        assert min(row.rate, row.bound) > 0
    monkeypatch.setattr(rates, "measure", lambda *given: rows)
    monkeypatch.setattr(sys, "argv", ["rates", "--device", "cpu", "--json", str(tmp_path / "rates.json")])
    rates.main()
    assert [Row(**row) for row in json.loads((tmp_path / "rates.json").read_text())] == rows
    assert capsys.readouterr().out.strip() == table(rows)
    assert table(rows).count("\n") == 1 + len(rows)
