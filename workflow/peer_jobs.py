"""What the rules need to know of a plan that measure other engines, and the growth of search time.

Every method whose argument is ``w`` takes the wildcards of the rule of the same name.
"""

from collections.abc import Callable
from typing import Any

from bench.config.plan import Plan
from bench.config.settings import flags
from bench.errors import SettingsError

PEERS = ("colbert-ai", "fast-plaid", "xtr-warp-rs")
PEERS_NBITS = {"": 2, "-4-bits": 4}  # of a residual, by what the names of records end in
PEERS_MORE = ("xtr-warp-rs-4-bits",)  # records at another width than the one of all
PEERS_CODEC = "residual-2"
OURS = {"ours": None, "ours-opq-32": "opq-32"}  # records of ours, and the codec of those that are not of the paper's
GROWTH_CODECS = (PEERS_CODEC, f"{PEERS_CODEC}t", "opq-16x4t")
GROWTH_SIZES = (250_000, 1_000_000, 4_000_000, 16_000_000)


class PeerJobs:
    """Flags and file names for measurements over the vectors of one run of a plan."""

    def __init__(self, plan: Plan):
        self.plan = plan

    def peer(self, w: Any) -> str:
        return flags(nbits=PEERS_NBITS[w.get("width", "")], threads=2, seed=self.plan.seed_for("peers", w.corpus, w.model))

    def ours(self, w: Any) -> str:
        return flags(codec=OURS[w.ours])

    def growth(self, w: Any) -> str:
        seed = self.plan.seed_for("growth", w.corpus, w.model)
        return flags(sizes=GROWTH_SIZES, codecs=GROWTH_CODECS, iterations=self.plan.kmeans_iterations, seed=seed, threads=1)

    def peers(self, suffix: str) -> Callable[[Any], list[str]]:
        """Files of ours and of every peer, over the vectors of the first run that the config compresses to 2 bits."""
        return lambda w: [self.measured(f"peers/{{queries}}/{name}{suffix}")(w) for name in (*OURS, *PEERS, *PEERS_MORE)]

    def measured(self, pattern: str) -> Callable[[Any], str]:
        """A file of the first run that the config compresses to 2 bits, by a pattern with {queries}."""

        def file(_: Any) -> str:
            compressed = [run for run in self.plan.runs if run.row[1] == PEERS_CODEC]
            if not compressed:
                raise SettingsError(f"grid in {self.plan.source} has no codec {PEERS_CODEC}, which is measured here")
            run = compressed[0]
            return f"build/{run.corpus}/{run.model}/{pattern.format(queries=run.queries)}"

        return file
