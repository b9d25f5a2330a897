"""Inputs of any shape: each is read or refused in one line of ours, in time, and nothing is written but an output."""

import contextlib
import copy
import io
import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bench.cli import VERBS, app, main
from bench.config.plan import load
from bench.corpus.own.files import Judgements
from bench.errors import BenchError
from bench.evaluation import external
from bench.evaluation.runs import read_run
from bench.files.storage import read_array
from bench.training.tuples import read_official
from tests.changes import signed
from tests.torture.damage import READERS
from tests.torture.pipeline import ROOT

SECONDS = 20  # after which an input counts as a hang
OUTPUT = "out"
BESIDE = {"run", "serve", "ask", "settings", "fetch", "gpu-check"}  # which start servers, write the docs, or need a network
ODD = st.sampled_from(["", "\0", "nan", "inf", "1e400", "-1", "../x", "-rf", "ü\n", "\ud800", "9" * 30, "1_0", "a" * 300])
WORD = st.text(max_size=8) | ODD | st.integers(-3, 100).map(str)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=6,
)
CONFIG = yaml.safe_load((ROOT / "config" / "ci.yaml").read_text())
FOLDERS = [kind for kind in READERS if kind not in ("model", "baseline", "run")]


def paths(value: Any, at: tuple = ()) -> list[tuple]:
    """Where the values of a nested mapping stand."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in inner for path in paths(item, (*at, key)))]


def edited(value: Any, path: tuple, new: Any) -> Any:
    """A copy with another value at a path; an exception as value takes the key away."""
    found = copy.deepcopy(value)
    if not path:
        return None if new is KeyError else new
    place = found
    for key in path[:-1]:
        place = place[key]
    if new is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return found


@st.composite
def edits(draw: st.DrawFn, value: Any, most: int = 2) -> Any:
    for _ in range(draw(st.integers(1, most))):
        value = edited(value, draw(st.sampled_from(paths(value))), draw(VALUE | st.just(KeyError)))
    return value


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def lines(*cells: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Lines of words, most of them of the right number, with any bytes between."""
    right = st.tuples(*cells).map(list)
    line = right | st.lists(WORD, max_size=6)
    text = st.lists(st.tuples(line, st.sampled_from([" ", "\t"])).map(lambda pair: pair[1].join(pair[0])), max_size=5)
    made = text.map(lambda each: "\n".join(each).encode("utf-8", "surrogatepass"))
    return made | st.binary(max_size=60) | st.tuples(made, st.binary(max_size=4), made).map(b"".join)


HEADER = st.fixed_dictionaries(
    {
        "descr": st.sampled_from(["<f2", "<f4", "|u1", "<i8", "|O", "<U5", "V3", ">f4"]) | WORD,
        "fortran_order": st.booleans() | WORD,
        "shape": st.lists(st.integers(-2, 2**40), max_size=3).map(tuple) | WORD,
    }
)


def npy(header: Any, version: int, length: int, body: bytes) -> bytes:
    text = (header if isinstance(header, str) else repr(header)).encode("utf-8", "replace")
    return b"\x93NUMPY" + bytes([version, 0]) + (len(text) + length).to_bytes(2, "little", signed=False) + text + body


ARRAYS = st.builds(npy, HEADER | WORD, st.sampled_from([1, 1, 2, 9]), st.integers(0, 40), st.binary(max_size=64))
NUMBER = st.integers(0, 9).map(str) | st.floats(-9, 9).map("{:.4f}".format) | ODD
NAME = st.sampled_from(["q1", "q2", "d1", "d2", "d3"])
SCORED = st.tuples(WORD, st.floats()).map(list)
ROWS = st.lists(st.lists(WORD, min_size=2, max_size=4) | st.tuples(WORD, SCORED, SCORED) | VALUE, max_size=4)


@st.composite
def commands(draw: st.DrawFn) -> list[str]:
    verb = draw(st.sampled_from(sorted(set(VERBS) - BESIDE)))
    flags = [argument.name for argument in app(verb)[verb].assemble_argument_collection() if argument.show]
    words = [verb]
    for flag in draw(st.lists(st.sampled_from(flags), max_size=6)):
        words += ([flag] if flag.startswith("--") else []) + draw(st.lists(WORD, max_size=2))
    return [*words, "--output", OUTPUT] if draw(st.booleans()) else words


