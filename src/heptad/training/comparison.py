"""Two models on the same rows: the difference of a metric, with an interval that knows the rows were shared."""

import numpy as np

from heptad.core.errors import DataError
from heptad.training.intervals import percentile_interval, resampled_weights, shrinkage, thinned
from heptad.training.metrics import MEASURES, Floats, Sample
from heptad.training.records import Difference

_RESAMPLES = 1_000


def difference(
    a: Sample, b: Sample, metric: str, *, seed: int, resamples: int = _RESAMPLES, confidence: float = 0.95
) -> Difference:
    """Paired bootstrap: both models are scored on the same resampled rows, so what the rows have in common cancels.

    `a` and `b` hold the same rows in the same order. Errors: `DataError` where they do not, or where the metric is
    undefined on them. Above 200,000 rows, and in resamples that leave the metric undefined, as `with_intervals`;
    an undefined difference counts as -1 for the lower and as 1 for the upper end.
    """
    measure = MEASURES[metric]
    if not np.array_equal(a.truth, b.truth):
        raise DataError("The two models were not scored on the same rows: their labels differ.")
    of_a, of_b = measure.value(a), measure.value(b)
    if of_a is None or of_b is None:
        raise DataError(f"{metric} is undefined on these {len(a)} rows.", allowed=measure.needs)
    kept = thinned(len(a), max(a.classes, 1), seed)
    part = a.take(kept)
    score_a, score_b = measure.prepare(part), measure.prepare(b.take(kept))

    def differences(weights: Floats) -> Floats:
        found: Floats = score_a(weights) - score_b(weights)
        return found

    centre = differences(np.ones((1, len(kept))))[0]
    drawn = np.concatenate([differences(weights) for weights in resampled_weights(part, resamples, seed)])
    value = of_a - of_b
    resampled = value + (drawn - centre) * shrinkage(part, len(a))
    low, high = percentile_interval(value, resampled, confidence, undefined=(-1.0, 1.0))
    return Difference(
        metric=metric, value=value, low=low, high=high, rows=len(a), better=measure.better, a=of_a, b=of_b
    )
