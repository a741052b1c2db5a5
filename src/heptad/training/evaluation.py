"""What is measured of a trained model on held-out rows: metrics, calibration, slices, baseline, parity, latency."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import polars as pl

from heptad.core.errors import NotFoundError
from heptad.data import Schema
from heptad.training.columns import columns_of
from heptad.training.comparison import difference
from heptad.training.intervals import with_intervals
from heptad.training.metrics import Sample, calibration_bins, metric_names, sample_of
from heptad.training.model import OnnxModel, Scores, decide
from heptad.training.records import CalibrationBin, Evaluation, Parity, SliceMetric
from heptad.training.splits import Parts

TOLERANCE = 1e-6
"""How far probabilities (and numbers of a regression, relative to their size) of the two models may be apart."""
_TIMED_ROWS = 500
_SLICE_COLUMNS = 3
_SLICE_VALUES = 20
"""Columns with more values are sliced only where the settings name them, and by their most frequent values."""
_SLICE_ROWS = 30
"""Smaller slices say nothing and are left out."""


@dataclass(frozen=True)
class Rules:
    """How a model is judged."""

    metric: str
    slices: Sequence[str]
    resamples: int
    confidence: float
    seed: int
    threshold_reason: str = ""


class Native(Protocol):
    """A model as its own library runs it, beside the graph that was exported from it."""

    def predict_native(self, frame: pl.DataFrame, /) -> Scores:
        """Scores of the frame's rows."""
        ...

    def attributions(self, frame: pl.DataFrame, /) -> dict[str, float]:
        """How much each input moves the raw score, largest first; empty where it is not known."""
        ...


def evaluate(native: Native, model: OnnxModel, parts: Parts, schema: Schema, rules: Rules) -> tuple[Evaluation, Scores]:
    """Everything measured on the judged rows, and the exported model's scores of them.

    What is judged is the exported model; the Python model only stands beside it for parity.
    """
    judged = parts.judged
    scores = model.predict(columns_of(judged, model.signature))
    sample = judged_sample(judged, schema, scores)
    names = metric_names(schema.task, len(schema.classes))
    how = {"resamples": rules.resamples, "seed": rules.seed}
    metrics, absent = with_intervals(sample, names, confidence=rules.confidence, **how)
    trivial, baseline_name = baseline_of(parts.train.get_column(schema.target), schema, sample)
    baseline, _ = with_intervals(trivial, names, confidence=rules.confidence, **how)
    compared = {rules.metric} <= {one.name for one in metrics} & {one.name for one in baseline}
    columns = slice_columns(judged, schema, rules.slices)
    median, slowest = latency_of(model, judged, _TIMED_ROWS)
    evaluation = Evaluation(
        metric=rules.metric,
        metrics=metrics,
        baseline=baseline,
        baseline_name=baseline_name,
        gain=difference(sample, trivial, rules.metric, confidence=rules.confidence, **how) if compared else None,
        confidence=rules.confidence,
        absent=absent,
        threshold_reason=rules.threshold_reason,
        calibration=calibration_of(sample),
        slices=slices_of(judged, columns, sample, rules.metric, confidence=rules.confidence, **how),
        attributions=native.attributions(judged),
        parity=parity_of(scores, decide_again(native.predict_native(judged), model)),
        model_latency_p50_ms=median,
        model_latency_p99_ms=slowest,
    )
    return evaluation, scores


def judged_sample(frame: pl.DataFrame, schema: Schema, scores: Scores) -> Sample:
    """Judged rows with a model's scores of them; with a time, they know which were judged together."""
    time = schema.named("time")
    return sample_of(schema, labels_of(frame, schema), scores, frame.get_column(time[0]).to_numpy() if time else None)


def labels_of(frame: pl.DataFrame, schema: Schema) -> list[str] | list[float]:
    """The true labels as `sample_of` takes them."""
    kind = pl.Float64 if schema.task == "regression" else pl.String
    labels: list[str] | list[float] = frame.get_column(schema.target).cast(kind).to_list()
    return labels


def decide_again(scores: Scores, model: OnnxModel) -> Scores:
    """The same scores with the labels that the model's own threshold gives."""
    output = scores.scores[:, None] if scores.probabilities is None else scores.probabilities
    return decide(output, model.signature)