def read_npy(path: Path) -> None:
    for mapped in (True, False):
        read_array(path, mapped=mapped)


def _file(name: str, reader: Callable[[Path], object]) -> Callable[[Any, Path], object]:
    def read(content: bytes, folder: Path) -> object:
        (folder / name).write_bytes(content)
        return reader(folder / name)

    return read


def _manifest(made: Path) -> Callable[[Any, Path], object]:
    def read(drawn: tuple[str, Any], folder: Path) -> object:
        kind, manifest = drawn
        shutil.copytree(made / kind, folder / "folder")
        (folder / "folder" / "manifest.json").write_text(_plain(manifest))
        return READERS[kind](folder / "folder")

    return read


def _resigned(value: Any) -> Any:
    """As a writer of another program would leave it, where it can be."""
    with contextlib.suppress(ValueError, UnicodeError):
        return signed(value) if isinstance(value, dict) else value
    return value


def command(words: list[str], folder: Path) -> None:
    """Run a command in an empty folder. Raise RuntimeError for anything but one line, or nothing, on standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    if code not in (0, 1, 2) or err.getvalue().count("\n") > 1 or "not foreseen" in err.getvalue():
        raise RuntimeError(f"{words}: exit {code}: {err.getvalue()[:300]}")


def kinds(made: Path) -> dict[str, tuple[st.SearchStrategy, Callable[[Any, Path], object]]]:
    """Inputs and their reader by kind; made: what ``pipeline.built`` wrote."""
    whole = {kind: json.loads((made / kind / "manifest.json").read_text()) for kind in FOLDERS}
    manifests = st.sampled_from(FOLDERS).flatmap(lambda kind: st.tuples(st.just(kind), edits(whole[kind]).map(_resigned)))
    configs = edits(CONFIG).map(lambda value: yaml.dump(value).encode()) | st.text(max_size=80).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
    tuples = ROWS.map(lambda rows: "\n".join(map(_plain, rows)).encode()) | st.binary(max_size=60)
    return {
        "configs": (configs, _file("config.yaml", load)),
        "manifests": (manifests, _manifest(made)),
        "headers": (ARRAYS, _file("array.npy", read_npy)),
        "runs": (lines(NAME, st.just("Q0"), NAME, NUMBER, NUMBER, NAME), _file("run.trec", read_run)),
        "runs of others": (lines(NAME, st.just("Q0"), NAME, NUMBER, NUMBER, NAME), _file("run.trec", external.read)),
        "judgements": (lines(NAME, st.just("0"), NAME, NUMBER), _file("qrels.tsv", lambda path: list(Judgements(path)))),
        "tuples": (tuples, _file("tuples.jsonl", lambda path: list(read_official(path)))),
        "command lines": (commands(), command),
    }


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError(f"still running after {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def read_any(made: Path, work: Path, count: int, begin: int = 0) -> dict[str, Counter]:
    """Give each reader ``count`` inputs. Return counts by kind: read, refused, error of Python, written outside."""
    found: dict[str, Counter] = {}
    for kind, (strategy, reader) in kinds(made).items():
        found[kind] = Counter()
        check = _checker(reader, found[kind], work)
        quiet = settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        seed(begin)(quiet(given(strategy)(check)))()
    return found


def _checker(reader: Callable[[Any, Path], object], tally: Counter, work: Path) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        _given(value, reader, tally, work)

    return check


def _given(value: Any, reader: Callable[[Any, Path], object], tally: Counter, work: Path) -> None:
    inside, around = work / "around" / "inside", work / "around"
    inside.mkdir(parents=True)
    try:
        with in_time():
            reader(value, inside)
        tally["read"] += 1
    except BenchError:
        tally["refused"] += 1
    except Exception as error:
        tally["error of Python"] += 1
        tally[f"error of Python: {error!r}"[:500]] += 1
    if [path for path in around.iterdir() if path != inside]:
        tally["written outside"] += 1
        tally[f"written outside: {value!r}"[:300]] += 1
    shutil.rmtree(around)
