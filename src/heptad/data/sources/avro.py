"""Reads Avro files block by block."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from heptad.core.errors import DataError, WorkspaceError

ROWS = 50_000
"""So many rows are decoded at a time."""
_PRIMITIVE: Mapping[str, pl.DataType] = {
    "null": pl.Null(),
    "boolean": pl.Boolean(),
    "int": pl.Int64(),
    "long": pl.Int64(),
    "float": pl.Float64(),
    "double": pl.Float64(),
    "bytes": pl.Binary(),
    "fixed": pl.Binary(),
    "string": pl.String(),
    "enum": pl.String(),
}
_DIGITS = 38
"""So many a decimal of Polars has."""
_LOGICAL: Mapping[str, pl.DataType] = {
    "date": pl.Date(),
    "timestamp-millis": pl.Datetime("us", "UTC"),
    "timestamp-micros": pl.Datetime("us", "UTC"),
    "local-timestamp-millis": pl.Datetime("us"),
    "local-timestamp-micros": pl.Datetime("us"),
    "time-millis": pl.Time(),
    "time-micros": pl.Time(),
    "decimal": pl.Float64(),
    "uuid": pl.String(),
}


def scan_avro(path: Path, name: str) -> pl.LazyFrame:
    """The records of an Avro file, decoded `ROWS` at a time; fields of records are structs.

    Raises `DataError` for a damaged file, one whose records are no objects, and a field that no column can hold.
    """
    schema = _schema(path, name)

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = most
        for rows in _records(path, name):
            frame = pl.DataFrame([plain_record(row) for row in rows], schema=schema, strict=False, orient="row")
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if columns is None else frame.select(columns)
            if left == 0:
                return

    return register_io_source(batches, schema=schema)


def _records(path: Path, name: str) -> Iterator[list[Any]]:
    fastavro = avro_library(name)
    with path.open("rb") as file:
        try:
            reader = fastavro.reader(file)
            while rows := list(islice(reader, ROWS)):
                yield rows
        except (ValueError, EOFError, IndexError, TypeError, KeyError, UnicodeDecodeError) as error:
            raise DataError(
                f"{name} is not a readable Avro file: {str(error).splitlines()[0] if str(error) else 'it ends early'}.",
                remedy="write it again; it may be cut short",
            ) from error


def avro_library(name: str) -> Any:
    """The package that reads Avro; raises `WorkspaceError` where it is not installed."""
    try:
        import fastavro  # noqa: PLC0415 - an extra, which only such files need
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"{name} is in Avro, which needs the package 'fastavro'.", remedy="pip install 'heptad[avro]'"
        ) from error
    return fastavro


def _schema(path: Path, name: str) -> pl.Schema:
    fastavro = avro_library(name)
    with path.open("rb") as file:
        try:
            written = fastavro.reader(file).writer_schema
        except (ValueError, EOFError, IndexError, TypeError, KeyError) as error:
            raise DataError(
                f"{name} is not a readable Avro file: its head is broken.", remedy="write it again; it may be cut short"
            ) from error
    return avro_types(written, name)


def avro_types(schema: Any, name: str) -> pl.Schema:
    """The columns that records of a schema make; raises `DataError` for a field that no column can hold."""
    kind = _Types(name).of(schema, "")
    if not isinstance(kind, pl.Struct):
        raise DataError(f"The records of {name} are no objects.", allowed="a schema of type record")
    return pl.Schema({field.name: field.dtype for field in kind.fields})


class _Types:
    """Column types of an Avro schema; named types may be used again by name."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._named: dict[str, pl.DataType] = {}

    def of(self, kind: Any, field: str) -> pl.DataType:
        if isinstance(kind, list):
            kinds = list(dict.fromkeys(str(self.of(one, field)) for one in kind if one != "null"))
            if len(kinds) > 1:
                raise self._unfit(field, f"one of several types ({', '.join(kinds)})")
            return self.of(next((one for one in kind if one != "null"), "null"), field)
        if isinstance(kind, str):
            return self._named.get(kind) or _PRIMITIVE[kind]
        if kind.get("logicalType") == "decimal" and not kind.get("scale") and kind["precision"] <= _DIGITS:
            return pl.Decimal(kind["precision"], 0)
        if kind.get("logicalType") in _LOGICAL:
            return _LOGICAL[kind["logicalType"]]
        match kind["type"]:
            case "record" | "error":
                made: pl.DataType = pl.Struct(
                    {one["name"]: self.of(one["type"], one["name"]) for one in kind["fields"]}
                )
            case "array":
                return pl.List(self.of(kind["items"], field))
            case "map":
                raise self._unfit(field, "a map, whose keys are no columns")
            case other:
                made = self.of(other, field)
        if "name" in kind:
            self._named[kind["name"]] = made
        return made

    def _unfit(self, field: str, what: str) -> DataError:
        return DataError(
            f"Field {field!r} of {self._file} is {what}.",
            allowed="fields of one type, which may be missing",
            remedy="write the file without it, or with one type",
        )


def plain_record(value: Any) -> Any:
    """Records as columns take them: decimals as numbers, whole ones with all of their digits; identifiers as text."""
    if isinstance(value, dict):
        return {name: plain_record(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain_record(one) for one in value]
    if value is None or isinstance(value, str | int | float | bytes | datetime):
        return value
    if isinstance(value, Decimal):
        return float(value) if int(value.as_tuple().exponent) < 0 else int(value)
    return str(value) if type(value).__name__ == "UUID" else value
