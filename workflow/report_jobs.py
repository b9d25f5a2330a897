"""What the rules of tables, figures and reports need to know of a plan: the files of its runs, and flags.

Every method whose argument is ``w`` takes the wildcards of the rule of the same name.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.codec.names import UNCOMPRESSED
from bench.config import pools
from bench.config.models import Pooled
from bench.config.plan import Plan, Run
from bench.config.presets import REFERENCE
from bench.config.settings import flags
from workflow.jobs import named, run_folder

OVERLAPS = (10, 100)
WORST = 10


class ReportJobs:
    """Files of the runs of one plan, by what is shown of them."""

    def __init__(self, plan: Plan):
        self.plan = plan

    def means(self) -> str:
        """Groups of data sets that Table 1 averages, those of which the config has any."""
        return flags(means=named({group.title: ",".join(group.members) for group in self.plan.groups}))

    def margins(self) -> str:
        """Margins of equivalence, for the tables that compare."""
        return flags(margin=named(self.plan.margin))

    def truncations(self) -> list[str]:
        """One per query set and model, under the first seed of the model: lengths do not depend on it."""
        found: dict[tuple[str, str, str], str] = {}
        for run in self.plan.judged:
            found.setdefault((run.corpus, run.row[0], run.queries), run.model)
        return [f"build/{corpus}/{model}/truncation/{queries}.json" for (corpus, _, queries), model in found.items()]

    def lossy(self, w: Any = None) -> list[Run]:
        """Compressed runs, all or those of a rule, of models that are searched over uncompressed vectors as well.

        Those over merged vectors are left out: they have no vector for each one that was encoded.
        """
        wanted = (w.corpus, w.model, w.queries) if w else None
        plain = {self._place(run) for run in self.plan.judged if (run.codec, run.preset) == REFERENCE}
        whole = (run for run in self.plan.judged if pools.factor_of(run.codec) == pools.NONE)
        runs = (run for run in whole if run.codec != UNCOMPRESSED and self._place(run) in plain)
        return [run for run in runs if wanted in (None, self._place(run))]

    def lossy_indexes(self, w: Any) -> list[str]:
        return list(dict.fromkeys(f"build/{run.corpus}/{run.model}/{run.codec}/index" for run in self.lossy(w)))

    def worst(self, *names: str) -> Callable[[Any], list[str]]:
        """Files of one compressed run per codec, the exhaustive one where there is one."""

        def files(w: Any) -> list[str]:
            ordered = sorted(self.lossy(w), key=lambda run: run.preset != REFERENCE[1])
            by_codec: dict[str, Run] = {}
            for run in ordered:
                by_codec.setdefault(run.codec, run)
            return [f"{run_folder(run)}/{name}" for run in by_codec.values() for name in names]

        return files

    def compared(self, name: str) -> list[str]:
        """A file of every lossy run and of those that they are compared with."""
        places = {self._place(run) for run in self.lossy()}
        plain = [run for run in self.plan.judged if (run.codec, run.preset) == REFERENCE and self._place(run) in places]
        return [f"{run_folder(run)}/{name}" for run in (*plain, *self.lossy())]

    def by_model(self, kind: str) -> list[str]:
        """A JSON of that kind per query set and model with lossy runs."""
        places = dict.fromkeys(self._place(run) for run in self.lossy())
        return [f"build/{corpus}/{model}/{kind}/{queries}.json" for corpus, model, queries in places]

    def overlaps(self) -> str:
        return flags(depths=[depth for depth in OVERLAPS if depth <= self.plan.depth] or None)

    def metrics(self) -> list[str]:
        plan = self.plan
        runs = [f"{run_folder(run)}/metrics.json" for run in plan.judged]
        judged = [entry for entry in plan.entries.values() if entry.judgements and plan.bm25]
        runs += [f"build/{entry.corpus_name}/bm25/{entry.name}/metrics.json" for entry in judged]
        external = ((name, run.entry) for name, run in plan.external.items())
        return runs + [f"build/{entry.corpus_name}/runs/{name}/{entry.name}/metrics.json" for name, entry in external]

    def unjudged(self) -> list[str]:
        """Runs that nothing can be computed from, since their queries have no judgements, and sizes of their indexes."""
        plan = self.plan
        runs = [run for run in plan.runs if run not in plan.judged]
        lexical = [entry for entry in plan.entries.values() if plan.bm25 and not entry.judgements]
        sizes = dict.fromkeys(f"build/{run.corpus}/{run.model}/{run.codec}/size.json" for run in runs)
        found = [f"{run_folder(run)}/run.trec.gz" for run in runs]
        return [*found, *(f"build/{entry.corpus_name}/bm25/{entry.name}/run.trec.gz" for entry in lexical), *sizes]

    def judged_queries(self) -> list[str]:
        """Query sets that are evaluated."""
        entries = [entry for entry in self.plan.entries.values() if entry.judgements]
        return [f"build/{entry.corpus_name}/queries/{entry.name}" for entry in entries]

    def metrics_of(self, codec: str, preset: str) -> list[str]:
        """Of the runs over one codec by one preset."""
        return [f"{run_folder(run)}/metrics.json" for run in self.plan.judged if (run.codec, run.preset) == (codec, preset)]

    def rated(self, name: str) -> list[str]:
        """A file of every run over token vectors, which Table 7 shows; none where the config asks for none."""
        runs = [run for run in self.plan.judged if not isinstance(self.plan.models[run.model], Pooled)]
        return [f"{run_folder(run)}/{name}" for run in runs] if self.plan.rates else []

    def rates(self) -> str:
        rates = self.plan.rates
        against = named(rates.against) if rates else None
        return flags(depths=rates and rates.depths, against=against, seed=self.plan.seed_for("report"))

    def sizes_of(self, records: Iterable[str]) -> list[str]:
        """Of the indexes that runs searched, by a file of each run."""
        return list(dict.fromkeys(str(Path(record).parents[2] / "size.json") for record in records))

    def sizes(self) -> list[str]:
        pairs = dict.fromkeys((run.corpus, run.model) for run in self.plan.runs)
        return [f"build/{c}/{m}/{codec}/size.json" for c, m in pairs for codec in self.plan.codecs(c, m)]

    def latencies(self) -> list[str]:
        """Timings that the config asks for; none where it asks for none."""
        threads = self.plan.latency.threads if self.plan.latency else ()
        return [f"{run_folder(run)}/threads-{count}/latency.json" for run in self._timed() for count in threads]

    def timed_metrics(self) -> list[str]:
        return [f"{run_folder(run)}/metrics.json" for run in self._timed()]

    def timed_sizes(self) -> list[str]:
        return list(dict.fromkeys(f"build/{run.corpus}/{run.model}/{run.codec}/size.json" for run in self._timed()))

    @staticmethod
    def _place(run: Run) -> tuple[str, str, str]:
        return run.corpus, run.model, run.queries

    def _timed(self) -> Sequence[Run]:
        return self.plan.latency.runs if self.plan.latency else ()


def reported(plan: Plan, *, trained: bool, lossy: bool) -> tuple[list[str], list[str]]:
    """Names of the tables and of the figures of a plan, without suffix; trained: whether any model is;
    lossy: whether a run is compared with uncompressed vectors."""
    tables = {
        "table1_quality": True,
        "table2_size": True,
        "table3_latency": plan.latency,
        "table4_training": trained,
        "table5_models": plan.baseline,
        "table6_protocol": True,
        "table7_codecs": plan.rates,
        "table8_loss": lossy,
        "worst_queries": lossy,
        "supervision": plan.training,
        "published": True,
    }
    figures = {
        "figure1_quality_bytes": True,
        "figure2_size": True,
        "figure3_latency": plan.latency,
        "figure4_training": trained,
        "figure5_codecs": plan.rates,
        "figure8_loss": lossy,
    }
    tables_made, figures_made = ([stem for stem, asked in each.items() if asked] for each in (tables, figures))
    return tables_made, figures_made
