"""Expectations of one figure of a column: its mean, its largest value, where its quantiles lie."""

import math
from collections.abc import Callable, Mapping

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
from heptad.data.expectations.settings import Range

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
    """Counting what lies below a limit and up to it says on which side of the limit a quantile is, without sorting.

    The quantile of share q of n values is the smallest value that at least q n of them do not exceed.
    """
    shares = {text: _share(subject, text) for text in wanted}
    limits = sorted({limit for one in wanted.values() for limit in (one.min, one.max) if limit is not None})
    value = subject.value
    counts = {f"below {limit!r}": (value < limit).sum() for limit in limits}
    counts |= {f"up to {limit!r}": (value <= limit).sum() for limit in limits}

    def judge(told: Told) -> Outcome:
        n, wrong = told.values["n"], []
        for text, one in wanted.items() if n else ():
            rank, what = max(1, math.ceil(shares[text] * n - 1e-9)), _name(shares[text])
            if one.min is not None and told.values[f"below {one.min!r}"] >= rank:
                wrong.append(
                    f"{what} is below {one.min:g}: {told.values[f'below {one.min!r}'] / n:.1%} of the values are"
                )
            if one.max is not None and told.values[f"up to {one.max!r}"] < rank:
                over = 1 - told.values[f"up to {one.max!r}"] / n
                wrong.append(f"{what} is above {one.max:g}: {over:.1%} of the values are")
        return Outcome(sentence=f"{before(subject)}{'; '.join(wrong)}" if wrong else "")

    return Test(values={"n": value.count(), **counts}, judge=judge)


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
    if wanted.min is not None and wanted.max is not None and wanted.min > wanted.max:
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
