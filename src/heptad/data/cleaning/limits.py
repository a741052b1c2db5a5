"""Rules for numbers: what can be meant, and what lies far from the rest."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.steps import Given, Step, lost
from heptad.data.columns.dialogues import Asking, Dialogue, sampled

HUGE = 1e38
"""Numbers beyond this are no measurements, and models that compute in single precision cannot hold them."""
FITTED_ON = 200_000
"""Bounds are learnt from at most twice as many values, every n-th one."""
SEED = 7
_FENCES = {"iqr": 3.0, "mad": 5.0, "forest": 1.0}
_USUAL = 0.5
"""An isolation forest's score of a number that is told from the rest neither sooner nor later than others."""
_BULK = 0.9
"""The share of numbers that are ordinary at least: in one dimension a forest scores whole tails above the usual."""
Bounds = list[tuple[float | None, float | None]]
"""Intervals of ordinary numbers, both ends included, ascending; `None`: without an end."""


def not_finite(given: Given) -> Step:
    return Step("not_finite", given.column, lambda value: pl.when(value.is_finite()).then(value), lost)


def huge(given: Given) -> Step:
    return Step("huge", given.column, lambda value: pl.when(value.abs() <= HUGE).then(value), lost)


def outside(given: Given) -> Step:
    """Numbers below `min` or above `max`."""
    rule, kind = given.rule, given.kind
    ends: Bounds = [(rule.min, rule.max)]
    if rule.outside == "drop":
        return Step("outside", given.column, lambda value: value, gone=lambda value: ~_inside(value, ends))
    if rule.outside == "cap":
        return Step("outside", given.column, lambda value: _capped(value, ends, kind))
    return Step("outside", given.column, lambda value: pl.when(_inside(value, ends)).then(value), lost)


def outliers(given: Given) -> Step:
    """Numbers that are in no interval of the fitted bounds; without bounds every number is ordinary."""
    rule, kind = given.rule, given.kind
    bounds: Bounds = given.fitted.bounds.get(given.column) or [(None, None)]
    repair = {
        "null": lambda value: pl.when(_inside(value, bounds)).then(value),
        "cap": lambda value: _capped(value, bounds, kind),
        "log": lambda value: value.sign() * value.abs().log1p(),
    }.get(rule.outlying, lambda value: value)
    seen = rule.outlying in {"drop", "mark", "keep"}
    return Step(
        "outliers",
        given.column,
        repair,
        gone=(lambda value: ~_inside(value, bounds)) if seen else None,
        noted=rule.outlying == "keep",
        adds=f"{given.column}_outlier" if rule.outlying == "mark" else "",
        kind=pl.Float64() if rule.outlying == "log" else None,
    )


def fit_outliers(column: str, rule: CleanRule) -> Dialogue[Bounds]:
    """Learns which numbers are ordinary, from every n-th one."""
    values = pl.col(column).cast(pl.Float64)
    told = yield Asking({"count": values.count()})
    sample = (yield from sampled(values, told.values["count"], FITTED_ON)).to_numpy()
    if len(sample) < 2:
        return []
    fence = rule.fence or _FENCES[rule.outliers]
    return _forest(sample, fence) if rule.outliers == "forest" else _fenced(sample, rule, fence)


def _fenced(sample: np.ndarray[Any, Any], rule: CleanRule, fence: float) -> Bounds:
    if rule.outliers == "iqr":
        low, high = (float(one) for one in np.quantile(sample, [0.25, 0.75]))
        spread = high - low
    else:
        low = high = float(np.median(sample))
        # 1.4826 median deviations are one standard deviation of normal numbers.
        spread = 1.4826 * float(np.median(np.abs(sample - low)))
    # Where half of the numbers are one and the same, every other would be far from it.
    return [(low - fence * spread, high + fence * spread)] if spread > 0 else []


def _forest(sample: np.ndarray[Any, Any], fence: float) -> Bounds:
    """Around each group of numbers that an isolation forest finds ordinary (Liu, Ting and Zhou 2008), a fence.

    Between two neighbouring thresholds of its trees its score is one, so that few numbers say all that it says. Scores
    alone would call tails of any shape outliers, up to half of a uniform column, so that they tell the groups, and how
    wide these are together tells how far from them is far.
    """
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - slow to import, and rarely wanted

    values = sample.astype(np.float32)
    forest = IsolationForest(n_estimators=100, random_state=SEED).fit(values.reshape(-1, 1))
    trees = [tree.tree_ for tree in forest.estimators_]
    cuts = np.unique(np.concatenate([tree.threshold[tree.children_left >= 0] for tree in trees]).astype(np.float32))
    # Where half of the numbers are one and the same, every other would be far from it.
    if not len(cuts) or np.median(np.abs(values - np.median(values))) == 0:
        return []
    between = np.concatenate([[cuts[0] - 1], (cuts[:-1] / 2 + cuts[1:] / 2), [cuts[-1] + 1]]).astype(np.float32)
    scores = -forest.score_samples(between.reshape(-1, 1))
    met = scores[np.searchsorted(cuts, values)]
    usual = scores <= max(_USUAL, float(np.quantile(met, _BULK, method="higher")))
    groups = list(_runs(usual, [float(values.min()), *map(float, cuts), float(values.max())]))
    reach = fence * sum(high - low for low, high in groups)
    return _merged([(low - reach, high + reach) for low, high in groups])


def _runs(usual: np.ndarray[Any, Any], ends: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Neighbouring ordinary pieces as one; piece n lies between the ends n and n+1."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], usual, [False]]).astype(np.int8)))
    yield from ((ends[start], ends[stop]) for start, stop in edges.reshape(-1, 2).tolist())


def _merged(intervals: Sequence[tuple[float, float]]) -> Bounds:
    """Ascending intervals, those that meet as one."""
    found = [list(intervals[0])]
    for low, high in intervals[1:]:
        if low <= found[-1][1]:
            found[-1][1] = high
        else:
            found.append([low, high])
    return [(low, high) for low, high in found]


def _inside(value: pl.Expr, bounds: Bounds) -> pl.Expr:
    """Whether a number lies in one of the intervals; null where there is none."""
    if len(bounds) == 1:
        low, high = bounds[0]
        parts = [value >= one for one in (low,) if one is not None] + [
            value <= one for one in (high,) if one is not None
        ]
        return pl.all_horizontal(parts) if parts else value.is_not_null()
    lows = np.array([-np.inf if low is None else low for low, _ in bounds])
    highs = np.array([np.inf if high is None else high for _, high in bounds])

    def found(batch: pl.Series) -> pl.Series:
        asked = batch.fill_null(np.nan).to_numpy()
        at = np.clip(np.searchsorted(lows, asked, side="right") - 1, 0, None)
        inside = (lows[at] <= asked) & (asked <= highs[at])
        answer = pl.Series(batch.name, inside).to_frame().select(pl.when(batch.is_not_null()).then(pl.first()))
        return answer.to_series()

    return value.cast(pl.Float64).map_batches(found, return_dtype=pl.Boolean, is_elementwise=True)


def _capped(value: pl.Expr, bounds: Bounds, kind: pl.DataType) -> pl.Expr:
    """The nearest end of the whole range; what lies between two intervals stays."""
    capped = value
    low, high = bounds[0][0], bounds[-1][1]
    if low is not None:
        capped = pl.when(value < low).then(pl.lit(low).cast(kind)).otherwise(capped)
    if high is not None:
        capped = pl.when(value > high).then(pl.lit(high).cast(kind)).otherwise(capped)
    return capped
