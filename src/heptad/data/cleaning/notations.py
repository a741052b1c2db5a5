"""Rules that read texts as numbers or times: thousands and currencies, units, formats of dates."""

import re
from collections.abc import Callable, Sequence

import polars as pl

from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.steps import Given, Step
from heptad.data.columns.column_types import STORED
from heptad.data.columns.lookups import look_up

_NUMBER = {"point": r"(?:\d{1,3}(?:[, '\x{a0}]\d{3})+|\d+)(?:\.\d*)?|\.\d+",
           "comma": r"(?:\d{1,3}(?:[. '\x{a0}]\d{3})+|\d+)(?:,\d*)?|,\d+"}  # fmt: skip
"""Digits with or without signs between thousands, by the sign before decimals."""
_BETWEEN = {"point": r"[, '\x{a0}]", "comma": r"[. '\x{a0}]"}
_CURRENCY = r"(?:\p{Sc}|[A-Z]{3})"
_PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def numbers(given: Given) -> Step:
    """`"1,200.50 EUR"`, `"$5"`, `"-12 %"` and `"(3.00)"` as numbers: a percentage as a share, brackets as a minus."""
    return _read("numbers", given, lambda text: read_numbers(text, given.rule), STORED["number"])


def read_numbers(text: pl.Expr, rule: CleanRule) -> pl.Expr:
    """Texts as `numbers` of the rule reads them, without it those that are plainly a number; null for any other."""
    sign = rule.numbers
    plain = text.str.strip_chars().cast(pl.Float64, strict=False)
    is_plain = text.str.strip_chars().str.contains(rf"^{_PLAIN}$")
    if not sign:
        return pl.when(is_plain).then(plain)
    number, currency = f"(?:{_NUMBER[sign]})", _CURRENCY
    signed = rf"[+-]?\s*{currency}?\s*[+-]?\s*{number}\s*(?:%|{currency})?"
    shape = rf"^\s*(?:{signed}|\(\s*{currency}?\s*{number}\s*{currency}?\s*\))\s*$"
    digits = text.str.replace_all(_BETWEEN[sign], "").str.replace_all(r"[^0-9.,]", "")
    value = digits.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    minus = pl.when(text.str.contains(r"[-(]")).then(-value).otherwise(value)
    shared = pl.when(text.str.contains("%", literal=True)).then(minus / 100).otherwise(minus)
    as_written = pl.when(is_plain if sign == "point" else pl.lit(value=False)).then(plain)
    return as_written.when(text.str.contains(shape)).then(shared)


def units(given: Given) -> Step:
    """`"12 oz"` and `"0.5kg"` in one unit; a bare number is in it already."""
    rule = given.rule
    factors = {name: size / rule.units[rule.unit] for name, size in rule.units.items()}
    named = "|".join(re.escape(name) for name in sorted(factors, key=len, reverse=True))
    shape = rf"^\s*({_PLAIN})\s*({named})?\s*$"

    def read(text: pl.Expr) -> pl.Expr:
        value = text.str.extract(shape, 1).cast(pl.Float64, strict=False)
        unit = text.str.extract(shape, 2)
        return value * look_up(unit, factors, pl.Float64(), default=1.0)

    return _read("units", given, read, STORED["number"])


def dates(given: Given) -> Step:
    """Times in UTC by the first format that fits; what another than the first reads is counted."""
    patterns = given.rule.dates
    return _read(
        "dates",
        given,
        lambda text: read_dates(text, patterns),
        STORED["datetime"],
        changed=lambda before, after: after.ne_missing(read_dates(before, patterns[:1])),
    )


def read_dates(text: pl.Expr, patterns: Sequence[str]) -> pl.Expr:
    """Texts as times in UTC by the first pattern that fits; null where none does."""

    def parsed(pattern: str) -> pl.Expr:
        if "%z" in pattern:
            return text.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC")
        return text.str.to_datetime(pattern, strict=False, time_unit="us").dt.replace_time_zone("UTC")

    found = pl.coalesce([parsed(pattern) for pattern in patterns])
    # "%Y" reads 7 as the year 7.
    return pl.when(found.dt.year() >= 1000).then(found)


def _read(
    rule: str,
    given: Given,
    read: Callable[[pl.Expr], pl.Expr],
    kind: pl.DataType,
    changed: Callable[[pl.Expr, pl.Expr], pl.Expr] | None = None,
) -> Step:
    """Texts in another type. Cells count that were lost, or that are not plainly written already."""
    aside = given.rule.unread != "null"

    def counted(before: pl.Expr, after: pl.Expr) -> pl.Expr:
        other = changed or (lambda text, value: value.ne_missing(text.cast(kind, strict=False)))
        if aside:
            return after.is_not_null() & other(before, after)
        return before.is_not_null() & (after.is_null() | other(before, after))

    return Step(
        rule,
        given.column,
        read,
        changed=counted,
        gone=(lambda text: text.is_not_null() & read(text).is_null()) if aside else None,
        refuses=given.rule.unread == "refuse",
        loses=not aside,
        kind=kind,
    )
