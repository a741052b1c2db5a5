"""How well each version did in a window, measured where labels have landed and estimated where not."""

from datetime import datetime

import msgspec
import numpy as np
import polars as pl

from heptad.monitoring.answers import outcome_of
from heptad.monitoring.estimation import FORMULAS, Calibration, Period, estimate
from heptad.monitoring.records import Performance
from heptad.serving import RouteRole
from heptad.training import Metric, Sample, Scores, Signature, metric_names, sample_of, with_intervals

_RESAMPLES = 100
_CONFIDENCE = 0.95


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a window that one version scored in one role.

    `rows` has the columns `id`, `at`, `truth` (null: no label known), `label` (null for a shadow, which answers
    nothing), `score` and `probabilities` (null for a shadow).
    """

    version: str
    role: RouteRole
    rows: pl.DataFrame

    def labelled(self) -> pl.DataFrame:
        return self.rows.filter(pl.col("truth").is_not_null())


def split_by_version(answers: pl.DataFrame) -> list[Scored]:
    """The answers of a window, by the versions that gave or shadowed them; in order of name, then role."""
    found = [
        Scored(version=str(version), role=role, rows=rows)
        for (version, role), rows in answers.group_by("version", "role", maintain_order=True)
    ]
    shadowed = answers.select("id", "at", "truth", "shadows").explode("shadows").unnest("shadows").drop_nulls("score")
    found += [
        Scored(
            version=str(version),
            role="shadow",
            rows=rows.with_columns(label=pl.lit(None, pl.String), probabilities=pl.lit(None, pl.List(pl.Float64))),
        )
        for (version,), rows in shadowed.group_by("version", maintain_order=True)
    ]
    return sorted(found, key=lambda scored: (scored.version, scored.role))


def measure(scored: Scored, signature: Signature, main: str, seed: int) -> list[Metric]:
    """Every metric of the task with its interval on the rows with labels, the main one first.

    Rows of one stretch of the window share what happened then, and the intervals know it. None where no label is
    known, and none of a shadow with more than two classes: of it only the probability of the class is logged that
    another model answered. Metrics that the rows leave undefined are left out.
    """
    labelled = scored.labelled()
    classes = len(signature.classes)
    if labelled.is_empty() or (classes > 2 and scored.role == "shadow"):
        return []
    names = sorted(metric_names(signature.task, classes), key=lambda name: name != main)
    sample = sample_of_answers(labelled, signature)
    metrics, _ = with_intervals(sample, tuple(names), resamples=_RESAMPLES, confidence=_CONFIDENCE, seed=seed)
    return metrics


def sample_of_answers(labelled: pl.DataFrame, signature: Signature) -> Sample:
    """Labelled rows with their times as training's metrics take them; a label that the model does not know is wrong."""
    scores = labelled["score"].to_numpy()
    classes = signature.classes
    if len(classes) == 2:
        labels = [classes[int(score >= threshold_of(signature))] for score in scores.tolist()]
    else:
        labels = labelled["label"].to_list()
    probabilities = np.array(labelled["probabilities"].to_list()) if len(classes) > 2 else None
    answers = Scores(labels, scores, probabilities)
    return sample_of(signature, labelled["truth"].to_list(), answers, labelled["at"].to_numpy())


def threshold_of(signature: Signature) -> float:
    return 0.5 if signature.threshold is None else signature.threshold


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """A calibration, and the end of the newest window whose labels it knows; `None`: held-out rows at release."""

    calibration: Calibration
    until: datetime | None


def periods_of(scored: Scored, signature: Signature, minimum_rows: int, most: int = 1) -> list[Period]:
    """The labelled rows in their order, cut into up to `most` equal parts of at least `minimum_rows` each."""
    labelled = scored.labelled()
    parts = min(most, len(labelled) // max(minimum_rows, 1))
    if not parts or not _is_calibratable(scored, signature):
        return []
    columns = labelled["score"].to_numpy(), labelled.select(outcome_of(signature)).to_series().to_numpy()
    return [Period(*both) for both in zip(*(np.array_split(column, parts) for column in columns), strict=True)]


def estimated(scored: Scored, signature: Signature, main: str, labels: Labels, minimum_rows: int) -> Metric | None:
    """The main metric estimated on all rows, with or without labels; `None` where that would not be sound."""
    if len(scored.rows) < minimum_rows or not has_estimate(signature, main) or not _is_calibratable(scored, signature):
        return None
    threshold = threshold_of(signature) if len(signature.classes) == 2 else 0.0
    return estimate(main, scored.rows["score"].to_numpy(), labels.calibration, threshold)


def has_estimate(signature: Signature, main: str) -> bool:
    """Whether a main metric can be estimated without labels.

    Two classes: every metric that has a formula. More: only accuracy, from the probability of the answered class.
    Regression: never.
    """
    if signature.task == "regression":
        return False
    return main in FORMULAS if len(signature.classes) == 2 else main == "accuracy"


def _is_calibratable(scored: Scored, signature: Signature) -> bool:
    """Whether scores are probabilities of what is counted: a shadow of many classes did not answer the row."""
    return signature.task == "classification" and (len(signature.classes) == 2 or scored.role != "shadow")


def report_of(
    scored: Scored, signature: Signature, main: str, labels: Labels | None, minimum_rows: int, seed: int
) -> Performance:
    """One version's entry of a report."""
    guess = estimated(scored, signature, main, labels, minimum_rows) if labels else None
    return Performance(
        version=scored.version,
        role=scored.role,
        rows=len(scored.rows),
        labelled=len(scored.labelled()),
        metrics=measure(scored, signature, main, seed),
        estimated=guess,
        calibrated_until=labels.until if labels and guess else None,
    )
