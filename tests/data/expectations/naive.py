"""What expectations mean, said row by row in plain Python: the reference that the real ones are compared with."""

import math
import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

Values = Sequence[Any]


def there(values: Values) -> list[Any]:
    return [one for one in values if one is not None]


def each(held: Callable[[Any], bool]) -> Callable[[Values], int]:
    """How many of the values that are there do not hold."""
    return lambda values: sum(not held(one) for one in there(values))


def largest(one: float) -> float:
    """NaN is above every number, as polars has it."""
    return math.inf if math.isnan(one) else one


BY_VALUE: dict[str, Callable[[Any], Callable[[Values], int]]] = {
    "min": lambda limit: each(lambda one: math.isnan(one) or one >= limit),
    "max": lambda limit: each(lambda one: not math.isnan(one) and one <= limit),
    "above": lambda limit: each(lambda one: math.isnan(one) or one > limit),
    "below": lambda limit: each(lambda one: not math.isnan(one) and one < limit),
    "whole": lambda _: each(lambda one: math.isnan(one) or (math.isinf(one) or one == math.floor(one))),
    "finite": lambda _: each(math.isfinite),
    "allowed": lambda values: each(lambda one: one in values),
    "forbidden": lambda values: each(lambda one: one not in values),
    "matches": lambda pattern: each(lambda one: re.search(pattern, one) is not None),
    "matches_any": lambda patterns: each(lambda one: any(re.search(pattern, one) for pattern in patterns)),
    "matches_none": lambda patterns: each(lambda one: not any(re.search(pattern, one) for pattern in patterns)),
    "starts_with": lambda piece: each(lambda one: one.startswith(piece)),
    "ends_with": lambda piece: each(lambda one: one.endswith(piece)),
    "contains": lambda piece: each(lambda one: piece in one),
    "length": lambda wanted: each(lambda one: wanted["min"] <= len(one) <= wanted["max"]),
    "trimmed": lambda _: each(lambda one: one == one.strip() and one != ""),
    "letters": lambda which: each(lambda one: one == (one.lower() if which == "lower" else one.upper())),
    "missing": lambda _: lambda values: len(values) - len(there(values)),
    "empty": lambda _: lambda values: len(there(values)),
    "unique": lambda _: lambda values: sum(n for n in Counter(there(values)).values() if n > 1),
    "order": lambda _: lambda values: sum(now < before for before, now in pairwise(there(values))),
    "not_before": lambda text: each(lambda one: one >= datetime.fromisoformat(text).replace(tzinfo=UTC)),
    "not_after": lambda text: each(lambda one: one <= datetime.fromisoformat(text).replace(tzinfo=UTC)),
    "weekdays": lambda days: each(lambda one: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][one.weekday()] in days),
    "hours": lambda wanted: each(lambda one: wanted["min"] <= one.hour <= wanted["max"]),
}
"""Expectation to what it is held to, to the number of rows that break it."""


def quantile(share: float) -> Callable[[Values], float]:
    """As NumPy has it: between two values in proportion."""
    return lambda values: float(np.quantile(values, share))


FIGURES: dict[str, Callable[[Values], float]] = {
    "mean": statistics.fmean,
    "total": math.fsum,
    "smallest": min,
    "largest": max,
    "median": quantile(0.5),
    "distinct": lambda values: len(set(values)),
    "distinct_share": lambda values: len(set(values)) / len(values),
}
"""Expectation to the figure of the values that are there, of which there is at least one."""
