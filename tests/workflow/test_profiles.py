"""Profiles for clusters plan with the executors they are for, where these are installed."""

import importlib.util
import re
import runpy
from types import SimpleNamespace

import pytest

from bench.config import yaml

CONFIG = "config/msmarco.yaml"


def needs(*plugins):
    for plugin in plugins:
        if importlib.util.find_spec(f"snakemake_{plugin}") is None:
            pytest.skip(f"snakemake-{plugin.replace('_', '-')} is not installed")


def resources(tree, profile, *words):
    """Resources of one job of each rule, as a dry run prints them."""
    done = tree.snakemake("--dry-run", "--quiet", "host", "--profile", f"profiles/{profile}", *words, config=CONFIG)
    assert done.returncode == 0, done.stderr
    jobs = re.findall(r"^rule (\w+):\n((?: +.*\n)+)", done.stdout + done.stderr, re.MULTILINE)
    named = {rule: re.search(r"resources: (.*)", text) for rule, text in jobs}
    return {rule: dict(re.findall(r"(\w+)=([^,\s]+)", found[1])) for rule, found in named.items() if found}


def test_slurm_gives_each_shard_one_gpu_and_what_it_asks_for_and_nothing_of_this_machine_limits_it(tree):
    needs("executor_plugin_slurm")
    found = resources(tree, "slurm")
    assert (found["encode"]["gpu"], found["encode"]["mem_mb"], found["encode"]["runtime"]) == ("1", "32000", "240")
    assert "gpu" not in found["assign"]
    assert (found["assign"]["mem_mb"], found["fit"]["mem_mb"]) == ("16000", "8000")


def test_kubernetes_asks_for_gpus_of_one_maker(tree, tmp_path):
    needs("executor_plugin_kubernetes", "storage_plugin_fs")
    storage = ("--default-storage-provider", "fs", "--default-storage-prefix", str(tmp_path))
    found = resources(tree, "kubernetes", *storage)
    assert (found["encode"]["gpu"], found["encode"]["gpu_manufacturer"]) == ("1", "nvidia")
    assert found["encode"]["mem_mb"] == "32000"
    assert "gpu" not in found["assign"]


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
def test_memory_grows_with_every_attempt_and_every_rule_that_is_named_exists(tree, profile):
    values = yaml.read(tree.root / "profiles" / profile / "config.yaml").values
    assert values["retries"] >= 1
    asked = [item["mem_mb"] for item in values["set-resources"].values() if "mem_mb" in item]
    asked += [text.partition("=")[2] for text in values["default-resources"] if text.startswith("mem_mb")]
    assert len(asked) > 5
    assert [text for text in asked if not re.fullmatch(r"\d+ \* attempt", text)] == []
    rules = {name for path in (tree.root / "workflow" / "rules").glob("*.smk") for name in rules_of(path.read_text())}
    assert set(values["set-resources"]) <= rules
    assert "slurm-array-jobs" not in values  # a task fails where the first one of its array is late
    assert "groups" not in values  # 50 jobs of a group would ask for 50 processors and 50 times the memory of one


def rules_of(text):
    return [first or second for first, second in re.findall(r"^rule (\w+):|^use rule \w+ as (\w+) ", text, re.MULTILINE)]


def test_a_job_of_slurm_that_measures_time_has_its_node_to_itself(tree):
    values = yaml.read(tree.root / "profiles" / "slurm" / "config.yaml").values
    alone = {rule for rule, item in values["set-resources"].items() if item.get("slurm_extra") == "'--exclusive'"}
    whole = {rule for rule, text in blocks(tree) if "threads: lambda wildcards: alone(" in text}
    assert alone == whole == {"latency", "growth_measured", "peer", "peer_ours"}


@pytest.mark.parametrize(("cores", "threads"), [(8, 8), (1, 1), (None, 3)])
def test_such_a_job_takes_every_core_of_a_run_and_what_it_pins_where_a_run_has_no_number_of_cores(tree, cores, threads):
    run = SimpleNamespace(resource_settings=SimpleNamespace(cores=cores))
    rules = runpy.run_path(str(tree.root / "workflow" / "rules" / "common.smk"), {"workflow": run})
    assert rules["alone"](3) == threads


def blocks(tree):
    """Name and text of each rule."""
    for path in sorted((tree.root / "workflow" / "rules").glob("*.smk")):
        for text in re.split(r"^(?=rule |use rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            yield re.match(r"(?:use )?rule (\w+)", text)[1], text


def test_every_job_on_a_gpu_of_kubernetes_names_its_maker(tree):
    values = yaml.read(tree.root / "profiles" / "kubernetes" / "config.yaml").values
    named = {rule for rule, item in values["set-resources"].items() if "gpu_manufacturer" in item}
    assert named == {rule for rule, text in blocks(tree) if "gpu=GPU" in text}


def test_what_is_read_beside_every_profile_limits_no_cluster(tree):
    """Snakemake prefers profiles/default to the profile on the command line; cores or gpu there would bind a cluster."""
    assert not {"cores", "jobs", "resources", "executor", "default-resources"} & set(
        yaml.read(tree.root / "profiles" / "default" / "config.yaml").values
    )