def baseline_of(train_labels: pl.Series, schema: Schema, sample: Sample) -> tuple[Sample, str]:
    """The trivial model on the judged rows, and its name: the mean, or the classes' shares in the training rows."""
    rows = len(sample)
    if schema.task == "regression":
        mean = float(train_labels.cast(pl.Float64).mean())  # type: ignore[arg-type]  # there are labels, all numbers
        return replace(sample, scores=np.full(rows, mean)), "the mean"
    texts = train_labels.cast(pl.String)
    shares = np.array([(texts == name).mean() for name in schema.classes], dtype=np.float64)
    most = int(shares.argmax())
    probabilities = np.tile(shares, (rows, 1))
    scores = probabilities[:, 1] if len(schema.classes) == 2 else probabilities[:, most]
    baseline = replace(sample, scores=scores, predicted=np.full(rows, most), probabilities=probabilities)
    return baseline, f"always {schema.classes[most]!r}, with the classes' shares as probabilities"


def calibration_of(sample: Sample) -> list[CalibrationBin]:
    """Predicted against observed rate in ten bins of equally many rows; only for two classes."""
    if sample.classes != 2 or not len(sample):
        return []
    bins = calibration_bins(sample.scores)
    rows = np.bincount(bins)
    predicted = np.bincount(bins, weights=sample.scores) / rows
    observed = np.bincount(bins, weights=sample.truth == 1) / rows
    return [
        CalibrationBin(predicted=float(p), observed=float(o), rows=int(n))
        for p, o, n in zip(predicted, observed, rows, strict=True)
    ]


def slices_of(
    frame: pl.DataFrame,
    columns: Sequence[str],
    sample: Sample,
    metric: str,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> list[SliceMetric]:
    """The metric for each value of each column, most frequent first.

    Values with under 30 rows, or on whose rows the metric is undefined, are left out.
    """
    found = []
    for column in columns:
        values = frame.get_column(column).cast(pl.String).fill_null("(missing)")
        counts = values.value_counts(name="rows").sort(["rows", column], descending=[True, False])
        for value in counts.filter(pl.col("rows") >= _SLICE_ROWS).get_column(column).head(_SLICE_VALUES):
            part = sample.take((values == value).to_numpy())
            metrics, _ = with_intervals(part, (metric,), resamples=resamples, confidence=confidence, seed=seed)
            found += [SliceMetric(column=column, value=value, metric=one) for one in metrics]
    return found


def slice_columns(frame: pl.DataFrame, schema: Schema, wanted: Sequence[str]) -> list[str]:
    """The columns to slice by: those that the settings name, else up to three features with few values."""
    for name in wanted:
        if name not in frame.columns:
            raise NotFoundError("column to slice by", name, frame.columns, remedy="Change [validate] slices.")
    if wanted:
        return list(wanted)
    kinds = {"category", "boolean"}
    few = [
        one.name for one in schema.features() if one.type in kinds and 2 <= frame[one.name].n_unique() <= _SLICE_VALUES
    ]
    return few[:_SLICE_COLUMNS]


def parity_of(exported: Scores, native: Scores) -> Parity:
    """How far the exported model is from the Python model, over every row."""
    if exported.probabilities is None or native.probabilities is None:
        sizes = np.abs(native.scores)
        # A typical size stands in for a number near 0; numbers that are all 0 are compared as they are.
        apart = np.abs(exported.scores - native.scores) / np.maximum(sizes, sizes.sum() / max(len(sizes), 1) or 1.0)
        differing = 0
    else:
        apart = np.abs(exported.probabilities - native.probabilities)
        differing = sum(a != b for a, b in zip(exported.labels, native.labels, strict=True))
    largest = float(apart.max()) if apart.size else 0.0
    return Parity(
        rows=len(exported.scores),
        # NaN on one side is as far apart as can be, and JSON knows no infinity.
        largest_difference=largest if np.isfinite(largest) else sys.float_info.max,
        tolerance=TOLERANCE,
        differing_labels=differing,
    )


def latency_of(model: OnnxModel, frame: pl.DataFrame, rows: int) -> tuple[float, float]:
    """Median and 99th percentile of answering one row, in milliseconds, over up to `rows` single rows."""
    columns = columns_of(frame.head(rows), model.signature)
    singles = [
        {name: values[row : row + 1] for name, values in columns.items()} for row in range(min(rows, len(frame)))
    ]
    model.predict(singles[0])
    taken = []
    for single in singles:
        start = time.perf_counter()
        model.predict(single)
        taken.append((time.perf_counter() - start) * 1_000)
    return float(np.quantile(taken, 0.5)), float(np.quantile(taken, 0.99))


def matching_threshold(sample: Sample) -> float:
    """The probability from which "positive" is answered as often as it is true in the sample.

    It lies midway between the two scores that it parts, so that it does not hang on the last digit of either. Unlike
    the threshold of the highest F1 it does not call nearly everything positive where a model knows little.
    """
    scores = np.sort(sample.scores)[::-1]
    positives = int((sample.truth == 1).sum())
    above = float(scores[positives - 1]) if positives else 1.0
    below = float(scores[positives]) if positives < len(scores) else 0.0
    return (above + below) / 2
