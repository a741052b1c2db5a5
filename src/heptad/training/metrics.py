"""Metrics: exact, vectorised, and able to score many weighted resamples of the same rows at once.

A metric prepares itself for a sample (sorts, bins, per-row losses) and then answers for any block of row weights:
`(resamples, rows)` in, `(resamples,)` out, NaN where a resample leaves it undefined. Weights of one give the plain
value; whole numbers give what the resample with each row repeated that often would give.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from heptad.core.errors import DataError, NotFoundError
from heptad.core.settings import Task
from heptad.data import Schema
from heptad.training.records import Signature

if TYPE_CHECKING:
    from heptad.training.model import Scores  # it brings onnxruntime, which figures do not need

Floats: TypeAlias = NDArray[np.float64]
Weighted: TypeAlias = Callable[[Floats], Floats]
"""Row weights `(resamples, rows)` to values `(resamples,)`."""

CALIBRATION_BINS = 10
_TIME_BLOCKS = 20
_SMALLEST_PROBABILITY = 1e-15


@dataclass(frozen=True)
class Sample:
    """Judged rows.

    For classification `truth` and `predicted` are indices into the classes (`classes` itself for a label that the
    model does not know), `scores` the probability of the positive class of two, `probabilities` `(rows, classes)`;
    for regression `truth` and `scores` are numbers and the rest is empty. `blocks` numbers stretches of time whose rows
    share what happened then (see `blocks_of`); `None`: rows have nothing to do with each other.
    """

    truth: NDArray[Any]
    scores: Floats
    predicted: NDArray[Any]
    probabilities: Floats
    classes: int = 0
    blocks: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray[Any]) -> "Sample":
        """The sample of some rows, by index or mask."""
        return Sample(
            self.truth[rows],
            self.scores[rows],
            self.predicted[rows],
            self.probabilities[rows],
            self.classes,
            None if self.blocks is None else self.blocks[rows],
        )


@dataclass(frozen=True)
class Measure:
    """One metric: which direction is good, how it is prepared, and what it needs to be defined.

    `per_class`: classes count alike however few rows they have. `noisy`: noise alone makes it larger.
    """

    better: Literal["higher", "lower"]
    prepare: Callable[[Sample], Weighted]
    needs: str = "at least one row"
    title: str = ""
    per_class: bool = False
    noisy: bool = False

    def value(self, sample: Sample) -> float | None:
        """The plain value, `None` where it is undefined (then `needs` says why)."""
        if not len(sample):
            return None
        value = float(self.prepare(sample)(np.ones((1, len(sample))))[0])
        return value if np.isfinite(value) else None


def sample_of(
    target: Schema | Signature,
    labels: Sequence[Any] | NDArray[Any],
    scores: "Scores",
    times: NDArray[np.datetime64] | None = None,
) -> Sample:
    """Judged rows from true labels and a model's scores, aligned by position; `times` is when each row happened.

    Raises `DataError` where a score is no number: sorted, it would pass for the highest of all.
    """
    number = np.asarray(scores.scores, dtype=np.float64)
    unusable = len(number) - int(np.isfinite(number).sum())
    if unusable:
        raise DataError(
            f"The model answers {unusable:,} of {len(number):,} rows with something that is no number.",
            allowed="finite scores",
        )
    blocks = None if times is None else blocks_of(times)
    if target.task == "regression":
        truth = np.asarray(labels, dtype=np.float64)
        return Sample(truth, number, np.zeros(len(truth)), np.zeros((len(truth), 0)), blocks=blocks)
    index = {name: position for position, name in enumerate(target.classes)}
    known = np.array([index.get(_class_name(label), len(index)) for label in labels], dtype=np.int64)
    predicted = np.array([index[str(label)] for label in scores.labels], dtype=np.int64)
    probabilities = np.zeros((len(number), 0)) if scores.probabilities is None else scores.probabilities
    return Sample(known, number, predicted, np.asarray(probabilities, dtype=np.float64), len(index), blocks)


def blocks_of(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """The block of each row: the time that the rows span, cut into 20 equal parts."""
    moments = times.astype("datetime64[us]").astype(np.int64)
    since = moments - (moments.min() if len(moments) else 0)
    blocks: NDArray[np.int64] = since * _TIME_BLOCKS // (since.max(initial=0) + 1)
    return blocks


def metric_names(task: Task, classes: int) -> tuple[str, ...]:
    """The metrics of a task, the main one by default first."""
    if task == "regression":
        return ("rmse", "mae", "r2", "median_error")
    if classes == 2:
        return ("roc_auc", "average_precision", "log_loss", "brier", "accuracy", "f1", "calibration_error")
    return ("log_loss", "accuracy", "f1_macro", "roc_auc_ovr")


def measure_named(name: str, task: Task, classes: int) -> Measure:
    """The metric `name` (empty: the main one); raises `NotFoundError` with the names that fit the task."""
    names = metric_names(task, classes)
    if (name or names[0]) not in names:
        raise NotFoundError(f"metric for {task} with {classes} classes" if classes else "metric", name, names)
    return MEASURES[name or names[0]]


def calibration_bins(scores: Floats, bins: int = CALIBRATION_BINS) -> NDArray[np.int64]:
    """The bin of each row.

    Edges are quantiles of the scores, so that bins hold equally many rows; equal scores share a bin, so few
    distinct scores make fewer bins.
    """
    edges = np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1], method="lower")
    _, numbered = np.unique(np.searchsorted(edges, scores, side="left"), return_inverse=True)
    return numbered.astype(np.int64)


def mean_of(losses: Callable[[Sample], Floats], then: Callable[[Floats], Floats] = lambda mean: mean) -> Any:
    """A metric that is the mean of a loss of each row, with `then` applied to it."""

    def prepare(sample: Sample) -> Weighted:
        each = losses(sample)
        return lambda weights: then(_ratio((weights * each).sum(axis=1), weights.sum(axis=1)))

    return prepare


def roc_auc(sample: Sample) -> Weighted:
    """Probability that a positive row scores above a negative one, ties counted half (Mann-Whitney U)."""
    return area_under_roc(sample.truth == 1, sample.scores)


def area_under_roc(positive: NDArray[np.bool_], scores: Floats) -> Weighted:
    order = _ascending(scores)
    starts = _tie_starts(scores[order])
    sorted_positive = positive[order].astype(np.float64)

    def value(weights: Floats) -> Floats:
        of_row = weights[:, order]
        of_positive = _sums(of_row * sorted_positive, starts)
        of_negative = _sums(of_row, starts) - of_positive
        below_or_tied = of_positive.cumsum(axis=1)
        positives = below_or_tied[:, -1:]
        above = positives - below_or_tied + of_positive / 2
        return _ratio((of_negative * above).sum(axis=1), positives[:, 0] * of_negative.sum(axis=1))

    return value


def average_precision(sample: Sample) -> Weighted:
    """Precision averaged over the positives, from the highest score down; equal scores enter together."""
    order = _ascending(sample.scores)
    starts = _tie_starts(sample.scores[order])
    positive = (sample.truth[order] == 1).astype(np.float64)

    def value(weights: Floats) -> Floats:
        of_row = weights[:, order]
        of_positive = _sums(of_row * positive, starts)
        met = _from_the_top(_sums(of_row, starts))
        hits = _from_the_top(of_positive)
        precision = np.divide(hits, met, out=np.zeros_like(met), where=met > 0)
        return _ratio((of_positive * precision).sum(axis=1), hits[:, 0])

    return value


def f1(sample: Sample) -> Weighted:
    """Harmonic mean of precision and recall of the positive class, at the model's threshold."""
    truth, predicted = sample.truth == 1, sample.predicted == 1
    both = (truth & predicted).astype(np.float64)
    either = truth.astype(np.float64) + predicted

    return lambda weights: _ratio(2 * (weights * both).sum(axis=1), (weights * either).sum(axis=1))


