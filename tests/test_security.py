"""No code of a user's file is run, and no name of a config reaches a shell as more than a word: held for the whole code."""

import ast
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cli import main
from bench.config.settings import flags

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for folder in ("bench", "workflow", "docs", "tests/golden") for path in (ROOT / folder).rglob("*.py"))
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}
UNPACKERS = {"extractall", "unpack_archive"}
LOADERS = {"from_pretrained", "from_config"}
LOCAL_CONSTANT = "ONLY_LOCAL"


def called(node):
    """The dotted name of a called function, as far as it is one."""
    parts, place = [], node.func
    while isinstance(place, ast.Attribute):
        parts.append(place.attr)
        place = place.value
    return ".".join(reversed([*parts, place.id if isinstance(place, ast.Name) else ""]))


def keyword(node, name):
    """The constant that a call gives for a keyword, "absent" if it gives none."""
    for given_keyword in node.keywords:
        if given_keyword.arg == name:
            return getattr(given_keyword.value, "value", "computed")
    return "absent"


def takes_only_local(node):
    return any(each.arg is None and getattr(each.value, "id", "") == LOCAL_CONSTANT for each in node.keywords)


def findings(source):
    """What a piece of code does that it must not do, by line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            errors_alone = all(alias.name.endswith("Error") for alias in node.names)
            names = [] if errors_alone else [node.module or ""]
        found += [(node.lineno, f"imports {name}") for name in names if name.split(".")[0] in FORBIDDEN_IMPORTS]
        if not isinstance(node, ast.Call):
            continue
        name, last = called(node), called(node).split(".")[-1]
        wrong = {
            "runs code": name in FORBIDDEN_CALLS,
            "unpacks an archive": last in UNPACKERS,
            "uses a shell": keyword(node, "shell") not in ("absent", False),
            "unpickles arrays": keyword(node, "allow_pickle") not in ("absent", False)
            or (name in ("np.load", "numpy.load") and keyword(node, "allow_pickle") is not False),
            "unpickles objects": name == "torch.load" and keyword(node, "weights_only") is not True,
            "trusts remote code": keyword(node, "trust_remote_code") not in ("absent", False)
            or ((last in LOADERS or last == "CrossEncoder") and node.keywords != [] and not safe(node)),
        }
        found += [(node.lineno, f"{name} {what}") for what, is_so in wrong.items() if is_so]
    return found


def safe(node):
    return keyword(node, "trust_remote_code") is False or takes_only_local(node)


def test_nothing_in_the_code_runs_code_of_a_file_unpickles_or_uses_a_shell():
    found = {path.relative_to(ROOT).as_posix(): findings(path.read_text()) for path in SOURCES}
    assert {name: lines for name, lines in found.items() if lines and not name.startswith(OTHERS)} == {}
    assert len(SOURCES) > 200


OTHERS = ("workflow/peers/", "tests/golden/")  # run in environments of their own, on data that this workflow made


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "import os; os.system('ls')",
        "yaml.load(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "read_array(stream, allow_pickle=given)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "subprocess.run('ls', shell=True)",
        "AutoModel.from_pretrained(folder, dtype=kind)",
        "AutoModel.from_pretrained(folder, trust_remote_code=True)",
        "AutoModel.from_config(config, **kwargs)",
        "CrossEncoder(folder, device=device)",
        "tarfile.open(path).extractall(folder)",
    ],
)
def test_the_walk_finds_what_it_looks_for(source):
    assert len(findings(source)) >= 1


def test_only_local_says_that_code_beside_weights_is_never_run():
    from bench.encoder.foreign import ONLY_LOCAL

    assert ONLY_LOCAL == {"local_files_only": True, "trust_remote_code": False}


def test_the_locked_versions_are_audited_for_known_vulnerabilities():
    path = ROOT / ".github" / "workflows" / "ci.yml"
    commands = [step.get("run", "") for step in yaml.safe_load(path.read_text())["jobs"]["audit"]["steps"]]
    assert "python -m pip_audit --requirement requirements.lock --no-deps --disable-pip" in commands


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(["a", "b_c", "d"]), st.text(max_size=20) | st.lists(st.text(max_size=9)), max_size=3))
def test_every_value_of_a_config_reaches_the_shell_as_one_word(values):
    words = shlex.split(flags(values))
    expected = []
    for key, value in values.items():
        expected += [f"--{key.replace('_', '-')}", *([value] if isinstance(value, str) else value)]
    assert words == expected


def test_every_command_of_a_rule_takes_values_of_a_config_from_flags_alone():
    """Wildcards and paths are names of a config, which the test below holds; all else is quoted by ``flags``."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        assert re.findall(r"\{config[.\[]", path.read_text()) == []


@pytest.mark.parametrize("name", ["../x", "a/b", "-rf", ".", "..", "a b", "a;b", "$(x)", "a\n", "a\0", "ü", ""])
def test_a_name_of_a_config_cannot_leave_its_folder_or_look_like_a_flag(name):
    from pydantic import TypeAdapter, ValidationError

    from bench.config.settings import Name
    from bench.config.training import Reference

    for kind in (Name, Reference):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(name)


EVIL = "import pathlib, os\npathlib.Path(os.environ['EVIL_RAN']).touch()\nclass C: pass\n"
AUTO = {"AutoConfig": "evil.C", "AutoModel": "evil.C", "AutoTokenizer": ["evil.C", "evil.C"]}


@pytest.mark.parametrize("kind", ["bert", "unknown"])
@pytest.mark.parametrize("verb", ["project", "pool", "convert"])
def test_a_module_beside_weights_is_never_run_nor_asked_about(tiny_bert, tmp_path, monkeypatch, capsys, verb, kind):
    base = tmp_path / "base"
    shutil.copytree(tiny_bert, base)
    for name in ("config.json", "tokenizer_config.json"):
        values = json.loads((base / name).read_text())
        values |= {"auto_map": AUTO} | ({"model_type": kind, "architectures": ["C"]} if name == "config.json" else {})
        (base / name).write_text(json.dumps(values))
    (base / "evil.py").write_text(EVIL)
    monkeypatch.setenv("EVIL_RAN", str(tmp_path / "ran"))
    monkeypatch.setattr("builtins.input", lambda *_: (tmp_path / "asked").touch() or "y")
    words = {"project": ["--dim", "8", "--seed", "1"], "pool": [], "convert": ["--dim", "8"]}[verb]
    compute = ["--precision", "float32", "--threads", "1"] if verb == "project" else []
    code = main([verb, "--name", str(base), *words, *compute, "--output", str(tmp_path / "model")])
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert (code == 0) == (kind == "bert" and verb != "convert"), err  # the base is no late interaction checkpoint
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "asked").exists()
