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

import bench
from bench.errors import BenchError
from bench.config.paper_tables import PAPER_TABLES
from bench.config.plan import load
from bench.files.provenance import code_digest
from bench.files.storage import digest_of
from bench.config.settings import flags
from workflow.messages import explain_locks
from workflow.jobs import LENGTHS, Jobs, folders
from workflow.paper_jobs import PaperJobs
from workflow.peer_jobs import OURS, PEERS, PEERS_NBITS, PeerJobs
from workflow.report_jobs import WORST, ReportJobs, reported
from workflow.training_jobs import TrainingJobs
from snakemake.exceptions import WorkflowError

explain_locks()
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
REPORTS, PEER_JOBS = ReportJobs(PLAN), PeerJobs(PLAN)
TABLES, FIGURES = reported(
    PLAN, trained=bool(TRAINING.logs()), lossy=bool(REPORTS.lossy())
)
GPU = int(
    PLAN.device == "cuda"
)  # of a job that runs on it; a profile says how many there are
RESULTS = f"results/{PLAN.name}"
RESULT_FILES = ["records.json", "report.html"]  # which need all others
# Relative, so that a clone that is moved makes nothing again.
HERE = Path(os.path.relpath(workflow.basedir))
BENCH = Path(os.path.relpath(Path(bench.__file__).parent))
NUMBERS = local(str(HERE / "results" / "published.csv"))
PAPER = PaperJobs(PLAN, Path(NUMBERS))


wildcard_constraints:
    corpus="[A-Za-z0-9._-]+",
    queries="[A-Za-z0-9._-]+",
    model="[a-z0-9.-]+",
    teacher="[a-z0-9.-]+",
    codec="[a-z0-9.-]+",
    times="(-x[0-9]+t?|-t)?(\\.pool-[0-9]+)?(\\.seed-[0-9]+)?",
    pool="[0-9]+",
    preset="[a-z0-9.-]+",
    shard="[0-9]{5}",


localrules:
    all,
    rule_graph,


rule all:
    default_target: True
    input:
        JOBS.kept_shards(),
        REPORTS.unjudged(),
        [f"{RESULTS}/{name}" for name in RESULT_FILES if REPORTS.metrics()],


include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/distill.smk"
include: "workflow/rules/encode.smk"
include: "workflow/rules/index.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/latency.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/peers.smk"
include: "workflow/rules/growth.smk"
include: "workflow/rules/paper.smk"
