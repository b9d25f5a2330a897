"""Limits of memory: one line that says what is needed, at the border or of whatever a library says."""

import errno
import resource
import subprocess
import sys

import pytest

from bench.encoder.foreign import readable
from bench.machine import memory
from bench.machine.memory import NEEDED, explained, is_short

SHORT = [
    MemoryError(),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    RuntimeError("std::bad_alloc"),
]


def under(limit, *words):
    """A command in a process that may take ``limit`` bytes of address space."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit})); from bench.cli import main; "
    run = [sys.executable, "-c", f"{code}import sys; sys.exit(main(sys.argv[1:]))", *map(str, words)]
    return subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("limit", "verb", "flags", "needs"),
    [
        (1_000_000_000, "encode-queries", "--model m --queries q --query-maxlen 32 --output o", "1.4 GB"),
        (700_000_000, "encode-queries", "--model m --queries q --query-maxlen 32 --output o", "1.4 GB"),
        (400_000_000, "search", "--index i --queries q --depth 1 --engine exact --threads 1 --output o", "0.6 GB"),
        (150_000_000, "evaluate", "--run r --queries q --output o", "0.2 GB"),
    ],
)
def test_a_limit_below_what_a_verb_needs_is_one_line_that_says_both(limit, verb, flags, needs):
    done = under(limit, verb, *flags.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"bench {verb}: MemoryError: ")
    assert f"needs {needs} of address space, this process may take {limit / 1e9:.1f} GB (ulimit -v)" in done.stderr


@pytest.mark.slow
def test_with_what_it_needs_a_verb_works_over_little_data(training_set, tmp_path):
    from bench.corpus.texts import Text, write_queries

    write_queries(tmp_path / "q", [Text("1", "cat")], {"1": {"a": 1}}, settings={"queries": 1, "judgements": 1})
    flags = ["--query-maxlen", 32, "--precision", "float32", "--threads", 1, "--output", tmp_path / "v"]
    done = under(
        NEEDED["torch"], "encode-queries", "--model", training_set.folder / "model", "--queries", tmp_path / "q", *flags
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("error", SHORT, ids=lambda error: type(error).__name__)
def test_short_memory_is_known_by_whatever_says_it(error):
    assert is_short(error)
    with pytest.raises(MemoryError), readable("weights", "tensors"):  # and not taken for a damaged file
        raise error


def test_other_errors_are_no_short_memory():
    assert not any(map(is_short, [ValueError("bad_alloc"), OSError(errno.ENOSPC, "full"), ImportError("no module named x")]))


def test_the_line_says_the_limit_where_there_is_one(monkeypatch):
    assert explained(MemoryError()) == "not enough memory; give the process more memory, or ask for less at a time"
    monkeypatch.setattr(resource, "getrlimit", lambda which: (3_000_000_000, 3_000_000_000))
    assert explained(RuntimeError("a\nb")).startswith("a b; this process may take 3.0 GB (ulimit -v); give the process more")
    assert memory.limit() == 3_000_000_000
