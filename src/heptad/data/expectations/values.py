"""Expectations of each value of a column, by itself."""

from collections.abc import Callable, Sequence

import polars as pl

from heptad.data.columns.column_types import STORED, stored_type
from heptad.data.expectations.definitions import (
    COUNT,
    Definition,
    ExpectationError,
    Kind,
    Outcome,
    Subject,
    Test,
    as_stored,
    by_row,
    comparable,
    kind_of,
    listed,
    number_text,
    of_values,
    percent,
    within,
)
from heptad.data.expectations.settings import Number, Order, Value
from heptad.data.settings import ColumnType

_NUMBERS: tuple[Kind, ...] = ("number",)
_WHOLE: dict[pl.DataType, tuple[int, int]] = {pl.Int64(): (-(2**63), 2**63), pl.UInt64(): (0, 2**64)}
"""Types of whole numbers that floats are too short for, from which number to which."""
_COMPARED: dict[str, tuple[Callable[[pl.Expr, pl.Expr], pl.Expr], str]] = {
    "min": (lambda value, limit: value >= limit, "values below"),
    "max": (lambda value, limit: value <= limit, "values above"),
    "above": (lambda value, limit: value > limit, "values not above"),
    "below": (lambda value, limit: value < limit, "values not below"),
}


def _compared(name: str) -> Definition:
    held, words = _COMPARED[name]

    def build(subject: Subject, limit: Number) -> Test:
        # Whole numbers are not made into floats, which takes time and is exact up to 2**53 only.
        low, high = _WHOLE.get(subject.type, (0, 0))
        whole = float(limit).is_integer() and low <= limit < high
        exact = pl.lit(int(limit), subject.type) if whole else pl.lit(float(limit))
        return of_values(subject, lambda value: held(value, exact), f"{words} {number_text(limit)}")

    return Definition(name, "values", build, _NUMBERS)


def missing(subject: Subject, tolerated: float) -> Test:
    null = pl.col(subject.name).is_null() if subject.where is None else pl.col(subject.name).is_null() & subject.where

    def judge(values: dict[str, int]) -> Outcome:
        looked_at, broken = values["looked_at"] or 0, values["broken"] or 0
        said = (
            f"{subject.name}: more than {percent(tolerated)} is missing, null in {COUNT} rows"
            if tolerated
            else (f"{subject.name}: missing in {COUNT} rows")
        )
        return Outcome(
            looked_at=looked_at,
            broken=broken,
            observed=broken / looked_at if looked_at else 0.0,
            sentence="" if within(broken, looked_at, tolerated) else said,
        )

    return Test(
        values={"looked_at": subject.count(), "broken": null.sum()},
        judge=lambda told: judge(dict(told.values)),
        broken=lambda rows: rows.filter(null),
    )


def _empty(subject: Subject, wanted: bool) -> Test:
    _only(wanted, "empty")
    return by_row(
        subject, subject.holds(pl.col(subject.name).is_null()), "values where there should be none", subject.count()
    )


def _only(wanted: bool, setting: str) -> None:
    if not wanted:
        raise ExpectationError(f"{setting} = false expects nothing.", allowed=f"{setting} = true, or leaving it out")


def _type(subject: Subject, wanted: ColumnType) -> Test:
    kind = subject.type
    fits = kind == STORED[wanted] or _alike(kind, wanted)
    said = "" if fits else f"{subject.name}: holds {stored_type(kind) or kind}, not {wanted}"
    return Test(judge=lambda _: Outcome(sentence=said, observed=str(kind)))


def _alike(kind: pl.DataType, wanted: ColumnType) -> bool:
    """Files come in more types than tables of a version have."""
    if wanted == "integer":
        return kind.is_integer()
    if wanted == "number":
        return kind.is_numeric()
    return {"text": "text", "category": "text", "datetime": "time", "boolean": "boolean"}[wanted] == kind_of(kind)


def allowed(subject: Subject, values: Sequence[Value]) -> Test:
    stored = as_stored(values, subject.type, f"{subject.name}.allowed")
    return of_values(
        subject,
        lambda value: comparable(value, subject.type).is_in(stored.implode()),
        f"values other than {listed(values)}",
    )


def _forbidden(subject: Subject, values: Sequence[Value]) -> Test:
    stored = as_stored(values, subject.type, f"{subject.name}.forbidden")
    return of_values(
        subject,
        lambda value: ~comparable(value, subject.type).is_in(stored.implode()),
        f"values that are one of {listed(values)}",
    )


