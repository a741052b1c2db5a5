"""Expectations of one figure of a column: its mean, its largest value, where its quantiles lie."""

import math
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import polars as pl

from heptad.data.expectations.definitions import (
    Definition,
    ExpectationError,
    Outcome,
    Subject,
    Test,
    Told,
    before,
    between,
)
from heptad.data.expectations.settings import Hours, Range

Side: TypeAlias = Literal["min", "max"]
_FIGURES: dict[str, tuple[Callable[[pl.Expr], pl.Expr], str]] = {
    "mean": (lambda value: value.mean(), "the mean"),
    "deviation": (lambda value: value.std(), "the standard deviation"),
    "total": (lambda value: value.sum(), "the sum"),
    "smallest": (lambda value: value.min(), "the smallest value"),
    "largest": (lambda value: value.max(), "the largest value"),
}


def _figure(name: str) -> Definition:
    figure, words = _FIGURES[name]
    return Definition(
        name,
        "aggregates",
        lambda subject, wanted: between(subject, figure(subject.value), wanted, words),
        ("number",),
        by_row=False,
    )


def _quantiles(subject: Subject, wanted: Mapping[str, Range]) -> Test:
    """Counting what lies below a limit says on which side of it a quantile is, without sorting.

    The quantile of share q of n sorted values is that at place (n - 1) q, counted from 0; between two places it lies in
    proportion between their values, as NumPy and Polars have it by default (type 7 of Hyndman and Fan, 1996). Only
    where the limit is between these two values have they to be known: they are the last below it and the first beyond.
    """
    shares = {text: _share(subject, text) for text in wanted}
    ends = {(limit, side) for one in wanted.values() for limit, side in _ends(one)}
    values = {"n": subject.value.count()}
    for limit, side in ends:
        # At the limit a quantile is in its range: what is equal to `min` is beyond it, and to `max` before it.
        before_it = subject.value < limit if side == "min" else subject.value <= limit
        values |= {
            f"{side} {limit!r} count": before_it.sum(),
            f"{side} {limit!r} last": pl.when(before_it).then(subject.value).max(),
            f"{side} {limit!r} first": pl.when(~before_it).then(subject.value).min(),
        }

    def judge(told: Told) -> Outcome:
        n, wrong = told.values["n"], []
        for text, one in wanted.items() if n else ():
            for limit, side in _ends(one):
                count, last, first = (told.values[f"{side} {limit!r} {what}"] for what in ("count", "last", "first"))
                if _is_out(shares[text], n, limit, side, count, last, first):
                    beyond = count if side == "min" else n - count
                    words = f"{_name(shares[text])} is {'below' if side == 'min' else 'above'} {limit:g}"
                    wrong.append(f"{words}: {beyond / n:.1%} of the values are")
        return Outcome(sentence=f"{before(subject)}{'; '.join(wrong)}" if wrong else "")

    return Test(values=values, judge=judge)


def _ends(wanted: Range) -> list[tuple[float, Side]]:
    ends: tuple[tuple[float | None, Side], ...] = ((wanted.min, "min"), (wanted.max, "max"))
    return [(limit, side) for limit, side in ends if limit is not None]


def _is_out(
    share: float, n: int, limit: float, side: Side, count: int, last: float | None, first: float | None
) -> bool:
    """Whether the quantile is below `min` or above `max`, of which `count` values come before the limit."""
    place = (n - 1) * share
    # 0.29 * 100 is a little less than 29 to a machine, and the quantile is a value of the column.
    place = round(place) if abs(place - round(place)) < 1e-9 else place
    lower = math.floor(place)
    part = place - lower
    if count == lower + 1 and part and last is not None and first is not None:
        value = last * (1 - part) + first * part
        return value < limit if side == "min" else not value <= limit
    return count > lower if side == "min" else count <= lower


def _share(subject: Subject, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ExpectationError(
            f"{subject.name}.quantiles names {text!r}.", allowed='a share between 0 and 1, such as "0.9"'
        )
    return share


def _name(share: float) -> str:
    return "the median" if share == 0.5 else f"the quantile {share:g}"


def check_range(wanted: Range, setting: str) -> None:
    """Raises `ExpectationError` for a range without ends, or with its ends the wrong way round."""
    if wanted.min is None and wanted.max is None:
        raise ExpectationError(f"{setting} has neither min nor max.", allowed=f"{setting} = {{ min = 0, max = 10 }}")
    if wanted.min is not None and wanted.max is not None and wanted.min > wanted.max and not isinstance(wanted, Hours):
        raise ExpectationError(
            f"{setting} goes from {wanted.min:g} to {wanted.max:g}.", allowed="min that is not above max"
        )


DEFINITIONS = [
    Definition(
        "count",
        "aggregates",
        lambda subject, wanted: between(subject, subject.value.count(), wanted, "the number of values"),
        by_row=False,
    ),
    *map(_figure, _FIGURES),
    Definition(
        "median",
        "aggregates",
        lambda subject, wanted: _quantiles(subject, {"0.5": wanted}),
        ("number",),
        by_row=False,
    ),
    Definition("quantiles", "aggregates", _quantiles, ("number",), by_row=False),
]
