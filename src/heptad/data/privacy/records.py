"""What step 1 records of statistics that were told with noise."""

from typing import ClassVar

import msgspec

from heptad.core.records import Body


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A column and what is known of it without looking: its bounds, or its categories."""

    column: str
    low: float = 0.0
    high: float = 0.0
    categories: list[str] = []


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: `what` is count, mean, quantile 0.5, `0 to 10`, a category, or `others`."""

    column: str
    what: str
    value: float
    within: float | None
    """With a chance of 95% the noise is no larger; `None` where that is not known."""


class NoisyStatistics(Body, frozen=True, kw_only=True):
    """What was told of a data set with noise, and what had been spent by then; scope: the data set's name."""

    kind: ClassVar[str] = "noisy_statistics"
    prefix: ClassVar[str] = "noisy"

    name: str
    version: int
    asked: list[Wanted]
    epsilon_asked: float
    contributions: int
    epsilon: float
    """What these cost; never more than was asked."""
    spent: float
    """What all that was ever told of the data set has cost, these included."""
    budget: float
    """`[privacy] epsilon` at that moment."""
    figures: list[Figure]
