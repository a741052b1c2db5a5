"""What comes of reading another program's expectations: ours, and those that have no twin, each with why."""

import json
import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from heptad.core.errors import DataError
from heptad.data.columns.conditions import ConditionError, check_pattern, check_syntax
from heptad.data.expectations.aggregates import check_range
from heptad.data.expectations.definitions import ExpectationError
from heptad.data.expectations.settings import ColumnExpectation, HowHeld, Range, TableExpectation, Value
from heptad.data.expectations.table import OF_COLUMNS, OF_TABLES, given
from heptad.data.expectations.writing import expectations_toml
from heptad.data.settings import ColumnType


class LeftOut(msgspec.Struct, frozen=True):
    """One expectation that is not translated."""

    name: str
    why: str


class WrittenSchema(msgspec.Struct, frozen=True, kw_only=True):
    """An object of another program, written out as that program writes it, and what cannot be written."""

    written: dict[str, Any]
    left_out: list[LeftOut] = []


Piece: TypeAlias = tuple[str, Mapping[str, Any]] | str
"""A column (empty: the table) and settings of it, with how they are held; or why a part is not held as it was."""
Arguments: TypeAlias = Mapping[str, Any]
Pieces: TypeAlias = Iterator[Piece]
SchemaReader: TypeAlias = Callable[[object], WrittenSchema]
"""Writes out the objects of one program; raises `DataError` for what is none of them."""


class NoTwinError(DataError):
    """An expectation that cannot be said here; the message says why."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The translation of one file."""

    columns: dict[str, list[ColumnExpectation]] = {}
    table: list[TableExpectation] = []
    translated: int = 0
    left_out: list[LeftOut] = []

    def toml(self) -> str:
        """Sections of heptad.toml; what was left out stands above them as remarks."""
        remarks = [f"# not translated: {' '.join(f'{one.name}: {one.why}'.split())}\n" for one in self.left_out]
        return "".join(remarks) + expectations_toml(self.columns, self.table)


class Gathering:
    """Collects translations: what a column is held to in the same way goes into one table."""

    def __init__(self) -> None:
        self._columns: dict[str, list[dict[str, Any]]] = {}
        self._table: list[dict[str, Any]] = []
        self._left_out: list[LeftOut] = []
        self._translated = 0

    def take(self, name: str, pieces: Iterable[Piece]) -> None:
        """One expectation of the other program, whole or, where reading its pieces fails, not at all."""
        try:
            made = [one if isinstance(one, str) else (one[0], _sound(*one)) for one in pieces]
        except (NoTwinError, ConditionError, ExpectationError) as error:
            self.leave_out(name, error.problem)
            return
        except (LookupError, TypeError, ValueError, AttributeError, msgspec.ValidationError) as error:
            self.leave_out(name, f"its arguments are not those of this type: {error}")
            return
        for one in made:
            if isinstance(one, str):
                self.leave_out(f"a part of {name}", one)
            else:
                self._add(*one)
        self._translated += 1

    def _add(self, column: str, settings: dict[str, Any]) -> None:
        if not column:
            self._table.append(settings)
            return
        how = {name: value for name, value in settings.items() if name in _HOW}
        parts = self._columns.setdefault(column, [])
        alike = [part for part in parts if {name: value for name, value in part.items() if name in _HOW} == how]
        if any(settings.items() <= part.items() for part in alike):
            return
        for part in alike:
            if not (part.keys() & settings.keys()) - how.keys():
                part.update(settings)
                return
        parts.append(settings)

    def leave_out(self, name: str, why: str) -> None:
        self._left_out.append(LeftOut(name, why))

    def done(self) -> Imported:
        return Imported(
            columns={
                name: [msgspec.convert(part, ColumnExpectation) for part in parts]
                for name, parts in self._columns.items()
            },
            table=[msgspec.convert(part, TableExpectation) for part in self._table],
            translated=self._translated,
            left_out=self._left_out,
        )


_HOW = ("severity", "mostly", "where", "about")