def f1_macro(sample: Sample) -> Weighted:
    """F1 of each class that occurs in truth or prediction, averaged without regard to its size."""
    side = sample.classes + 1
    cell = sample.truth * side + sample.predicted

    def value(weights: Floats) -> Floats:
        counts = [np.bincount(cell, weights=row, minlength=side * side).reshape(side, side) for row in weights]
        confusion = np.stack(counts)
        hits = np.diagonal(confusion, axis1=1, axis2=2)
        either = confusion.sum(axis=1) + confusion.sum(axis=2)
        each = np.divide(2 * hits, either, out=np.zeros_like(either), where=either > 0)
        return _ratio(each.sum(axis=1), (either > 0).sum(axis=1).astype(np.float64))

    return value


def roc_auc_ovr(sample: Sample) -> Weighted:
    """ROC AUC of each class against the rest, averaged over the classes that have rows on both sides."""
    each = [area_under_roc(sample.truth == number, sample.probabilities[:, number]) for number in range(sample.classes)]

    def value(weights: Floats) -> Floats:
        areas = np.stack([area(weights) for area in each])
        known = np.isfinite(areas)
        return _ratio(np.where(known, areas, 0).sum(axis=0), known.sum(axis=0).astype(np.float64))

    return value


def calibration_error(sample: Sample) -> Weighted:
    """Expected calibration error: the mean distance of probability and observed rate over bins, weighted by rows.

    The bins are those of the whole sample, also for resamples. Naeini et al., AAAI 2015.
    """
    bins = calibration_bins(sample.scores)
    order = _ascending(bins)
    starts = _tie_starts(bins[order])
    excess = (sample.scores - (sample.truth == 1))[order]

    def value(weights: Floats) -> Floats:
        of_bin = _sums(weights[:, order] * excess, starts)
        return _ratio(np.abs(of_bin).sum(axis=1), weights.sum(axis=1))

    return value


