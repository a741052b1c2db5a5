"""Who is to be erased: values of the columns that name them, compared with the columns of any table."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
import polars as pl

from heptad.core.errors import InputError

_TRUTH = {"true": True, "false": False}
Named: TypeAlias = Callable[[str], str]
"""What a column of the table is called in another one."""


def _as_it_is(name: str) -> str:
    return name


class Subjects(msgspec.Struct, frozen=True, kw_only=True):
    """The people: for each of `keys` one text for each of `columns`, in order.

    A row is theirs where all of the columns hold the values of one of them. Numbers, truths and times are compared as
    such (`17` names 17 and 17.0), texts byte for byte. A row that lacks a value is nobody's.
    """

    columns: list[str]
    keys: list[list[str]]

    def are_in(self, types: Mapping[str, pl.DataType], named: Named = _as_it_is) -> bool:
        """Whether a table with these columns has all that name them."""
        return all(named(column) in types for column in self.columns)

    def condition(self, types: Mapping[str, pl.DataType], named: Named = _as_it_is) -> pl.Expr:
        """Which rows of a table with these columns are theirs, true or false and never null.

        A value that a column of this type cannot hold is in no row of it.
        """
        if not self.are_in(types, named):
            return pl.lit(value=False)
        columns = [named(column) for column in self.columns]
        if len(columns) == 1:
            wanted = [value for (text,) in self.keys for value in values_of(text, types[columns[0]])]
            return _is_one_of(columns[0], wanted, types[columns[0]])
        theirs = [
            pl.all_horizontal(
                _is_one_of(column, values_of(text, types[column]), types[column])
                for column, text in zip(columns, key, strict=True)
            )
            for key in self.keys
        ]
        return pl.any_horizontal(theirs) if theirs else pl.lit(value=False)

    def condition_or(self, entities: "Sequence[Subjects]", types: Mapping[str, pl.DataType]) -> pl.Expr:
        """The same; where a table lacks the columns that name them, rows of the entities that only they have."""
        if self.are_in(types):
            return self.condition(types)
        return pl.any_horizontal(pl.lit(value=False), *(one.condition(types) for one in entities))

    def match(self, row: Mapping[str, Any]) -> bool:
        """Whether one row, as JSON has it, is theirs."""
        return any(
            all(_says(row.get(column), text) for column, text in zip(self.columns, key, strict=True))
            for key in self.keys
        )

    def parts(self) -> list[dict[str, str]]:
        """Each of them as column to value."""
        return [dict(zip(self.columns, key, strict=True)) for key in self.keys]


def subjects_of(columns: Sequence[str], keys: Sequence[Sequence[str]]) -> Subjects:
    """The people named by these values, each once; raises `InputError` for an empty or missing one."""
    if not columns or not keys:
        raise InputError("Nobody is named.", allowed="--key COLUMN=VALUE, --keys FILE or --where COLUMN=VALUE")
    for key in keys:
        if len(key) != len(columns) or not all(key):
            raise InputError(
                f"A key has {sum(map(bool, key))} values for the columns {', '.join(columns)}.",
                allowed=f"{len(columns)} values that are not empty: a row without a value is nobody's",
            )
    unique = dict.fromkeys(tuple(key) for key in keys)
    return Subjects(columns=list(columns), keys=[list(key) for key in unique])


def values_of(text: str, kind: pl.DataType) -> list[Any]:
    """What a column of a type holds where it says `text`: nothing where it cannot."""
    if kind == pl.String:
        # A column that had numbers once and became text spells them as floats.
        spelled = [text]
        with suppress(ValueError):
            spelled.append(repr(float(text)))
        return list(dict.fromkeys(spelled))
    with suppress(ValueError, OverflowError):
        if kind == pl.Boolean:
            return [_TRUTH[text.lower()]] if text.lower() in _TRUTH else []
        if isinstance(kind, pl.Datetime):
            return [_moment(text)]
        if kind.is_integer():
            return [int(text)] if -(2**63) <= int(text) < 2**63 else []
        if kind.is_float():
            return [float(text)]
    return []


def _is_one_of(column: str, wanted: Sequence[Any], kind: pl.DataType) -> pl.Expr:
    if not wanted:
        return pl.lit(value=False)
    return pl.col(column).is_in(pl.Series(wanted, dtype=kind).implode()).fill_null(value=False)


def _says(value: Any, text: str) -> bool:
    """Whether a value of JSON is what `text` says."""
    if value is None or value == text:
        return value is not None
    with suppress(ValueError):
        if isinstance(value, bool):
            return _TRUTH.get(text.lower()) is value
        if isinstance(value, int | float):
            return float(text) == value
        return _moment(str(value)) == _moment(text)
    return False


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
