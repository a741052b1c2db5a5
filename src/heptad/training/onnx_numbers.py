"""Numbers and moments in a graph: calendar parts of moments, and numbers made comparable for linear models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heptad.training.columns import Array
from heptad.training.onnx_graph import GraphWriter

MOMENT_PARTS = ("year", "month", "day", "weekday", "hour", "days")
"""What becomes of a moment: the UTC calendar (Monday is 0), and days since 1970 with their fraction."""

_DAY = 86_400.0
_LARGEST = 1e150
"""Numbers beyond it are cut off, so that their squares stay finite."""
_DEVIATIONS = 20.0
"""A value this many standard deviations off the mean says all that one still farther off could."""
_SPREADS = 5.0
"""The same of a column whose outliers were kept: its spread is that of its middle half, which they do not move."""
_QUARTILES = 1.349
"""Quartiles of normal numbers are so many standard deviations apart."""


def write_moments(graph: GraphWriter, seconds: str) -> list[str]:
    """Seconds since 1970 `(n, d)` to one `(n, d)` matrix for each of `MOMENT_PARTS`; NaN gives NaN.

    The calendar is Howard Hinnant's `civil_from_days`, in whole float64 numbers, which are exact here
    (https://howardhinnant.github.io/date_algorithms.html).
    """

    def divide(value: str, by: float) -> str:
        return graph.node("Div", value, graph.constant(by))

    def whole(value: str, by: float) -> str:
        return graph.node("Floor", divide(value, by))

    def times(value: str, factor: float) -> str:
        return graph.node("Mul", value, graph.constant(factor))

    def plus(value: str, *others: str | float) -> str:
        for other in others:
            value = graph.node("Add", value, other if isinstance(other, str) else graph.constant(other))
        return value

    def minus(value: str, *others: str) -> str:
        for other in others:
            value = graph.node("Sub", value, other)
        return value

    days = divide(seconds, _DAY)
    day_number = graph.node("Floor", days)
    hour = whole(minus(seconds, times(day_number, _DAY)), 3_600)
    from_monday = plus(day_number, 3.0)
    weekday = minus(from_monday, times(whole(from_monday, 7), 7))

    # A year begins in March here, so that the leap day is its last.
    from_march_0 = plus(day_number, 719_468.0)
    era = whole(from_march_0, 146_097)
    of_era = minus(from_march_0, times(era, 146_097))
    leap_free = plus(minus(of_era, whole(of_era, 1_460), whole(of_era, 146_096)), whole(of_era, 36_524))
    year_of_era = whole(leap_free, 365)
    before_year = minus(plus(times(year_of_era, 365), whole(year_of_era, 4)), whole(year_of_era, 100))
    of_year = minus(of_era, before_year)
    month_from_march = whole(plus(times(of_year, 5), 2.0), 153)
    day = plus(minus(of_year, whole(plus(times(month_from_march, 153), 2.0), 5)), 1.0)
    next_year = graph.as_numbers(graph.node("GreaterOrEqual", month_from_march, graph.constant(10.0)))
    month = minus(plus(month_from_march, 3.0), times(next_year, 12))
    year = plus(times(era, 400), year_of_era, next_year)
    return [year, month, day, weekday, hour, days]


@dataclass(frozen=True)
class Scaling:
    """How `p` numbers are completed and made comparable; `missing` are those of them that had gaps in training.

    `limits` are the scores beyond which a number says nothing more.
    """

    medians: Array
    means: Array
    deviations: Array
    limits: Array
    missing: list[int]

    @property
    def robust(self) -> list[int]:
        """The numbers that are measured by their quartiles."""
        return np.flatnonzero(self.limits != _DEVIATIONS).tolist()


def learn_scaling(values: Array, robust: Sequence[int] = ()) -> Scaling:
    """From the training rows `(n, p)`; a column of gaps only is taken as zeros.

    Columns that are `robust` are measured by their median and quartiles, unless half of their numbers are one.
    """
    cut = np.clip(values, -_LARGEST, _LARGEST)
    gaps = np.isnan(cut)
    medians = np.array([0.0 if gap.all() else np.median(one[~gap]) for one, gap in zip(cut.T, gaps.T, strict=True)])
    filled = np.where(gaps, medians, cut)
    deviations = filled.std(axis=0)
    # What varies less than its own rounding does not vary.
    constant = deviations <= 1e-12 * np.abs(filled).max(axis=0, initial=0.0)
    means, deviations = filled.mean(axis=0), np.where(constant, 1.0, deviations)
    limits = np.full(len(medians), _DEVIATIONS)
    for place in robust:
        known = cut[~gaps[:, place], place]
        low, high = np.quantile(known, [0.25, 0.75]) if len(known) else (0.0, 0.0)
        if high > low:
            means[place], deviations[place], limits[place] = medians[place], (high - low) / _QUARTILES, _SPREADS
    return Scaling(
        medians=medians,
        means=means,
        deviations=deviations,
        limits=limits,
        missing=np.flatnonzero(gaps.any(axis=0)).tolist(),
    )


def write_scaling(graph: GraphWriter, numbers: str, scaling: Scaling) -> list[str]:
    """Numbers `(n, p)` to standard scores `(n, p)` with gaps at the median, and flags `(n, m)` of the known gaps."""

    def clip(value: str, limit: float) -> str:
        return graph.node("Clip", value, graph.constant(-limit), graph.constant(limit))

    gaps = graph.node("IsNaN", numbers)
    filled = graph.node("Where", gaps, graph.constant(scaling.medians), clip(numbers, _LARGEST))
    centred = graph.node("Sub", filled, graph.constant(scaling.means))
    scores = graph.node("Div", centred, graph.constant(scaling.deviations))
    if not scaling.robust:
        scores = clip(scores, _DEVIATIONS)
    else:
        scores = graph.node("Min", scores, graph.constant(scaling.limits))
        scores = graph.node("Max", scores, graph.constant(-scaling.limits))
    if not scaling.missing:
        return [scores]
    return [scores, graph.as_numbers(graph.pick(gaps, scaling.missing))]


def write_finite(graph: GraphWriter, numbers: str, limit: float) -> str:
    """Numbers cut off at `limit`, NaN left as it is."""
    return graph.node("Clip", numbers, graph.constant(-limit), graph.constant(limit))
