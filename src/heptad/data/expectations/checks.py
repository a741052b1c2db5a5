"""What a version is held to: a person's requirements and what the first version promised bind, the rest warns."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import polars as pl

from heptad.core.errors import DataError
from heptad.data.columns.column_types import STORED
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.columns.keys import ROW
from heptad.data.columns.schema import CATEGORIES
from heptad.data.expectations.definitions import (
    COUNT,
    Context,
    Outcome,
    Subject,
    Told,
    by_row,
    of_values,
    with_count,
    within,
)
from heptad.data.expectations.sets import unique
from heptad.data.expectations.settings import ExpectSettings
from heptad.data.expectations.table import Expectation, compile_expectations
from heptad.data.records import Column, Finding, Schema

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)


def bind(rows: Rows, reference: Schema) -> Rows:
    """The rows in the types of the reference, as far as no value is lost by it; the rest is left to fail its checks.

    Whole numbers stand for numbers, numbers that are all whole for integers, anything for text, and a column
    of nulls for any type.
    """
    types = rows.lazy().collect_schema()
    columns = {one.name: one for one in reference.columns if one.name in types}
    unlike = [one for name, one in columns.items() if types[name] != STORED[one.type] and not types[name].is_temporal()]
    bound = converse(rows, [_bound(types[one.name], one) for one in unlike])
    return rows.with_columns(value.alias(one.name) for one, value in zip(unlike, bound, strict=True))


def _bound(kind: pl.DataType, column: Column) -> Dialogue[pl.Expr]:
    values, wanted = pl.col(column.name), STORED[column.type]
    cast = values.cast(wanted, strict=False)
    if wanted == pl.String:
        return cast
    numeric = wanted.is_numeric() and kind.is_numeric()
    same = (cast.cast(pl.Float64) == values.cast(pl.Float64)).fill_null(value=True).all() if numeric else pl.lit(0)
    told = yield Asking({"count": values.count(), "same": same})
    if not told.values["count"]:
        return pl.lit(None, wanted)
    return cast if told.values["same"] else values


class Expectations:
    """Everything that is expected of rows with these types and keys, as one question: what is held, and what broken.

    Raises `SettingsError` with every mistake where the settings cannot be held against such rows.
    """

    def __init__(
        self, context: Context, key: Sequence[str], settings: ExpectSettings, reference: Schema | None
    ) -> None:
        self._types = context.types
        self._bound = reference if settings.infer else None
        self._expected = [
            *_keys(list(key), context),
            *compile_expectations(settings, context),
            *(_promised(context, self._bound) if self._bound else ()),
        ]
        # What several expectations ask for, such as how many values a column has, is asked once.
        self._names: list[dict[str, str]] = []
        self._asked: dict[bytes, pl.Expr] = {}
        for place, one in enumerate(self._expected):
            marks = {name: _mark(value, f"{place} {name}") for name, value in one.test.values.items()}
            self._asked |= {mark: one.test.values[name] for name, mark in marks.items() if mark not in self._asked}
            self._names.append({name: f"{list(self._asked).index(mark)}" for name, mark in marks.items()})

    def expressions(self) -> Sequence[pl.Expr]:
        asked = enumerate(self._asked.values())
        return [pl.len().alias("rows"), *(expression.alias(f"{place}") for place, expression in asked)]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        return [make(rows) for one in self._expected for make in one.test.tables.values()]

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[Finding]:
        given, rows = iter(tables), values["rows"]
        findings = [*(_columns(self._types, rows, self._bound) if self._bound else ())]
        for one, names in zip(self._expected, self._names, strict=True):
            told = Told(
                rows=rows,
                values={name: values[place] for name, place in names.items()},
                tables={name: next(given) for name in one.test.tables},
            )
            findings.append(_finding(one, one.test.judge(told)))
        return findings

    def failed(self, findings: Sequence[Finding]) -> list[tuple[int, Expectation]]:
        """The expectations that are broken, each with the place of its finding."""
        first = len(findings) - len(self._expected)
        return [(first + place, one) for place, one in enumerate(self._expected) if not findings[first + place].passed]

    def broken(self, rows: pl.LazyFrame, findings: Sequence[Finding]) -> list[pl.LazyFrame]:
        """The rows that break an expectation that binds: the `rule` in words, and the `row` itself as JSON."""
        row = pl.struct(list(self._types)).struct.json_encode()
        return [
            one.test.broken(rows).select(rule=pl.lit(findings[place].sentence), row=row)
            for place, one in self.failed(findings)
            if one.test.broken is not None and one.severity == "error"
        ]


def _mark(value: pl.Expr, otherwise: str) -> bytes:
    """Equal for equal expressions; one that holds a function of Python is like no other."""
    try:
        return value.meta.serialize()
    except pl.exceptions.PolarsError:
        return otherwise.encode()


def _finding(one: Expectation, found: Outcome) -> Finding:
    share = found.broken / found.looked_at if found.looked_at else 0.0
    held = not found.sentence or (one.by_row and within(found.broken, found.looked_at, 1 - one.mostly))
    tolerated = f", {share:.2%} of {found.looked_at:,}; at most {1 - one.mostly:.2%} may" if one.mostly < 1 else ""
    observed = found.observed
    if isinstance(observed, float) and not math.isfinite(observed):
        observed = str(observed)
    return Finding(
        expectation=one.name,
        column=one.column,
        severity=one.severity,
        passed=held,
        failing_rows=found.broken,
        looked_at=found.looked_at,
        share=share,
        observed=observed,
        mostly=one.mostly,
        where=one.where,
        about=one.about,
        expected=one.expected,
        sentence="" if held else with_count(found.sentence, found.broken) + tolerated,
    )


def refuse(findings: list[Finding], name: str) -> None:
    """Raises `DataError` with every broken expectation that binds."""
    failed = [one for one in findings if not one.passed and one.severity == "error"]
    if failed:
        listed = "".join(f"\n  {one.sentence}{f' ({one.about})' if one.about else ''}" for one in failed)
        raise DataError(
            f"The data set {name} does not hold what is expected of it:{listed}",
            remedy="mend the source, clean it with [clean], or change [expect] where the expectation is wrong; "
            "nothing was written but the rows in quarantine",
        )


def _keys(key: list[str], context: Context) -> Iterator[Expectation]:
    if key == [ROW]:  # numbers of rows are there and different by themselves
        return
    listed = ", ".join(key)
    words = f"key {listed}: not unique, {COUNT} rows share theirs with another; add a column to [data] key"
    test = unique(Subject(context=context), key, words, nulls_alike=True)
    yield Expectation(name="unique", column=listed, severity="error", test=test)
    for name in key:
        null = pl.col(name).is_null()
        test = by_row(Subject(name=f"key {name}", context=context), ~null, "rows without it", pl.len())
        yield Expectation(name="missing", column=name, severity="error", test=test)


def _promised(context: Context, reference: Schema) -> Iterator[Expectation]:
    """The ranges and sets of the version before; breaking them only warns, since seasons do."""
    types = context.types
    for column in reference.columns:
        if column.name not in types or column.role not in {"feature", "target"}:
            continue
        subject, values = Subject(name=column.name, context=context), column.categories
        if column.min is not None and column.max is not None and types[column.name].is_numeric():
            yield _seen("range", subject, column)
        # A closed set is held by the settings that close it, which may have been opened or widened since.
        seen = values is not None and len(values) < CATEGORIES and not column.closed
        if seen and types[column.name] == pl.String:
            yield _seen("allowed", subject, column)


def _seen(name: str, subject: Subject, column: Column) -> Expectation:
    low, high = column.min, column.max
    if name == "range" and low is not None and high is not None:
        words = f"values outside of {low:g} to {high:g}"
        test = of_values(subject, lambda value: (value >= low) & (value <= high), words)
    else:
        known = pl.Series(column.categories or [], dtype=pl.String).implode()
        test = of_values(subject, lambda value: value.is_in(known), "values that were not seen before")
    return Expectation(name=name, column=column.name, severity="warning", test=test)


def _columns(types: Mapping[str, pl.DataType], rows: int, reference: Schema) -> Iterator[Finding]:
    """That the columns are those of the version before, in its types; both bind. New columns only warn."""
    known = {column.name: column for column in reference.columns}
    for name, column in known.items():
        if name not in types:
            yield Finding(
                expectation="present",
                column=name,
                severity="error",
                passed=False,
                failing_rows=rows,
                sentence=f"{name}: the column is gone",
            )
            continue
        fits = types[name] == STORED[column.type]
        yield Finding(
            expectation="type",
            column=name,
            severity="error",
            passed=fits,
            failing_rows=0 if fits else rows,
            sentence=""
            if fits
            else f"{name}: was {column.type} and now holds {types[name]}; "
            f'[data] types.{name} = "..." says what it shall be',
        )
    for name in (name for name in types if name not in known):
        yield Finding(
            expectation="known_column",
            column=name,
            severity="warning",
            passed=False,
            failing_rows=rows,
            sentence=f"{name}: a new column, kept but not learnt from; naming its type in [data] types takes it in",
        )
