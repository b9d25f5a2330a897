"""Table 8: what compression and search lose of rankings and of vectors, the latter beside the bound at the same bits."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.config.presets import REFERENCE
from bench.errors import DataError
from bench.evaluation.comparison import interval
from bench.evaluation.overlap import overlap, rank_biased_overlap
from bench.evaluation.runs import Rankings
from bench.report.deviations import cells, note
from bench.report.records import Record, quality_frame, references, row_of
from bench.report.seeds import BY_SEED, SPREAD, Key, averaged, explained, key_of, made_of, mean, over_seeds
from bench.report.table import MISSING, Table, number, signed, with_interval
from bench.report.verdicts import difference_cells

RBO = "RBO"
ERRORS = ("cosine", "squared_error", "maxsim_error", "maxsim_rms")
KEPT = ("dataset", "model", "codec", "preset", "headline", "value", "difference", "difference_low", "difference_high")
SPLIT = ("codec_loss", "engine_loss")
SEEDED = ("seeds", f"difference{SPREAD}")


def losses_frame(
    metrics: Sequence[Record],
    sizes: Sequence[Record],
    runs: Mapping[Key, Rankings],
    reconstructions: Sequence[Record],
    depths: Sequence[int],
    *,
    seed: int,
) -> pd.DataFrame:
    """One row per run over a compressed index.

    Columns: dataset, model, codec, preset, headline (name), value, difference to uncompressed exhaustive search with its
    interval, codec_loss and engine_loss, its two parts; overlap@k for each of ``depths``, absent where a ranking of that
    search is shorter, and RBO, each with _low and _high; bits of code and residual of a vector; the errors of
    ``bench.evaluation.reconstruction``, and each of them at the bound with bound_ before its name;
    residual_bound; deviations. Runs of several seeds are one row of means, with seeds and difference_spread.

    Raises DataError for a codec without a reconstruction, or with one over another index.
    """
    compared = references(metrics)
    rebuilt = {(found["dataset"], row["index"]): row for found in reconstructions for row in found["codecs"]}
    quality = quality_frame(metrics, sizes, seed=seed).set_index(["dataset", "model", "codec", "preset"], drop=False)
    rows = []
    for record in over_seeds(metrics):
        row, made = row_of(record), made_of(record)
        if row[2] == REFERENCE[0]:
            continue
        found = [rebuilt.get((row[0], each["run"]["inputs"]["index"])) for each in made]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            raise DataError(f"run {'/'.join(row)} has no reconstruction over the index that it searched: measure it again")
        pairs = [(runs[key_of(each)], runs[compared[key_of(each)]]) for each in made]
        shown = quality.loc[row]
        rows.append(
            {
                **{name: shown[name] for name in (*KEPT, *SPLIT)},
                **_agreement(pairs, depths, seed, "/".join(row)),
                "bits": sum(known[0]["bits"].values()),
                **{name: mean(each["measured"][name] for each in known) for name in ERRORS},
                **{f"bound_{name}": mean(each["bound"][name] for each in known) for name in ERRORS},
                "residual_bound": mean(each["residual_bound"] for each in known),
                "deviations": shown["deviations"],
                **({name: shown[name] for name in SEEDED} if BY_SEED in record else {}),
            }
        )
    return pd.DataFrame(rows)


def _agreement(pairs: Sequence[tuple[Rankings, Rankings]], depths: Sequence[int], seed: int, row: str) -> dict[str, Any]:
    """Return the means over queries of each overlap and of RBO, with their 95 % intervals.

    pairs: a run and the one that it is compared with, of each seed, over which the values of a query are averaged.
    """
    shortest = min((len(ranking) for _, reference in pairs for ranking in reference.values()), default=0)
    found: dict[str, Mapping[str, float] | None] = {
        f"overlap@{depth}": averaged([overlap(*each, depth) for each in pairs], row) if depth <= shortest else None
        for depth in depths
    }
    found[RBO] = averaged([rank_biased_overlap(*each) for each in pairs], row)
    columns: dict[str, Any] = {}
    for name, by_query in found.items():
        values = None if by_query is None else np.array([by_query[query] for query in sorted(by_query)])
        low, high = (None, None) if values is None else interval(values, np.random.default_rng(seed))
        columns |= {name: None if values is None else float(values.mean()), f"{name}_low": low, f"{name}_high": high}
    return columns


def losses_table(frame: pd.DataFrame) -> Table:
    """Return Table 8: each compressed run with its loss in parts, its agreement, and its errors beside the bound."""
    shown = pd.DataFrame({"data set": cells(frame["dataset"], frame["deviations"]), "model": frame["model"]})
    shown["codec"], shown["search"], shown["measure"] = frame["codec"], frame["preset"], frame["headline"]
    shown["Δ codec"] = [signed(value) for value in frame["codec_loss"]]
    shown["Δ engine"] = [signed(value) for value in frame["engine_loss"]]
    shown["Δ uncompressed"] = difference_cells(frame, "difference")
    for name in (name for name in frame if str(name).startswith("overlap@") or name == RBO):
        if not str(name).endswith(("_low", "_high")):
            shown[name] = _interval_cells(frame, str(name))
    shown["bits"] = [number(value, 0) for value in frame["bits"]]
    for name, title, digits in (
        ("cosine", "cosine", 4),
        ("squared_error", "squared error", 4),
        ("maxsim_error", "MaxSim error", 3),
        ("maxsim_rms", "MaxSim RMS error", 3),
    ):
        shown[f"{title} (bound)"] = [
            f"{number(value, digits)} ({number(bound, digits)})"
            for value, bound in zip(frame[name], frame[f"bound_{name}"], strict=True)
        ]
    shown["squared error, bound of residuals"] = [number(value, 4) for value in frame["residual_bound"]]
    caption = (
        f"Where the loss is. Δ: paired difference in the measure to uncompressed vectors under exhaustive search by the "
        f"same model, with its 95 % bootstrap interval over queries; Δ codec is the part lost by exhaustive search over "
        f"decoded vectors, Δ engine the rest. Agreement with the ranking of that search, with intervals: overlap@k, the "
        f"share of its k best passages that are among the k best found; {RBO}, extrapolated rank-biased overlap (Webber "
        f"et al. 2010, p = 0.9). Bits: of code and residual of a vector. Cosine and squared error: means over the vectors"
        f" of a sample of passages. MaxSim error: mean absolute and root mean squared error of the score, over each query"
        f" and the passages that rank first without compression. In brackets: the same at the rate-distortion bound of a "
        f"Gaussian source with the covariance of the vectors at these bits (reverse water-filling, Cover and Thomas 2006,"
        f" section 10.3.3); for cosine and MaxSim, of the test channel that attains it. A codec can be better than this "
        f"bound, since its centroids know the clusters that a covariance does not show, and take no bits of a vector. The"
        f" last column knows the centroids: it is the same bound for the residuals, with their covariance, at the bits of"
        f" a residual. {MISSING} means: does not apply.{explained(frame)}{note(frame['dataset'], frame['deviations'])}"
    )
    return Table(frame, shown, caption)


def _interval_cells(frame: pd.DataFrame, name: str) -> list[str]:
    return [with_interval(*each) for each in zip(frame[name], frame[f"{name}_low"], frame[f"{name}_high"], strict=True)]