def r2(sample: Sample) -> Weighted:
    """Share of the variance explained; undefined where the truth is constant."""
    # Centred first, as the difference of two large sums of squares would lose every digit.
    centred = sample.truth - sample.truth.mean()
    squares = (sample.truth - sample.scores) ** 2

    def value(weights: Floats) -> Floats:
        mean = _ratio((weights * centred).sum(axis=1), weights.sum(axis=1))
        spread = (weights * (centred - mean[:, None]) ** 2).sum(axis=1)
        return 1 - _ratio((weights * squares).sum(axis=1), spread)

    return value


def median_error(sample: Sample) -> Weighted:
    """The median of the absolute errors."""
    errors = np.abs(sample.truth - sample.scores)
    order = np.argsort(errors, kind="stable")
    errors = errors[order]

    def value(weights: Floats) -> Floats:
        reached = weights[:, order].cumsum(axis=1)
        half = reached[:, -1:] / 2
        last = len(errors) - 1
        lower = np.minimum((reached < half).sum(axis=1), last)
        upper = np.minimum((reached <= half).sum(axis=1), last)
        return np.where(reached[:, -1] > 0, (errors[lower] + errors[upper]) / 2, np.nan)

    return value


def cross_entropy(sample: Sample) -> Floats:
    """Minus the logarithm of the probability given to the true class, kept finite at a probability of 1e-15."""
    if sample.classes == 2:
        given = np.where(sample.truth == 1, sample.scores, 1 - sample.scores)
        given = np.where(sample.truth > 1, 0, given)
    else:
        padded = np.column_stack([sample.probabilities, np.zeros(len(sample))])
        given = padded[np.arange(len(sample)), sample.truth]
    losses: Floats = -np.log(np.clip(given, _SMALLEST_PROBABILITY, 1))
    return losses


def _class_name(label: Any) -> str:
    """A label as the classes of a schema write it."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def _ascending(keys: NDArray[Any]) -> slice | NDArray[np.intp]:
    """An index that sorts; the whole slice where they are sorted, as a slice copies nothing."""
    return slice(None) if np.all(keys[1:] >= keys[:-1]) else np.argsort(keys, kind="stable")


def _tie_starts(ordered: NDArray[Any]) -> NDArray[np.intp]:
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _sums(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """Sums of each run of columns that begins at `starts`."""
    sums: Floats = values if len(starts) == values.shape[1] else np.add.reduceat(values, starts, axis=1)
    return sums


def _from_the_top(values: Floats) -> Floats:
    """Sums of each column and all behind it, the largest rounding errors where they matter least."""
    return values[:, ::-1].cumsum(axis=1)[:, ::-1]


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)


_TWO_CLASSES = "rows of both classes"

MEASURES: dict[str, Measure] = {
    "roc_auc": Measure("higher", roc_auc, _TWO_CLASSES, "ROC AUC", per_class=True),
    "average_precision": Measure(
        "higher", average_precision, "a row of the positive class", "Average precision", per_class=True
    ),
    "log_loss": Measure("lower", mean_of(cross_entropy), title="Log loss"),
    "brier": Measure("lower", mean_of(lambda s: (s.scores - (s.truth == 1)) ** 2), title="Brier score"),
    "accuracy": Measure("higher", mean_of(lambda s: (s.truth == s.predicted).astype(np.float64)), title="Accuracy"),
    "f1": Measure("higher", f1, "a row that is, or is predicted, positive", "F1", per_class=True),
    "calibration_error": Measure("lower", calibration_error, title="Calibration error", noisy=True),
    "f1_macro": Measure("higher", f1_macro, title="F1, macro", per_class=True),
    "roc_auc_ovr": Measure(
        "higher", roc_auc_ovr, "rows inside and outside of a class", "ROC AUC, one vs rest", per_class=True
    ),
    "rmse": Measure("lower", mean_of(lambda s: (s.truth - s.scores) ** 2, np.sqrt), title="RMSE"),
    "mae": Measure("lower", mean_of(lambda s: np.abs(s.truth - s.scores)), title="Mean absolute error"),
    "r2": Measure("higher", r2, "at least two different true values", "R squared"),
    "median_error": Measure("lower", median_error, title="Median absolute error"),
}
"""Every metric by the name that settings, gates and records use."""
