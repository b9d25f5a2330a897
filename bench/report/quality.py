"""Table 1, the quality of every run, and Table 2, the size of every index."""

from collections.abc import Mapping, Sequence

import pandas as pd

from bench.config import pools
from bench.evaluation.size import COMPONENTS
from bench.report import pooled, verdicts
from bench.report.deviations import cells, note
from bench.report.macro import Macro, macro, measures
from bench.report.seeds import SPREAD, explained, spreads
from bench.report.table import MISSING, Table, number, signed, with_interval, with_spread

LOST = " Δ is to all vectors of the model; what merging loses is part of Δ codec."


def quality_table(
    quality: pd.DataFrame,
    groups: Mapping[str, Sequence[str]] | None = None,
    margins: Mapping[str, float] | None = None,
) -> Table:
    """Table 1: quality of every run, with intervals and the paired difference to uncompressed, and means of groups.

    groups: data sets of each mean, by its title; a mean is of all of them or missing. margins: those that the frame was
    judged by.
    """
    means = macro(quality, groups or {})
    counts = ", ".join(f"{name} {rows['queries'].iloc[0]}" for name, rows in quality.groupby("dataset", sort=False))
    precisions = ", ".join(sorted(set(quality["precision"].dropna())))
    quality = pd.concat([quality, means.rows], ignore_index=True) if len(means.rows) else quality
    quality = pooled.with_pool(quality)
    fixed = {
        "data set": cells(quality["dataset"], quality["deviations"]),
        "model": quality["model"],
        **pooled.axes_cells(quality),
        "search": [search_cell(preset, settings) for preset, settings in zip(quality.preset, quality.settings, strict=True)],
        "bytes / vector": [number(value, 1) for value in quality["bytes_per_vector"]],
        **({"bytes / passage": [number(value, 0) for value in quality["bytes_per_passage"]]} if "pool" in quality else {}),
    }
    shown = pd.DataFrame(fixed)
    for measure in _measures(quality):
        shown[measure] = [_measure_cell(row, measure) for _, row in quality.iterrows()]
    shown["Δ uncompressed"] = verdicts.difference_cells(quality, "difference")
    shown["verdict"] = verdicts.verdict_cells(quality, "difference")
    shown["wins / ties / losses"] = verdicts.count_cells(quality, "difference")
    shown["effect"] = [signed(value, 2) for value in quality["difference_effect"]]
    shown["Δ codec"] = [signed(value) for value in quality["codec_loss"]]
    shown["Δ engine"] = [signed(value) for value in quality["engine_loss"]]
    caption = (
        f"Quality. Judged queries: {counts}. The first measure of a data set carries its 95 % bootstrap interval over "
        f"queries; Δ is the paired difference in that measure to uncompressed vectors under exhaustive search by the same "
        f"model, with its interval, and is split into the part lost by the codec (exhaustive search over decoded vectors) "
        f"and the part lost by the engine. {_of_others(quality)}{verdicts.explained(margins or {})} "
        f"Wins, ties and losses are queries; effect is the mean difference over its standard deviation. Bytes per vector "
        f"count every file of the index. Encoded in "
        f"{precisions}. {MISSING} means: does not apply, or was not measured.{explained(quality)}"
        f"{pooled.explained(quality, LOST)}"
        f"{_of_means(means)}{note(quality['dataset'], quality['deviations'])}"
    )
    return Table(quality, shown, caption)


def _of_others(quality: pd.DataFrame) -> str:
    """Return the sentence about rows of other systems, with a space after it; empty without any."""
    paired = quality[["model", "against"]].dropna().drop_duplicates()
    named = ", ".join(f"{row.model} with {row.against}" for row in paired.itertuples())
    return f"Runs of other systems (codec external) are paired with a model of ours: {named}. " if named else ""


def _of_means(means: Macro) -> str:
    counted = " A mean over data sets counts each of them the same, and has no interval." if len(means.rows) else ""
    return counted + "".join(f" No {text}." for text in means.missing)


def size_table(sizes: pd.DataFrame) -> Table:
    """Table 2: bytes by component, and the ratio to uncompressed in three ways of counting."""
    sizes = pooled.with_pool(sizes)
    shown = pd.DataFrame({name: sizes[name] for name in ("corpus", "model")} | pooled.axes_cells(sizes))
    shown["corpus"] = cells(sizes["corpus"], sizes["deviations"])
    for component in COMPONENTS:
        shown[f"{component}, MB"] = [number(value / 1e6, 2) if value else MISSING for value in sizes[component]]
    shown["total, MB"] = [number(value / 1e6, 2) for value in sizes["total"]]
    shown["GiB"] = [number(value / 2**30, 4) for value in sizes["total"]]
    spread = spreads(sizes, "bytes_per_vector")
    shown["bytes / vector"] = [
        with_spread(number(value, 1), each, 1) for value, each in zip(sizes["bytes_per_vector"], spread, strict=True)
    ]
    shown["bytes / passage"] = [
        number(total / passages, 0) for total, passages in zip(sizes["total"], sizes["passages"], strict=True)
    ]
    for name, title in (
        ("ratio_paper", "ratio"),
        ("ratio_with_centroids", "with centroids"),
        ("ratio_list_on_both_sides", "list on both sides"),
    ):
        values = sizes[name] if name in sizes else [None] * len(sizes)
        shown[title] = [number(value, 2) for value in values]
    counted = "; ".join(
        f"{corpus}: {row.passages:,} passages, {', '.join(_vectors(part))}"
        for corpus, part in sizes.groupby("corpus", sort=False)
        for row in [part.iloc[0]]
    )
    caption = (
        f"Size in MB (10^6 bytes) by component. {counted}. ratio: float16 vectors over codes + residuals + inverted list, "
        f"the count of the paper's section 5.3, where centroids are negligible; with centroids: their bytes added to the "
        f"compressed side, which weigh more the smaller the collection is; list on both sides: the inverted list added to "
        f"both. 'other' (ids, passage lengths, codebook) is in no ratio, but in total and in bytes per vector."
        f"{explained(sizes, '')}{pooled.explained(sizes, ' So are the ratios.')}{note(sizes['corpus'], sizes['deviations'])}"
    )
    return Table(sizes, shown, caption)


def _measures(quality: pd.DataFrame) -> list[str]:
    """Columns of measures, headlines first."""
    headlines = list(dict.fromkeys(quality["headline"]))
    return headlines + [name for name in measures(quality) if name not in headlines]


def _measure_cell(row: pd.Series, measure: str) -> str:
    low, high = (row["low"], row["high"]) if measure == row["headline"] else (None, None)
    return with_interval(row[measure], low, high, row.get(f"{measure}{SPREAD}"))


def search_cell(preset: str, settings: str) -> str:
    return f"{preset} ({settings})" if settings else preset


def _vectors(part: pd.DataFrame) -> list[str]:
    factors = part["codec"].map(pools.factor_of)
    largest = (rows.loc[rows["centroid_count"].idxmax()] for _, rows in part.groupby(["model", factors], sort=False))
    return [
        row.model
        + (f" at pool {factor}" if (factor := pools.factor_of(row.codec)) != pools.NONE else "")
        + f" {row.vectors:,} vectors"
        + (f" and {row.centroid_count:,} centroids" if row.centroid_count else "")
        for row in largest
    ]
