"""PostgreSQL read as Arrow through ADBC, which makes no Python objects of values; only where it is installed."""

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import polars as pl
from arro3.core import RecordBatchReader

from heptad.adapters.databases.failures import StreamError
from heptad.adapters.databases.sessions import LIBPQ, Session, session_settings
from heptad.adapters.databases.statements import Asked
from heptad.adapters.databases.values import Converter, decimals
from heptad.core.errors import DataError

_PLAIN = {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "name", "date"}
_TIMES = {"timestamp", "timestamptz"}
_DECIMAL, _UUID, _SHORT = "numeric", "uuid", "float4"
_JSON = {"json", "jsonb"}
_LISTS = {f"_{kind}" for kind in _PLAIN - {"bool", "date", "float4", "float8"}}
_KNOWN = {*_PLAIN, *_TIMES, *_JSON, *_LISTS, _DECIMAL, _UUID}
"""Types whose values come out as they do row by row."""
_FURTHEST = 253_402_300_799_999_999
"""The last microsecond of the year 9999; what is beyond stands for infinity."""


class ArrowBatches:
    """Frames of a statement, and the database's type of each column."""

    def __init__(self, reader: RecordBatchReader, kinds: dict[str, str], end: ExitStack) -> None:
        self.kinds = kinds
        self._reader = reader
        self._end = end

    def __iter__(self) -> Iterator[pl.DataFrame]:
        with self._end:
            while (batch := self._next()) is not None:
                yield pl.DataFrame(batch)

    def _next(self) -> Any:
        try:
            return next(self._reader, None)
        except Exception as error:  # noqa: BLE001 - it raises nothing narrower
            said = str(error).removeprefix("C Data interface error: ")
        raise StreamError(said)


def batches(session: Session, select: Asked) -> ArrowBatches | None:
    """The rows as Arrow; `None` where ADBC is not installed or the rows hold a type that it shows otherwise."""
    if session.dialect != "postgresql" or importlib.util.find_spec("adbc_driver_postgresql") is None:
        return None
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - an extra

    url = session.address.url.set(drivername="postgresql").update_query_dict(LIBPQ)
    with ExitStack() as end:
        cursor: Any = end.enter_context(
            end.enter_context(dbapi.connect(url.render_as_string(hide_password=False))).cursor()
        )
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for statement in (session_settings(session.seconds), select):
            compiled = statement.compile(session.connection.engine, compile_kwargs={"literal_binds": True})
            cursor.execute(str(compiled).replace("%%", "%"))
        reader = RecordBatchReader.from_stream(cursor.fetch_arrow())
        fields = [reader.schema.field(name) for name in reader.schema.names]
        kinds = {one.name: (one.metadata or {}).get(b"POSTGRESQL:type", b"").decode() for one in fields}
        fits = set(kinds.values()) <= _KNOWN
        return ArrowBatches(reader, kinds, end.pop_all()) if fits else None


def plain(frame: pl.DataFrame, kinds: dict[str, str], converter: Converter) -> pl.DataFrame:
    """The frame as rows of Python values would have made it, types turned into text told.

    Raises `DataError` for times that stand for infinity.
    """
    columns = []
    for name, kind in kinds.items():
        column = frame[name]
        if isinstance(column.dtype, pl.BaseExtension):
            column = column.ext.storage()
        if kind == _SHORT:
            # As it is written: 0.1 stays 0.1.
            column = column.cast(pl.String).cast(pl.Float64)
        elif kind == _DECIMAL:
            column = decimals(column.cast(pl.String))
            converter.tell_decimals(name, column)
        elif kind == _UUID:
            converter.tell(name, "UUIDs, as text", as_text=True)
            digits = column.cast(pl.Binary).bin.encode("hex")
            parts = [digits.str.slice(start, length) for start, length in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
            column = pl.select(pl.concat_str(parts, separator="-")).to_series()
        elif kind in _JSON:
            converter.tell(name, "JSON, as text", as_text=True)
            column = column.cast(pl.String)
        elif kind in _LISTS:
            converter.tell(name, "a list, as text with blanks between", as_text=True)
            column = column.cast(pl.List(pl.String)).list.drop_nulls().list.join(" ")
        elif kind in _TIMES and (column.to_physical().abs() > _FURTHEST).any():
            raise DataError(
                f"The column {name!r} holds times beyond the year 9999, such as infinity.",
                allowed="times that a calendar has",
                remedy=f"leave them out in [sources.NAME] query: nullif({name}, 'infinity')",
            )
        columns.append(column.alias(name))
    return pl.DataFrame(columns)
