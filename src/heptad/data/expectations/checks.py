"""What a version is held to: a person's requirements and what the first version promised bind, the rest warns."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.columns.column_types import STORED
from heptad.data.columns.schema import CATEGORIES
from heptad.data.expectations.settings import ColumnExpectation, ExpectSettings
from heptad.data.records import Column, Finding, Schema

Severity = Literal["error", "warning"]


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to hold a frame to: `broken` says which rows break it, at most `tolerated` of them may."""

    name: str
    column: str
    severity: Severity
    broken: pl.Expr
    sentence: Callable[[int], str]
    tolerated: float = 0


def bind(frame: pl.DataFrame, reference: Schema) -> pl.DataFrame:
    """The frame in the types of the reference, as far as no value is lost by it; the rest is left to fail `check`.

    Whole numbers stand for numbers, numbers that are all whole for integers, anything for text, and a column
    of nulls for any type.
    """
    return frame.with_columns(
        _bound(frame[column.name], column) for column in reference.columns if column.name in frame.columns
    )


def _bound(values: pl.Series, column: Column) -> pl.Series:
    wanted = STORED[column.type]
    if values.dtype == wanted or values.dtype.is_temporal():
        return values
    if wanted == pl.String or values.null_count() == len(values):
        return (
            values.cast(wanted, strict=False)
            if wanted == pl.String
            else pl.Series(values.name, [None] * len(values), wanted)
        )
    if not (wanted.is_numeric() and values.dtype.is_numeric()):
        return values
    cast = values.cast(wanted, strict=False)
    return cast if (cast.cast(pl.Float64) == values.cast(pl.Float64)).fill_null(value=True).all() else values


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Every expectation, held or broken, and the rows that break one that binds (`rule`, `row`)."""

    findings: list[Finding]
    aside: pl.DataFrame


def check(frame: pl.DataFrame, schema: Schema, settings: ExpectSettings, reference: Schema | None) -> Checked:
    """Holds a frame to everything that is expected of it, all counted in one pass.

    Raises `DataError` where the settings expect something of a column that is not there.
    """
    for name in settings.columns:
        if name not in frame.columns:
            raise DataError(
                f"There is no column {name!r}, which [expect.columns] names.",
                allowed=nearest(name, frame.columns, most=30),
            )
    bound = reference if settings.infer else None
    expectations = [*_keys(schema), *_required(frame, settings.columns), *(_promised(frame, bound) if bound else ())]
    counted = [one.broken.sum().alias(f"{place}") for place, one in enumerate(expectations)]
    counts = frame.lazy().select(counted).collect().row(0)
    findings = [*(_columns(frame, schema, bound) if bound else ())]
    aside = []
    for one, count in zip(expectations, counts, strict=True):
        passed = count <= one.tolerated
        sentence = "" if passed else one.sentence(count)
        if not passed and one.severity == "error":
            aside.append(frame.filter(one.broken).select(rule=pl.lit(sentence), row=pl.struct(pl.all())))
        findings.append(
            Finding(
                expectation=one.name,
                column=one.column,
                severity=one.severity,
                passed=passed,
                failing_rows=0 if passed else count,
                sentence=sentence,
            )
        )
    return Checked(findings=findings, aside=pl.concat(aside) if aside else pl.DataFrame())


def refuse(findings: list[Finding], name: str) -> None:
    """Raises `DataError` with every broken expectation that binds."""
    failed = [one for one in findings if not one.passed and one.severity == "error"]
    if failed:
        listed = "".join(f"\n  {one.sentence}" for one in failed)
        raise DataError(
            f"The data set {name} does not hold what is expected of it:{listed}",
            remedy="mend the source, clean it with [clean], or change [expect] where the expectation is wrong; "
            "nothing was written but the rows in quarantine",
        )


def _keys(schema: Schema) -> Iterator[Expectation]:
    key = schema.named("key")
    listed = ", ".join(key)
    yield Expectation(
        name="unique",
        column=listed,
        severity="error",
        broken=pl.struct(key).is_duplicated() if len(key) > 1 else pl.col(key[0]).is_duplicated(),
        sentence=lambda n: (
            f"key {listed}: not unique, {n:,} rows share theirs with another; add a column to [data] key"
        ),
    )
    for name in key:
        yield _nulls(name, "error", 0, f"key {name}: missing")


def _nulls(name: str, severity: Severity, tolerated: float, what: str) -> Expectation:
    return Expectation(
        name="missing",
        column=name,
        severity=severity,
        broken=pl.col(name).is_null(),
        sentence=lambda n: f"{what} in {n:,} rows",
        tolerated=tolerated,
    )


def _required(frame: pl.DataFrame, expected: Mapping[str, ColumnExpectation]) -> Iterator[Expectation]:
    """What a person asks for in `[expect.columns]`; all of it binds."""
    for name, one in expected.items():
        numeric = frame.schema[name].is_numeric()
        if (one.min is not None or one.max is not None) and not numeric:
            raise DataError(
                f"[expect.columns.{name}] has min or max, and the column holds {frame.schema[name]}.",
                allowed="min and max of numbers",
            )
        if one.min is not None or one.max is not None:
            yield _range(name, "error", one.min, one.max)
        if one.missing is not None:
            yield _nulls(
                name, "error", one.missing * len(frame), f"{name}: more than {one.missing:.1%} is missing, null"
            )
        if one.allowed:
            yield _allowed(name, "error", one.allowed)
        if one.unique:
            yield Expectation(
                name="unique",
                column=name,
                severity="error",
                broken=pl.col(name).is_duplicated() & pl.col(name).is_not_null(),
                sentence=lambda n, name=name: f"{name}: not unique, {n:,} rows share theirs with another",  # type: ignore[misc] # bound now
            )


def _promised(frame: pl.DataFrame, reference: Schema) -> Iterator[Expectation]:
    """The ranges and sets of the version before; breaking them only warns, since seasons do."""
    for column in reference.columns:
        if column.name not in frame.columns or column.role not in {"feature", "target"}:
            continue
        if column.min is not None and frame.schema[column.name].is_numeric():
            yield _range(column.name, "warning", column.min, column.max)
        values = column.categories
        if values is not None and len(values) < CATEGORIES and frame.schema[column.name] == pl.String:
            yield _allowed(column.name, "error" if column.closed else "warning", values)


def _range(name: str, severity: Severity, low: float | None, high: float | None) -> Expectation:
    limits = " to ".join("any" if limit is None else f"{limit:g}" for limit in (low, high))
    outside = pl.lit(value=False)
    if low is not None:
        outside |= pl.col(name) < low
    if high is not None:
        outside |= pl.col(name) > high
    return Expectation(
        name="range",
        column=name,
        severity=severity,
        broken=outside,
        sentence=lambda n: f"{name}: {n:,} values outside of {limits}",
    )


def _allowed(name: str, severity: Severity, values: list[str]) -> Expectation:
    known = "allowed" if severity == "error" else "seen before"
    return Expectation(
        name="allowed",
        column=name,
        severity=severity,
        broken=~pl.col(name).cast(pl.String).is_in(values),
        sentence=lambda n: (
            f"{name}: {n:,} values that were not {known}"
            if severity == "warning"
            else f"{name}: {n:,} values other than {', '.join(values[:8])}"
        ),
    )


def _columns(frame: pl.DataFrame, schema: Schema, reference: Schema) -> Iterator[Finding]:
    """That the columns are those of the version before, in its types; both bind. New columns only warn."""
    known = {column.name: column for column in reference.columns}
    for name, column in known.items():
        if name not in frame.columns:
            yield Finding(
                expectation="present",
                column=name,
                severity="error",
                passed=False,
                failing_rows=len(frame),
                sentence=f"{name}: the column is gone",
            )
            continue
        fits = frame.schema[name] == STORED[column.type]
        yield Finding(
            expectation="type",
            column=name,
            severity="error",
            passed=fits,
            failing_rows=0 if fits else len(frame),
            sentence=""
            if fits
            else f"{name}: was {column.type} and now holds {frame.schema[name]}; "
            f'[data] types.{name} = "..." says what it shall be',
        )
    for name in (column.name for column in schema.columns if column.name not in known):
        yield Finding(
            expectation="known_column",
            column=name,
            severity="warning",
            passed=False,
            failing_rows=len(frame),
            sentence=f"{name}: a new column, kept but not learnt from; naming its type in [data] types takes it in",
        )
