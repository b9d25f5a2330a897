"""What the rules of the paper's tables and figures need to know of a plan.

Every method whose argument is ``w`` takes the wildcards of the rule of the same name.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.config.datasets import slug
from bench.config.paper_tables import PAPER_TABLES
from bench.config.plan import Plan
from bench.config.settings import flags
from bench.errors import SettingsError
from workflow.jobs import run_folder


class PaperJobs:
    """Records that a table has cells for, and no others, so that a target runs only what it shows."""

    def __init__(self, plan: Plan, numbers: Path):
        self.plan, self.numbers = plan, numbers

    def metrics(self, w: Any) -> list[str]:
        cells = {(row["dataset"], row["model"], row["codec"], row["preset"]) for row in self._printed(w.table)}
        runs = ((run, self.plan.entries[run.queries].id) for run in self.plan.runs)
        return [f"{run_folder(run)}/metrics.json" for run, name in runs if (name, *run.row[:2], run.preset) in cells]

    def sizes(self, w: Any) -> list[str]:
        from bench.report.published import COLLECTION

        rows = [row for row in self._printed(w.table) if row["dataset"].endswith(COLLECTION)]
        cells = {(slug(row["dataset"].removesuffix(COLLECTION)), row["model"], row["codec"]) for row in rows}
        indexes = {(run.corpus, run.model, run.codec): (run.corpus, *run.row[:2]) for run in self.plan.runs}
        return [f"build/{'/'.join(index)}/size.json" for index, cell in indexes.items() if cell in cells]

    def latencies(self, w: Any) -> list[str]:
        from bench.report.published import THREADS

        wanted = {THREADS[row["measure"]] for row in self._printed(w.table) if row["measure"] in THREADS}
        timed, asked = self.plan.latency, self.metrics(w)
        runs = [folder for run in (timed.runs if timed else ()) if f"{(folder := run_folder(run))}/metrics.json" in asked]
        counts = [count for count in (timed.threads if timed else ()) if count in wanted]
        return [f"{folder}/threads-{count}/latency.json" for folder in runs for count in counts]

    def figure3(self, _: Any) -> str:
        """The figure of timings, which a config makes that has any."""
        if self.plan.latency is None:
            raise SettingsError(
                f"{self.plan.source} times no run: give it the key latency, or take config/figure3.yaml, for Figure 3"
            )
        return f"results/{self.plan.name}/figure3_latency.png"

    def random_vectors(self, w: Any) -> str:
        return flags(seed=self.plan.seed_for("random-vectors", w.corpus, w.model, w.shard))

    def clusters(self, w: Any) -> str:
        return flags(seed=self.plan.seed_for("clusters", w.corpus, w.model))

    @functools.cache  # noqa: B019 - one plan lives as long as the process
    def _printed(self, table: str) -> list[Mapping[str, str]]:
        from bench.report import paper, published

        return paper.placed(published.read(self.numbers), PAPER_TABLES[table]).to_dict("records")