def _whole(subject: Subject, wanted: bool) -> Test:
    _only(wanted, "whole")
    return of_values(subject, lambda value: value == value.cast(pl.Float64).floor(), "numbers that are not whole")


def _finite(subject: Subject, wanted: bool) -> Test:
    _only(wanted, "finite")
    return of_values(subject, lambda value: value.cast(pl.Float64).is_finite(), "numbers that are NaN or infinite")


def _multiple_of(subject: Subject, step: Number) -> Test:
    whole = subject.type.is_integer() and subject.type != pl.UInt64 and float(step).is_integer() and step < 2**63

    def held(value: pl.Expr) -> pl.Expr:
        if whole:
            return value.cast(pl.Int64) % pl.lit(int(step), pl.Int64) == 0
        times = value.cast(pl.Float64) / step
        # 0.3 is a multiple of 0.1, though not of the nearest number that a machine has.
        near = (times - times.round()).abs() <= 1e-9 * pl.max_horizontal(times.abs(), 1.0)
        return near & times.is_finite()

    return of_values(subject, held, f"numbers that are no multiple of {number_text(step)}")


def _deviations(subject: Subject, most: float) -> Test:
    """Two passes over one column: the mean has to be known before anything is far from it.

    It is the mean of finite numbers, from which NaN and the infinite ones are further than any other.
    """

    def marked(rows: pl.LazyFrame) -> pl.LazyFrame:
        looked_at = subject.looked_at(rows)
        number = pl.col(subject.name).cast(pl.Float64)
        finite = pl.when(number.is_finite()).then(number)
        moments = looked_at.select(finite.mean().alias("\0mean"), finite.std().alias("\0std"))
        far = ~number.is_finite() | ((number - pl.col("\0mean")).abs() > most * pl.col("\0std"))
        return looked_at.join(moments, how="cross").with_columns(far.alias("\0far"))

    return Test(
        tables={"far": lambda rows: marked(rows).select(pl.col("\0far").count().alias("n"), pl.col("\0far").sum())},
        judge=lambda told: Outcome(
            looked_at=(found := told.tables["far"].row(0))[0],
            broken=found[1] or 0,
            observed=found[1] or 0,
            sentence=f"{subject.name}: {COUNT} values further than {most:g} deviations from the mean"
            if found[1]
            else "",
        ),
        broken=lambda rows: marked(rows).filter(pl.col("\0far")).drop("\0mean", "\0std", "\0far"),
    )


_ORDERS: dict[Order, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "increasing": lambda before, now: now >= before,
    "strictly increasing": lambda before, now: now > before,
    "decreasing": lambda before, now: now <= before,
    "strictly decreasing": lambda before, now: now < before,
}


def _order(subject: Subject, wanted: Order) -> Test:
    """Values that are missing, or not looked at, are stepped over."""

    def marked(rows: pl.LazyFrame) -> pl.LazyFrame:
        value = pl.col(subject.name)
        present = subject.looked_at(rows).filter(value.is_not_null())
        return present.with_columns(_ORDERS[wanted](value.shift(1), value).alias("\0held"))

    held = pl.col("\0held")
    return Test(
        tables={
            "steps": lambda rows: marked(rows.select(_read_by(subject, rows))).select(
                held.count().alias("n"), (~held).sum().alias("wrong")
            )
        },
        judge=lambda told: Outcome(
            looked_at=(found := told.tables["steps"].row(0))[0],
            broken=found[1] or 0,
            observed=found[1] or 0,
            sentence=f"{subject.name}: {COUNT} values that are not {wanted} from the row before" if found[1] else "",
        ),
        broken=lambda rows: marked(rows).filter(~held).drop("\0held"),
    )


def _read_by(subject: Subject, rows: pl.LazyFrame) -> list[str]:
    read = set(subject.where.meta.root_names()) if subject.where is not None else set()
    return [name for name in rows.collect_schema().names() if name in read | {subject.name}]


DEFINITIONS = [
    *map(_compared, _COMPARED),
    Definition("missing", "values", missing, by_row=False),
    Definition("empty", "values", _empty),
    Definition("type", "values", _type, by_row=False),
    Definition("allowed", "values", allowed),
    Definition("forbidden", "values", _forbidden),
    Definition("whole", "values", _whole, _NUMBERS),
    Definition("finite", "values", _finite, _NUMBERS),
    Definition("multiple_of", "values", _multiple_of, _NUMBERS),
    Definition("deviations", "values", _deviations, _NUMBERS),
    Definition("order", "values", _order, ("number", "text", "time")),
]
