"""What was answered in a window, with the labels known at a moment: the prediction log, read once."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from heptad.monitoring.trials import TrialRows
from heptad.monitoring.windows import Window
from heptad.serving import Serving
from heptad.training import Signature

SCORED = ["id", "at", "version", "role", "label", "score", "probabilities", "shadows"]
"""What is read of each answer to know how well it was; the rest is read for a whole report only."""

Answers: TypeAlias = dict[Window, pl.DataFrame]


def read_answers(serving: Serving, windows: Sequence[Window], known_at: datetime, *, whole: bool = False) -> Answers:
    """The answers of each window in order of time, with `truth` and `known_at` where a label was known at that moment.

    Labels are found by the prediction's id, whenever the labelled event was. The log is read once, from the first
    window to the last; with `whole`, answers come with every column of it.
    """
    asked = _asked(serving, windows)
    asked = asked if whole else asked.select(SCORED)
    labels = serving.labels(known_at=known_at, among=asked).select("id", "known_at", truth="value")
    answers = asked.join(labels, on="id", how="left").sort("at", "id").collect()
    return {window: answers.filter(_within(window)) for window in windows}


def count_labelled(serving: Serving, windows: Sequence[Window], known_at: datetime, version: str) -> dict[Window, int]:
    """How many live answers of a version have a label in each window by now; one look, however many windows."""
    if not windows:
        return {}
    asked = _asked(serving, windows).filter(pl.col("role") == "live", pl.col("version") == version).select("id", "at")
    known = serving.labels(known_at=known_at, among=asked).select("id")
    labelled = asked.join(known, on="id", how="semi").select("at").collect()
    return {window: labelled.filter(_within(window)).height for window in windows}


def _asked(serving: Serving, windows: Sequence[Window]) -> pl.LazyFrame:
    return serving.predictions(min(one.start for one in windows), max(one.end for one in windows))


def _within(window: Window) -> pl.Expr:
    return pl.col("at").is_between(window.start, window.end, closed="left")


def live_version(answers: pl.DataFrame) -> str | None:
    """The version that gave the last live answer; `None` where there was none."""
    live = answers.filter(pl.col("role") == "live")
    return None if live.is_empty() else str(live["version"][-1])


def inputs_of(answers: pl.DataFrame, signature: Signature) -> pl.DataFrame | None:
    """The logged inputs that a version takes, one column each; `None` where inputs are not logged."""
    if "inputs" not in answers.columns:
        return None
    logged = answers.get_column("inputs").struct.unnest()
    names = [column.name for column in signature.inputs]
    return logged.with_columns(pl.lit(None).alias(name) for name in names if name not in logged.columns).select(names)


def callers_of(answers: pl.DataFrame) -> dict[str, int]:
    """Rows by caller, the busiest first."""
    return dict(Counter(answers["caller"].to_list()).most_common())


def warnings_of(answers: pl.DataFrame) -> dict[str, int]:
    """How often replies carried each warning, the most frequent first."""
    return dict(Counter(answers["warnings"].explode().drop_nulls().to_list()).most_common())


def latencies_of(answers: pl.DataFrame) -> tuple[float | None, float | None]:
    """Median and 99th percentile of what answering took, in milliseconds; `None` without a row."""
    latency = answers["latency_ms"]
    return latency.quantile(0.5, "lower"), latency.quantile(0.99, "lower")


def trial_rows_of(answers: pl.DataFrame, champion: str, challenger: str, signature: Signature) -> TrialRows:
    """The labelled answers that two versions can be compared on, in the order in which the labels became known.

    Beside a shadow these are the champion's answers that it scored too. Beside a canary they are the answers of both;
    with more than two classes a canary answers another class than the champion would, so there each score is taken
    as certain and the Brier score becomes the share of wrong answers.
    """
    rows = answers.filter(pl.col("truth").is_not_null() & pl.col("version").is_in([champion, challenger])).sort(
        "known_at", "id"
    )
    beside = pl.col("shadows").list.eval(
        pl.element().struct.field("score").filter(pl.element().struct.field("version") == challenger)
    )
    rows = rows.with_columns(
        champion=pl.when(pl.col("version") == champion).then("score"),
        challenger=pl.when(pl.col("version") == challenger).then("score").otherwise(beside.list.first()),
    )
    both = pl.col("champion").is_not_null() & pl.col("challenger").is_not_null()
    shadowed = rows.filter(both)
    certain = shadowed.is_empty() and len(signature.classes) > 2
    if not shadowed.is_empty():
        rows = shadowed
    if certain:
        rows = rows.with_columns(pl.when(pl.col(side).is_not_null()).then(1.0).alias(side) for side in _SIDES)
    return TrialRows(
        at=rows["at"].to_numpy(),
        known_at=rows["known_at"].dt.epoch("us").to_numpy() / 1e6,
        outcomes=rows.select(outcome_of(signature)).to_series().to_numpy(),
        **{side: rows[side].fill_null(float("nan")).to_numpy() for side in _SIDES},
    )


_SIDES = ("champion", "challenger")


def outcome_of(signature: Signature) -> pl.Expr:
    """What scores are held against: of two classes 1 for the positive one, of more 1 where the answer was right.

    Of a regression it is the number.
    """
    if signature.task == "regression":
        return pl.col("truth").cast(pl.Float64)
    right = pl.lit(signature.classes[1]) if len(signature.classes) == 2 else pl.col("label")
    return (pl.col("truth").cast(pl.String) == right).cast(pl.Float64).fill_null(0.0)
