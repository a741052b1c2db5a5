"""Bootstrap intervals: how far a metric might have come out differently on other rows of the same kind."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from heptad.training.metrics import MEASURES, Floats, Measure, Sample
from heptad.training.records import Metric

_CELLS = 200_000
"""Rows times classes that one resample may look at; larger samples are thinned for the interval, never the value."""
_FEWEST_BLOCKS = 10
_BLOCK = 32_000
"""Weights held in memory at a time, in numbers."""


def with_intervals(
    sample: Sample, names: tuple[str, ...], *, resamples: int, confidence: float, seed: int
) -> tuple[list[Metric], dict[str, str]]:
    """The metrics of a sample with percentile intervals, and, for those that are undefined, what they would need.

    The rows are resampled as `resampled_weights` says, alike for each metric. A resample that leaves a metric
    undefined, for example without a positive row, is counted as 0 for the lower and as 1 for the upper end. The
    interval always holds the value.

    A perfect score, of which every resample is perfect too, could as well be that of a model which errs in up to about
    3 of `rows` cases: its lower end is (1 - confidence)^(1/rows) (the rule of three; Hanley and Lippman-Hand, 1983),
    where a metric that weighs classes alike counts the rows of the rarest; a score of 0 is treated likewise. An error
    that noise alone makes larger is too large in the sample, and larger still in its resamples, so its interval reaches
    as far down as it does up (the basic bootstrap; Davison and Hinkley, 1997).

    Above 200,000 rows (for classes, 200,000 over their number) the interval comes from a random part of them. Rows
    drawn one by one then deviate too much by the root of the ratio, as in m-out-of-n resampling, which is taken back.
    """
    values = {name: MEASURES[name].value(sample) for name in names}
    absent = {name: f"{name} needs {MEASURES[name].needs}." for name, value in values.items() if value is None}
    known = {name: value for name, value in values.items() if value is not None}
    deviations = _deviations(sample, tuple(known), resamples=resamples, seed=seed)
    metrics = []
    for name, value in known.items():
        measure = MEASURES[name]
        low, high = percentile_interval(value, value + deviations[name], confidence)
        if measure.noisy:
            low = max(0.0, min(low, 2 * value - high))
        elif low == high and measure.better == "higher":
            low, high = _without_a_miss(value, sample, measure, confidence)
        metrics.append(Metric(name=name, value=value, low=low, high=high, rows=len(sample), better=measure.better))
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


def _without_a_miss(value: float, sample: Sample, measure: Measure, confidence: float) -> tuple[float, float]:
    """The rule of three for a share that was hit, or missed, every time."""
    rows = int(np.unique(sample.truth, return_counts=True)[1].min()) if measure.per_class else len(sample)
    surely = (1 - confidence) ** (1 / rows)
    return (surely if value == 1 else value, 1 - surely if value == 0 else value)


def resampled_weights(sample: Sample, resamples: int, seed: int) -> Iterator[Floats]:
    """Row weights `(some, rows)`, `resamples` in all: each row is drawn Poisson(1) times.

    That is the bootstrap's multinomial counts without their fixed sum (Chamandy et al., 2012). Where rows have times
    they are drawn by the block, a whole stretch of time or nothing of it (Kunsch, 1989): rows of one day share its
    weather, and drawn one by one they made intervals of flights a quarter as wide as they are. With fewer than 10
    blocks, rows are drawn one by one all the same.
    """
    block = _drawn_by_block(sample)
    if block is None:
        yield from poisson_weights(len(sample), resamples, seed)
        return
    drawn = np.concatenate(list(poisson_weights(int(block.max()) + 1, resamples, seed)))
    some = max(1, _BLOCK // len(sample))
    for start in range(0, resamples, some):
        # Indexing would leave the columns together, and summing rows would be twice as slow.
        yield drawn[start : start + some].take(block, axis=1)


def shrinkage(part: Sample, rows: int) -> float:
    """What the deviations of resamples of a random `part` of the rows are multiplied with to be those of all `rows`."""
    return float(np.sqrt(len(part) / max(rows, 1))) if _drawn_by_block(part) is None else 1.0


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
    for weights in resampled_weights(part, resamples, seed):
        for name, value in prepared.items():
            drawn[name].append(value(weights))
    plain, shrink = np.ones((1, len(part))), shrinkage(part, len(sample))
    return {name: (np.concatenate(drawn[name]) - prepared[name](plain)[0]) * shrink for name in names}


def _drawn_by_block(sample: Sample) -> NDArray[np.intp] | None:
    """The block of each row, counted from 0 without gaps; `None` where rows are drawn one by one."""
    if sample.blocks is None:
        return None
    present, block = np.unique(sample.blocks, return_inverse=True)
    return block if len(present) >= _FEWEST_BLOCKS else None


def _inverse_poisson() -> Floats:
    """Poisson(1) by its distribution function at the middle of each of 65,536 equal steps."""
    chances = np.exp(-1) / np.cumprod([1, *range(1, 12)])
    middles = (np.arange(65_536) + 0.5) / 65_536
    return np.searchsorted(np.cumsum(chances), middles).astype(np.float64)


_INVERSE_POISSON = _inverse_poisson()
