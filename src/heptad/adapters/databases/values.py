"""Rows of a database as columns in stored types: what its driver's types become, told and counted where it is text."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import polars as pl

from heptad.data import Dates, conform

Cells = Sequence[Any]


class Kind(msgspec.Struct, frozen=True):
    """How values of one Python type become a column; `told` says so where it is not plain."""

    column: Callable[[Cells], pl.Series]
    told: str = ""
    as_text: bool = False


def _typed(dtype: Any) -> Callable[[Cells], pl.Series]:
    return lambda cells: pl.Series(cells, dtype=dtype, strict=True)


def _as_text(text: Callable[[Any], str | None]) -> Callable[[Cells], pl.Series]:
    return lambda cells: pl.Series([None if one is None else text(one) for one in cells], dtype=pl.String)


def _floats(cells: Cells) -> pl.Series:
    return pl.Series([None if one is None else float(one) for one in cells], dtype=pl.Float64)


def decimals(texts: pl.Series) -> pl.Series:
    """Decimals that are written out: whole ones with all of their digits, as text where 64 bits do not hold them."""
    if not texts.drop_nulls().str.contains(r"^-?\d+$").all():
        return texts.cast(pl.Float64)
    whole = texts.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == texts.null_count() else texts


def _decimals(cells: Cells) -> pl.Series:
    return decimals(pl.Series([None if one is None else str(one) for one in cells], dtype=pl.String))


def _moments(cells: Cells) -> pl.Series:
    """Times with a zone in UTC; those without stay without."""
    if next(one for one in cells if one is not None).tzinfo is None:
        return pl.Series(cells, dtype=pl.Datetime("us"))
    plain = [None if one is None else one.astimezone(UTC).replace(tzinfo=None) for one in cells]
    return pl.Series(plain, dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")


def _times(cells: Cells) -> pl.Series:
    return pl.Series([None if one is None else one.replace(tzinfo=None) for one in cells], dtype=pl.Time)


def _json(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


def _list(value: Sequence[Any]) -> str:
    return " ".join(_json(one) if isinstance(one, list | dict) else str(one) for one in value if one is not None)


_JSON = Kind(_as_text(_json), "JSON, as text", as_text=True)
_LIST = Kind(_as_text(_list), "a list, as text with blanks between", as_text=True)
_BYTES = Kind(_as_text(lambda value: bytes(value).hex()), "bytes, as hexadecimal text", as_text=True)
_MIXED = Kind(_as_text(str), "values of several types, as text", as_text=True)
KINDS: dict[type, Kind] = {
    bool: Kind(_typed(pl.Boolean)),
    int: Kind(_typed(pl.Int64)),
    float: Kind(_typed(pl.Float64)),
    Decimal: Kind(_decimals),
    str: Kind(_typed(pl.String)),
    datetime: Kind(_moments),
    date: Kind(_typed(pl.Date)),
    time: Kind(_times, "times of day, as seconds since midnight"),
    timedelta: Kind(_typed(pl.Duration("us")), "durations, as seconds"),
    UUID: Kind(_as_text(str), "UUIDs, as text", as_text=True),
    dict: _JSON,
    list: _LIST,
    tuple: _LIST,
    bytes: _BYTES,
    bytearray: _BYTES,
    memoryview: _BYTES,
}
"""Python type of the driver to how its column is kept; everything else is text."""
_WIDE = Kind(_as_text(str))
_NUMBERS = Kind(_floats)
_EXACT = (KINDS[Decimal], _WIDE)


class Converter:
    """Turns batches of rows into frames in stored types, and remembers what there is to tell about it.

    `known` are the types that columns have had so far: those in which a batch has no value get them.
    """

    def __init__(self, style: Dates, known: Mapping[str, pl.DataType] | None = None) -> None:
        self._style = style
        self._known = known or {}
        self.understood: dict[str, str] = {}
        """Column to how it was understood, where that is not plain."""
        self.as_text: set[str] = set()
        """Columns whose values were turned into text."""

    def frame(
        self, names: Sequence[str], rows: Sequence[Sequence[Any]], utc: frozenset[int] = frozenset()
    ) -> pl.DataFrame:
        """Rows of Python values; `utc` are the places of columns whose times are in UTC without saying so."""
        columns = [self._column(name, cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)]
        for place in utc:
            if columns[place].dtype == pl.Datetime:
                columns[place] = columns[place].dt.replace_time_zone("UTC")
        return self.stored(pl.DataFrame(columns))

    def stored(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame of plain dtypes in stored types; columns of nulls stay without a type until one is known."""
        empty = [name for name, kind in frame.schema.items() if kind == pl.Null]
        typed, _ = conform(frame.drop(empty), {}, self._style)
        whole = typed.with_columns(pl.lit(None).alias(name) for name in empty).select(frame.columns)
        return whole.cast({name: kind for name, kind in self._known.items() if _holds(kind, whole.schema.get(name))})

    def tell(self, name: str, how: str, *, as_text: bool = False) -> None:
        """Remember how a column is kept."""
        self.understood[f"column {name}"] = how
        if as_text:
            self.as_text.add(name)

    def tell_decimals(self, name: str, column: pl.Series) -> None:
        """Remember how exact numbers are kept."""
        if column.dtype == pl.Float64:
            self.tell(name, "decimals, as numbers with 15 digits")
        elif column.dtype == pl.String:
            self.tell(name, "whole numbers beyond 64 bits, as text", as_text=True)

    def _column(self, name: str, cells: Cells) -> pl.Series:
        kinds = {type(one) for one in cells} - {type(None)}
        if not kinds:
            return pl.Series(name, cells, dtype=pl.Null)
        kind = KINDS.get(next(iter(kinds)), _MIXED) if len(kinds) == 1 else _several(kinds)
        try:
            column = kind.column(cells)
        except (OverflowError, TypeError, pl.exceptions.PolarsError):
            kind = _WIDE if kinds == {int} else _MIXED
            column = kind.column(cells)
        if kind.told:
            self.tell(name, kind.told, as_text=kind.as_text)
        elif kind in _EXACT:
            self.tell_decimals(name, column)
        return column.alias(name)


def _holds(known: pl.DataType, kind: pl.DataType | None) -> bool:
    """Whether a column of a type that is known already holds all values of a kind."""
    return kind is not None and (kind == pl.Null or (kind == pl.Int64 and known == pl.Float64))


def _several(kinds: set[type]) -> Kind:
    if kinds <= {int, float, Decimal, bool}:
        return _NUMBERS
    return _JSON if kinds <= {dict, list} else _MIXED
