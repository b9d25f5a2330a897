"""The command line: verbs, exit codes, and one line for everything that is refused."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys

import pytest

import bench.verbs
from bench.cli import VERBS, app, function_of, main
from bench.corpus.texts import open_passages, open_queries
from bench.encoder.checkpoint import load
from bench.errors import DamagedFileError
from bench.files.storage import FolderWriter
from bench.index.centroids import open_centroids
from bench.index.codecs import open_codec
from bench.index.index import open_index
from bench.index.shards import open_shard
from bench.search.queries import open_query_vectors
from bench.training.mined import open_mined
from bench.training.scores import open_scored
from bench.training.tuples import read_tuples

HELPERS = {"asked", "common", "engine", "report", "sides", "training"}


def module_of(verb):
    return importlib.import_module(f"bench.verbs.{function_of(verb)}")


def test_without_a_verb_the_verbs_are_listed_with_a_line_each_and_the_end_is_2(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert [verb for verb, what in VERBS.items() if f"{verb}: {what}"[:60] not in out] == []
    assert err == ""


@pytest.mark.parametrize(
    ("word", "nearest"), [("serch", "did you mean 'search'?"), ("--nosuch", "is not a verb"), ("zzz", "is not a verb")]
)
def test_an_unknown_verb_ends_with_2_and_one_line_that_names_the_nearest_and_all(capsys, word, nearest):
    assert main([word]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"bench: {word!r} is not a verb")
    assert nearest in err
    assert [verb for verb in VERBS if verb not in err] == []
    assert err.count("\n") == 1


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_ends_with_0_and_goes_to_standard_output(capsys, word):
    assert main([word]) == 0
    out, err = capsys.readouterr()
    assert out.strip().startswith("Usage: bench COMMAND")
    assert err == ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_module_and_a_function_that_says_what_it_does(verb):
    module = module_of(verb)
    function = getattr(module, function_of(verb))
    assert module.__doc__.strip().endswith(".")
    assert function.__doc__.strip().split("\n")[0] == module.__doc__.strip().split("\n")[0]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_each_of_its_flags(capsys, verb):
    assert main([verb, "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"Usage: bench {verb}" in out
    assert " ".join(module_of(verb).__doc__.split()) in out
    arguments = app(verb)[verb].assemble_argument_collection()
    shown = [argument for argument in arguments if argument.show]
    assert len(shown) > 0
    function = getattr(module_of(verb), function_of(verb))
    documented = set(re.findall(r":param (\w+): \S", function.__doc__))
    without = [argument.name for argument in shown if not (argument.parameter.help or "").endswith(".")]
    assert {name.lower().lstrip("-").replace("-", "_") for name in without} == documented


def test_every_module_of_verbs_is_a_verb_or_a_helper():
    modules = {module.name.rstrip("_").replace("_", "-") for module in pkgutil.iter_modules(bench.verbs.__path__)}
    assert modules - HELPERS == set(VERBS)


def test_what_is_refused_ends_with_1_and_one_line(capsys, tmp_path):
    assert main(["verify", str(tmp_path / "index")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bench verify: DamagedFileError: ")
    assert err.count("\n") == 1
    assert str(tmp_path / "index") in err


@pytest.mark.parametrize(
    ("reader", "kind", "verbs"),
    [
        (open_passages, "corpus", "corpus"),
        (open_queries, "queries", "queries"),
        (load, "model", "project|pool|convert|train"),
        (open_shard, "vectors", "encode"),
        (open_query_vectors, "query-vectors", "encode-queries"),
        (open_centroids, "centroids", "centroids"),
        (open_codec, "codec", "fit"),
        (open_index, "index", "index"),
        (open_mined, "mined", "mine"),
        (open_scored, "scores", "score"),
        (read_tuples, "tuples", "tuples"),
    ],
)
def test_a_folder_of_another_format_version_is_refused_with_the_verb_that_makes_it_anew(tmp_path, reader, kind, verbs):
    FolderWriter(tmp_path / "f", kind, 0).close()
    with pytest.raises(DamagedFileError) as refusal:
        reader(tmp_path / "f")
    assert "has format version 0, this code reads " in str(refusal.value)
    assert str(refusal.value).endswith(f"delete {tmp_path / 'f'} and rebuild it (make results, or `bench {verbs}`)")
    assert set(verbs.split("|")) <= set(VERBS)


def test_an_unknown_data_set_on_the_command_line_is_refused(capsys, tmp_path):
    assert (
        main(["corpus", "--dataset", "pydocs/nosuch", "--passages", "1", "--template", "{text}", "--output", str(tmp_path)])
        == 1
    )
    assert capsys.readouterr().err.startswith("bench corpus: DataError: 'pydocs/nosuch' is not an ir_datasets id")


def test_a_verb_that_succeeds_ends_with_0_and_says_what_it_wrote(capsys, tmp_path):
    assert (
        main(["corpus", "--dataset", "pydocs/tiny", "--passages", "200", "--template", "{text}", "--output", str(tmp_path)])
        == 0
    )
    assert capsys.readouterr().out.startswith("pydocs/tiny: 200 passages as {text}, 0 of them empty; digest ")


LATENCY = ["latency", "--index", "i", "--queries", "q", "--depth", "10", "--engine", "exact", "--output", "latency.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threads", "100000"], "SettingsError: threads 100000 of the command line: this process is given "),
        (
            ["--threads", "2", "--granted-threads", "1"],
            "SettingsError: threads 2 of the command line: this process is given 1",
        ),
        (["--threads", "1", "--model", "m"], "SettingsError: --model and --texts of the command line go together"),
        (["--threads", "1", "--most-passes", "2"], "SettingsError: 3 to 2 passes cannot be"),
    ],
)
def test_a_timing_that_cannot_be_as_asked_for_is_refused_and_leaves_no_file(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert main([*LATENCY, *words]) == 1
    assert capsys.readouterr().err.startswith(f"bench latency: {message}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["verify"], ["corpus", "--dataset", "x"], ["corpus", "--data", "x"]])
def test_missing_or_shortened_flags_end_with_2_and_one_line(capsys, words):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"bench {words[0]}: ")
    assert err.count("\n") == 1


NUMERIC = [
    (verb, argument.name)
    for verb in VERBS
    for argument in app(verb)[verb].assemble_argument_collection()
    if argument.show and "int" in str(argument.hint) and "Literal" not in str(argument.hint) and "seed" not in argument.name
]


@pytest.mark.parametrize(("verb", "flag"), NUMERIC)
def test_counts_below_their_bound_and_what_is_no_whole_number_are_refused(capsys, verb, flag):
    for value in ("-1", "1.5", "nan", "ten"):
        assert main([verb, flag, value]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), "Traceback" in err) == ("", 1, False)


def lines_of(capsys, *words):
    """Exit code and lines on standard error of a command."""
    code = main([str(word) for word in words])
    return code, capsys.readouterr().err.splitlines()


def raising(monkeypatch, error):
    """Let the verb ``settings`` raise an error."""
    module = importlib.import_module("bench.verbs.settings")

    def settings() -> None:
        raise error

    monkeypatch.setattr(module, "settings", settings)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/x/y"), "PermissionError: /x/y: Permission denied"),
        (OSError(5, "Input/output error"), "OSError: [Errno 5] Input/output error"),
        (UnicodeEncodeError("ascii", "ü\n", 0, 1, "no"), "UnicodeEncodeError: 'ascii' codec can't encode"),
        (KeyError("settings"), "KeyError: 'settings' (not foreseen: --debug shows where"),
        (MemoryError(), "MemoryError: not enough memory; give the process more"),
        (ValueError("two\nlines"), "ValueError: two lines (not foreseen"),
        (DamagedFileError("a\nname"), "DamagedFileError: a name"),
    ],
)
def test_an_error_that_nobody_foresaw_is_one_line_as_well_and_debug_shows_where(capsys, monkeypatch, error, said):
    raising(monkeypatch, error)
    code, err = lines_of(capsys, "settings")
    assert (code, len(err)) == (1, 1)
    assert err[0].startswith(f"bench settings: {said}")
    code, err = lines_of(capsys, "settings", "--debug")
    assert code == 1
    assert err[0] == "Traceback (most recent call last):"
    assert err[-1].startswith(f"bench settings: {said}")


THREADS_OF_A_VERB = """
import sys
import threadpoolctl
from bench import cli
from bench.verbs import {module}
from bench.verbs.common import {function}
cli.app = lambda verb: lambda words, **options: {function}({threads})
cli.main(["{verb}"])
import numpy, torch
print({{(pool["internal_api"], pool["num_threads"]) for pool in threadpoolctl.threadpool_info()}}, torch.get_num_threads())
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("granted", ["1", "7"])
def test_the_threads_of_a_verb_are_those_of_its_flag_whatever_the_environment_grants(threads, granted):
    script = THREADS_OF_A_VERB.format(module="project", function="prepare_torch", verb="project", threads=threads)
    environment = {**os.environ, "OMP_NUM_THREADS": granted, "OPENBLAS_NUM_THREADS": granted, "MKL_NUM_THREADS": granted}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert re.fullmatch(rf"\{{(\('(openblas|openmp|mkl)', {threads}\)(, )?)+\}} {threads}", done.stdout.strip())


ASCII = "import sys; from bench.cli import main; sys.exit(main(['verify', 'größe\\n']))"


def test_a_terminal_in_ascii_gets_one_line_with_escapes():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", ASCII], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "gr\\xf6\\xdfe  has no manifest.json" in done.stderr
