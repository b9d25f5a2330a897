"""
The whole benchmark: a config in, tables and figures out.

    snakemake --cores all                                  config/quick.yaml, the default
    snakemake --cores all --configfile config/ci.yaml      another one
    snakemake --profile profiles/slurm --configfile config/paper.yaml
"""

import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from bench.errors import BenchError
from bench.config.plan import load
from bench.files.provenance import code_digest
from bench.config.settings import flags
from workflow.jobs import OURS, PEERS, Jobs, folders
from workflow.training_jobs import TrainingJobs
from snakemake.exceptions import WorkflowError

if len(workflow.configfiles) != 1:
    raise WorkflowError(
        f"give exactly one --configfile, such as config/quick.yaml (got {list(workflow.configfiles)})"
    )
try:
    PLAN = load(
        Path(os.path.relpath(workflow.configfiles[0])),
        Path(workflow.basedir, "config", "datasets.yaml"),
    )
except BenchError as error:
    raise WorkflowError(str(error)) from None

# Jobs run in the Python that runs Snakemake, whether or not its environment is activated. A prefix of ours replaces
# Snakemake's own, without which a job that fails before `| tee` would count as done.
shell.prefix(
    f"set -euo pipefail; export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
)

JOBS, TRAINING = Jobs(PLAN), TrainingJobs(PLAN)
GPU = int(
    PLAN.device == "cuda"
)  # of a job with a network; a profile says how many there are
RESULTS = f"results/{PLAN.name}"
RESULT_FILES = [
    "records.json",
    "table1_quality.md",
    "table2_size.md",
    "table6_protocol.md",
    "figure1_quality_bytes.png",
    "figure2_size.png",
    *(["table4_training.md", "figure4_training.png"] if TRAINING.logs() else []),
    *(["supervision.md"] if PLAN.training else []),
    *(["table5_models.md"] if PLAN.baseline else []),
    *(["table7_codecs.md", "figure5_codecs.png"] if PLAN.rates else []),
    *(["table3_latency.md", "figure3_latency.png"] if PLAN.latency else []),
]


wildcard_constraints:
    corpus="[A-Za-z0-9._-]+",
    queries="[A-Za-z0-9._-]+",
    model="[a-z0-9.-]+",
    teacher="[a-z0-9.-]+",
    codec="[a-z0-9.-]+",
    times="(-x[0-9]+)?",
    preset="[a-z0-9.-]+",
    shard="[0-9]{5}",


localrules:
    all,


rule all:
    default_target: True
    input:
        JOBS.kept_shards(),
        JOBS.unjudged(),
        expand(f"{RESULTS}/{{name}}", name=RESULT_FILES if JOBS.metrics() else []),


include: "workflow/rules/corpus.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/distill.smk"
include: "workflow/rules/encode.smk"
include: "workflow/rules/index.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/latency.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/peers.smk"
include: "workflow/rules/growth.smk"
