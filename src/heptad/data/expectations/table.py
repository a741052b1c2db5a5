"""The table of all expectations, and how the settings are made into what is asked of rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import SettingsError, nearest
from heptad.core.settings import duration
from heptad.data.columns.conditions import ConditionError, as_utc, compile_condition
from heptad.data.columns.schema import named_columns
from heptad.data.expectations import aggregates, coverage, references, rows, sets, tables, texts, times, values
from heptad.data.expectations.aggregates import check_range
from heptad.data.expectations.definitions import (
    Context,
    Definition,
    ExpectationError,
    Late,
    Outcome,
    Subject,
    Test,
    kind_of,
)
from heptad.data.expectations.settings import (
    ColumnExpectation,
    ExpectSettings,
    HowHeld,
    Range,
    Severity,
)
from heptad.data.toml import toml_value

FAMILIES = (values, texts, aggregates, sets, coverage, times, references, rows, tables)
DEFINITIONS = [one for family in FAMILIES for one in family.DEFINITIONS]
OF_COLUMNS = {one.name: one for one in DEFINITIONS if one.needs_column}
OF_TABLES = {one.name: one for one in DEFINITIONS if not one.needs_column}
EXPECTED = 200
"""Characters of what is expected that are kept beside what was found."""
_HOW = {field.name for field in msgspec.structs.fields(HowHeld)}


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to hold rows to."""

    name: str
    column: str
    severity: Severity
    test: Test
    mostly: float = 1.0
    by_row: bool = True
    where: str = ""
    about: str = ""
    expected: str = ""
    """What it is held to, as heptad.toml has it."""


def compile_expectations(settings: ExpectSettings, context: Context) -> list[Expectation]:
    """What a person asks for in `[expect]`, made ready; raises `SettingsError` with every mistake at once."""
    made, problems = [], []
    for where, column, one in _written(settings):
        for built in _built(where, column, one, context):
            if isinstance(built, str):
                problems.append(built)
            else:
                made.append(built)
    if problems:
        raise SettingsError(
            "What [expect] asks for cannot be held against these rows:",
            problems=list(dict.fromkeys(problems)),
            remedy="mend them in heptad.toml",
        )
    return made


def _written(settings: ExpectSettings) -> Iterator[tuple[str, str, HowHeld]]:
    """Where it is written, the column, and what is expected."""
    for name, one in settings.of_columns():
        yield f"[expect.columns.{name}]", name, one
    for place, whole in enumerate(settings.table, 1):
        yield f"[[expect.table]] number {place}", "", whole


def given(one: HowHeld) -> dict[str, Any]:
    """The expectations that are asked for, by name: every setting that is not what it is by default."""
    plain = type(one)()
    names = [field.name for field in msgspec.structs.fields(one) if field.name not in _HOW]
    return {name: getattr(one, name) for name in names if getattr(one, name) != getattr(plain, name)}


def _built(where: str, column: str, one: HowHeld, context: Context) -> Iterator[Expectation | str]:
    """What is expected in one table of the settings; texts are mistakes."""
    definitions = OF_COLUMNS if isinstance(one, ColumnExpectation) else OF_TABLES
    wanted = given(one)
    if not wanted:
        yield f"{where} expects nothing. Allowed: {', '.join(definitions)}"
        return
    if column and column not in context.types and "present" not in wanted:
        yield Expectation(
            name="present", column=column, severity=one.severity, by_row=False, test=_gone(column, context)
        )
        return
    try:
        some = compile_condition(one.where, context.types, "where") if one.where else None
        late = _late(one.within, some, context) if one.within else None
    except (ConditionError, ExpectationError) as error:
        yield f"{where}: {error.problem} Allowed: {error.allowed}"
        return
    days = one.weekdays if isinstance(one, ColumnExpectation) else ()
    subject = Subject(name=column, where=late.rows(0) if late else some, late=late, weekdays=days, context=context)
    for name, argument in wanted.items():
        try:
            test = _test(definitions[name], subject, argument, one)
        except (ConditionError, ExpectationError) as error:
            yield f"{where}: {error.problem} Allowed: {error.allowed}"
            continue
        yield Expectation(
            name=name,
            column=column,
            severity=one.severity,
            test=test,
            mostly=one.mostly,
            by_row=definitions[name].by_row,
            where=_looked_at(one, context.time),
            about=one.about,
            expected=shortened(toml_value(msgspec.to_builtins(argument))),
        )


def _looked_at(one: HowHeld, time: str) -> str:
    """Which rows are looked at, in words; empty: all."""
    return " and ".join(part for part in (one.where, f"{time} within {one.within}" if one.within else "") if part)


def _late(within: str, where: pl.Expr | None, context: Context) -> Late:
    kind = context.types.get(context.time)
    if kind is None or kind_of(kind) != "time":
        raise ExpectationError(
            f"within = {within!r} asks when rows happened, and no column of these rows says so.",
            allowed="[data] time, a column of times, or no within",
        )
    late = Late(time=as_utc(pl.col(context.time), kind), now=context.now, length=duration(within), where=where)
    try:
        late.began(tables.VERSIONS)
    except OverflowError as error:
        raise ExpectationError(f"within = {within!r} begins before all time.", allowed="less than 300 years") from error
    return late


def shortened(text: str) -> str:
    return text if len(text) <= EXPECTED else text[: EXPECTED - 1] + "…"


def _gone(column: str, context: Context) -> Test:
    known = nearest(column, named_columns(context.types), most=30)
    return Test(judge=lambda _: Outcome(sentence=f"{column}: there is no such column; there are: {known}"))


def _test(definition: Definition, subject: Subject, argument: Any, one: HowHeld) -> Test:
    name = definition.name
    if subject.name and name != "present":
        if subject.name not in subject.context.types:
            raise ExpectationError(f"{name} is expected of a column that is not there.", allowed="only `present`")
        if definition.takes and kind_of(subject.type) not in definition.takes:
            raise ExpectationError(
                f"{name} is of {_kinds(definition)}, and the column holds {subject.type}.",
                allowed=f"of this column: {', '.join(_fitting(subject.type))}",
            )
    if one.mostly < 1 and not definition.by_row:
        raise ExpectationError(
            f"mostly = {one.mostly:g} says nothing of {name}, which is not held row by row.",
            allowed="a table of its own without mostly: NAME = [{ ... }, { ... }]",
        )
    ranges = argument.values() if isinstance(argument, dict) else [argument]
    for wanted in ranges:
        if isinstance(wanted, Range):
            check_range(wanted, name)
    return definition.build(subject, argument)


def _kinds(definition: Definition) -> str:
    return " or ".join(
        {"number": "numbers", "text": "texts", "time": "times"}.get(one, one) for one in definition.takes
    )


def _fitting(kind: pl.DataType) -> Sequence[str]:
    return [name for name, one in OF_COLUMNS.items() if not one.takes or kind_of(kind) in one.takes]
