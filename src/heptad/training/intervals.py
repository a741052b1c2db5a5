"""Bootstrap intervals: how far a metric might have come out differently on other rows of the same kind."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from heptad.training.metrics import MEASURES, Floats, Sample
from heptad.training.records import Metric

_CELLS = 200_000
"""Rows times classes that one resample may look at; larger samples are thinned for the interval, never the value."""
_BLOCK = 32_000
"""Weights held in memory at a time, in numbers."""


def with_intervals(
    sample: Sample, names: tuple[str, ...], *, resamples: int, confidence: float, seed: int
) -> tuple[list[Metric], dict[str, str]]:
    """The metrics of a sample with percentile intervals, and, for those that are undefined, what they would need.

    The rows are resampled by Poisson weights (each row drawn Poisson(1) times: the bootstrap's multinomial counts
    without their fixed sum; Chamandy et al., 2012), the same for each metric. A resample that leaves a metric
    undefined, for example without a positive row, is counted as 0 for the lower and as 1 for the upper end. The
    interval always holds the value. A perfect score, of which every resample is perfect too, could as well be that of
    a model which errs in up to about 3 of `rows` cases: its lower end is (1 - confidence)^(1/rows) (the rule of three;
    Hanley and Lippman-Hand, 1983). Above 200,000 rows the interval comes from a random part of them, its deviations
    shrunk by the root of the ratio, as m-out-of-n resampling asks; for classes, above 200,000 over their number.
    """
    values = {name: MEASURES[name].value(sample) for name in names}
    absent = {name: f"{name} needs {MEASURES[name].needs}." for name, value in values.items() if value is None}
    known = {name: value for name, value in values.items() if value is not None}
    deviations = _deviations(sample, tuple(known), resamples=resamples, seed=seed)
    metrics = []
    for name, value in known.items():
        low, high = percentile_interval(value, value + deviations[name], confidence)
        if low == value == 1 and MEASURES[name].better == "higher":
            low = float((1 - confidence) ** (1 / len(sample)))
        metrics.append(
            Metric(name=name, value=value, low=low, high=high, rows=len(sample), better=MEASURES[name].better)
        )
    return metrics, absent


def percentile_interval(
    value: float, resampled: Floats, confidence: float, undefined: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """The middle `confidence` share of resampled values, widened to hold `value`.

    NaN counts as the first of `undefined` for the lower end and as the second for the upper.
    """
    tail = (1 - confidence) / 2
    low = float(np.quantile(np.nan_to_num(resampled, nan=min(undefined[0], value)), tail))
    high = float(np.quantile(np.nan_to_num(resampled, nan=max(undefined[1], value)), 1 - tail))
    return min(low, value), max(high, value)


def poisson_weights(rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks `(some, rows)` of row weights, `resamples` in all; equal arguments give equal weights.

    Poisson(1) is drawn by its inverse distribution from 16 random bits, thirty times quicker than to the last digit
    and exact to 1 in 65,536.
    """
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // max(rows, 1))
    for start in range(0, resamples, block):
        shape = (min(block, resamples - start), rows)
        yield _INVERSE_POISSON[generator.integers(0, 65_536, shape, dtype=np.uint16)]


def thinned(rows: int, cells_of_a_row: int, seed: int) -> NDArray[np.int64]:
    """Indices of the rows that intervals are made from: all, or a random part where they are too many."""
    most = max(_CELLS // cells_of_a_row, 1_000)
    if rows <= most:
        return np.arange(rows)
    return np.random.default_rng(seed).choice(rows, most, replace=False).astype(np.int64)


def _deviations(sample: Sample, names: tuple[str, ...], *, resamples: int, seed: int) -> dict[str, Floats]:
    """What resampling adds to the value of each metric, `(resamples,)`."""
    kept = thinned(len(sample), max(sample.classes, 1), seed)
    # In order of the scores, rank metrics need not gather the weights of each resample anew.
    part = sample.take(kept[np.argsort(sample.scores[kept], kind="stable")])
    prepared = {name: MEASURES[name].prepare(part) for name in names}
    drawn: dict[str, list[Floats]] = {name: [] for name in names}
    for weights in poisson_weights(len(part), resamples, seed):
        for name, value in prepared.items():
            drawn[name].append(value(weights))
    plain = np.ones((1, len(part)))
    shrink = np.sqrt(len(part) / max(len(sample), 1))
    return {name: (np.concatenate(drawn[name]) - prepared[name](plain)[0]) * shrink for name in names}


def _inverse_poisson() -> Floats:
    """Poisson(1) by its distribution function at the middle of each of 65,536 equal steps."""
    chances = np.exp(-1) / np.cumprod([1, *range(1, 12)])
    middles = (np.arange(65_536) + 0.5) / 65_536
    return np.searchsorted(np.cumsum(chances), middles).astype(np.float64)


_INVERSE_POISSON = _inverse_poisson()
