"""What a version is held to: a person's requirements and what the first version promised bind, the rest warns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.columns.column_types import STORED
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.columns.keys import ROW
from heptad.data.columns.schema import CATEGORIES
from heptad.data.expectations.settings import ColumnExpectation, ExpectSettings
from heptad.data.records import Column, Finding, Schema

Severity = Literal["error", "warning"]
Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)
_TIMES = "\0times"


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to hold rows to: `broken` says which rows break it, at most a share of `tolerated` of them may.

    Where `broken` is columns, rows break it that share their values in all of them with another row.
    """

    name: str
    column: str
    severity: Severity
    broken: pl.Expr | list[str]
    nulls_alike: bool = True
    """Whether rows share what is missing, too."""
    sentence: Callable[[int], str]
    tolerated: float = 0


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

    Raises `DataError` where the settings expect something of a column that is not there.
    """

    def __init__(
        self,
        types: Mapping[str, pl.DataType],
        key: Sequence[str],
        settings: ExpectSettings,
        reference: Schema | None,
    ) -> None:
        for name in settings.columns:
            if name not in types:
                raise DataError(
                    f"There is no column {name!r}, which [expect.columns] names.",
                    allowed=nearest(name, list(types), most=30),
                )
        self._types = types
        self._bound = reference if settings.infer else None
        self._expected = [
            *_keys(list(key)),
            *_required(types, settings.columns),
            *(_promised(types, self._bound) if self._bound else ()),
        ]

    def expressions(self) -> Sequence[pl.Expr]:
        counted = enumerate(one.broken for one in self._expected)
        return [
            pl.len().alias("rows"),
            *(broken.sum().alias(f"{place}") for place, broken in counted if isinstance(broken, pl.Expr)),
        ]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        shared = (one for one in self._expected if not isinstance(one.broken, pl.Expr))
        return [_repeated(rows, one).select(pl.col(_TIMES).sum()) for one in shared]

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[Finding]:
        shared, rows = iter(tables), values["rows"]
        findings = [*(_columns(self._types, rows, self._bound) if self._bound else ())]
        for place, one in enumerate(self._expected):
            count = values[f"{place}"] if isinstance(one.broken, pl.Expr) else next(shared).item()
            passed = count <= one.tolerated * rows
            findings.append(
                Finding(
                    expectation=one.name,
                    column=one.column,
                    severity=one.severity,
                    passed=passed,
                    failing_rows=0 if passed else count,
                    sentence="" if passed else one.sentence(count),
                )
            )
        return findings

    def broken(self, rows: pl.LazyFrame, findings: Sequence[Finding]) -> list[pl.LazyFrame]:
        """The rows that break an expectation that binds: the `rule` in words, and the `row` itself as JSON."""
        found = findings[len(findings) - len(self._expected) :]
        failed = [
            (one, finding.sentence)
            for one, finding in zip(self._expected, found, strict=True)
            if not finding.passed and finding.severity == "error"
        ]
        row = pl.struct(list(self._types)).struct.json_encode()
        return [_breaking(rows, one).select(rule=pl.lit(words), row=row) for one, words in failed]


def _repeated(rows: pl.LazyFrame, expected: Expectation) -> pl.LazyFrame:
    """The values that several rows share, and how many."""
    columns = expected.broken
    assert not isinstance(columns, pl.Expr), f"{expected.name} is counted row by row"
    present = rows if expected.nulls_alike else rows.drop_nulls(columns)
    return present.group_by(columns).agg(pl.len().alias(_TIMES)).filter(pl.col(_TIMES) > 1)


def _breaking(rows: pl.LazyFrame, expected: Expectation) -> pl.LazyFrame:
    if isinstance(expected.broken, pl.Expr):
        return rows.filter(expected.broken)
    return rows.join(_repeated(rows, expected), on=expected.broken, how="semi", nulls_equal=True)


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


def _keys(key: list[str]) -> Iterator[Expectation]:
    listed = ", ".join(key)
    yield Expectation(
        name="unique",
        column=listed,
        severity="error",
        # Numbers of rows are different by themselves.
        broken=pl.lit(value=False) if key == [ROW] else key,
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


def _required(types: Mapping[str, pl.DataType], expected: Mapping[str, ColumnExpectation]) -> Iterator[Expectation]:
    """What a person asks for in `[expect.columns]`; all of it binds."""
    for name, one in expected.items():
        numeric = types[name].is_numeric()
        if (one.min is not None or one.max is not None) and not numeric:
            raise DataError(
                f"[expect.columns.{name}] has min or max, and the column holds {types[name]}.",
                allowed="min and max of numbers",
            )
        if one.min is not None or one.max is not None:
            yield _range(name, "error", one.min, one.max)
        if one.missing is not None:
            yield _nulls(name, "error", one.missing, f"{name}: more than {one.missing:.1%} is missing, null")
        if one.allowed:
            yield _allowed(name, "error", one.allowed)
        if one.unique:
            yield Expectation(
                name="unique",
                column=name,
                severity="error",
                broken=[name],
                nulls_alike=False,
                sentence=lambda n, name=name: f"{name}: not unique, {n:,} rows share theirs with another",  # type: ignore[misc] # bound now
            )


def _promised(types: Mapping[str, pl.DataType], reference: Schema) -> Iterator[Expectation]:
    """The ranges and sets of the version before; breaking them only warns, since seasons do."""
    for column in reference.columns:
        if column.name not in types or column.role not in {"feature", "target"}:
            continue
        if column.min is not None and types[column.name].is_numeric():
            yield _range(column.name, "warning", column.min, column.max)
        values = column.categories
        if values is not None and len(values) < CATEGORIES and types[column.name] == pl.String:
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