def _sound(column: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that say nothing; raises what `take` names where they would stop every collection."""
    if not isinstance(column, str):
        raise NoTwinError(f"its column is {column!r}, which is no name")
    plain = {name: value for name, value in settings.items() if name not in _HOW or value not in (None, "", 1, "error")}
    one: HowHeld = msgspec.convert(plain, ColumnExpectation if column else TableExpectation)
    definitions = OF_COLUMNS if column else OF_TABLES
    wanted = given(one)
    if not wanted:
        raise NoTwinError("it expects nothing")
    for name, argument in wanted.items():
        if one.mostly < 1 and not definitions[name].by_row:
            raise NoTwinError(f"mostly says nothing of {name}, which is not held row by row")
        for limits in argument.values() if isinstance(argument, dict) else [argument]:
            if isinstance(limits, Range):
                check_range(limits, name)
    for name in ("where", "check"):
        if name in plain:
            _check_condition(plain[name], name)
    return plain


def _check_condition(text: str, setting: str) -> None:
    """Raises `NoTwinError` where a text is no expression of the language of conditions."""
    try:
        check_syntax(text, setting)
    except ConditionError as error:
        raise NoTwinError(f"its condition cannot be said: {error.problem}") from error


def pattern_of(text: str) -> str:
    """A regular expression that can be held here; raises `NoTwinError` for others, as those with look-around."""
    try:
        return check_pattern(text, "a pattern")
    except ConditionError as error:
        raise NoTwinError(
            f"its pattern {text!r} is no regular expression here: they are those of Rust, without look-around"
        ) from error


def column_name(name: str) -> str:
    """A column as an expression names it."""
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    return f"col({quoted(name)})"


def quoted(text: str) -> str:
    """A text as an expression has it."""
    return json.dumps(text, ensure_ascii=False)


def range_of(low: Any, high: Any) -> dict[str, float]:
    """The ends that are there; raises `NoTwinError` where there are none, or no numbers."""
    found = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    if not found:
        raise NoTwinError("it has neither a smallest nor a largest value")
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in found.values()):
        raise NoTwinError("its limits are no numbers")
    return found


def partly(arguments: Arguments) -> bool:
    """Whether some values may break it: settings side by side would each let as many do so."""
    return arguments.get("mostly") not in (None, 1)


def texts_of(given: Any) -> list[str]:
    """A list of texts; raises `NoTwinError` for anything else."""
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise NoTwinError(f"{given!r} is no list of texts")
    return given


def plain_values(values: Any) -> list[Value]:
    """A list of texts, numbers and truths; raises `NoTwinError` for others, and for an empty one."""
    if not isinstance(values, Iterable) or isinstance(values, str | dict):
        raise NoTwinError("its values are no list")
    found = [one for one in values if one is not None]
    if not found:
        raise NoTwinError("its list of values is empty")
    if not all(isinstance(one, str | int | float | bool) for one in found):
        raise NoTwinError("its values are neither texts, numbers nor truths")
    return found


_TYPES: dict[ColumnType, tuple[str, ...]] = {
    "integer": ("int", "integer", "bigint", "smallint", "tinyint", "long", "uint"),
    "number": ("float", "double", "number", "numeric", "decimal", "real"),
    "boolean": ("bool", "boolean"),
    "datetime": ("datetime", "timestamp", "date"),
    "text": ("str", "string", "object", "text", "varchar", "char", "category", "large_string"),
}


_WIDER = {"float", "double", "real", "decimal", "uint", "smallint", "tinyint", "category", "date"}
"""Types of which a kind here takes more than they do."""


def _bare(name: str) -> tuple[str, str]:
    """A type without its parameters, and without its width."""
    plain = name.strip().lower().split("[")[0].split("(")[0].split(".")[-1].removesuffix("type").removesuffix("dtype")
    return plain, plain.rstrip("_0123456789")


def type_of(name: str) -> ColumnType:
    """What types of pandas, Polars, Spark and SQL are here; raises `NoTwinError`."""
    _, bare = _bare(name)
    found = next((kind for kind, names in _TYPES.items() if bare in names), None)
    if found is None:
        raise NoTwinError(f"the type {name!r} has no twin")
    return found


def wider(name: str) -> str:
    """What a type is held as, where that takes more than the type; empty where it takes the same."""
    plain, bare = _bare(name)
    if bare in _WIDER or (bare == "int" and plain not in {"int", "int64"}):
        more = {"number": "whole numbers are too", "integer": "integers of every width are"}.get(type_of(name))
        return f"{name} is held as {type_of(name)}, which {more or 'other types are too'}"
    return ""
