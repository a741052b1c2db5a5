"""Reads JSON lines: one object a line, its fields as columns."""

import io
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.progress import note_done
from heptad.data.sources.blocks import Keep, kept_frames, record_blocks, without_leading_lines
from heptad.data.sources.encodings import Chunks, open_text


def read_json_lines(raw: Chunks, name: str, encoding: str, keep: Keep | None = None) -> pl.LazyFrame:
    """The objects as rows, fields that a line lacks null; a field of several types becomes text.

    With `keep` no more than a block of the text is in memory at a time, and its rows go to a file; without, they are
    held. Raises `DataError` for an empty file and for the first line that is not a JSON object.
    """
    text = open_text(raw, name, encoding)
    reading = _Reading(without_leading_lines(text.chunks), name)
    return reading.kept(keep, text.encoding) if keep else reading.held()


class _Reading:
    """Reads one text block by block: what types its fields have, then the rows in these."""

    def __init__(self, chunks: Chunks, name: str) -> None:
        self._chunks = chunks
        self._name = name

    def held(self) -> pl.LazyFrame:
        """The rows in memory; a text whose blocks are all of the same types is read once."""
        found = [self._inferred(number, block) for number, block in self._blocks()]
        schema = self._together(kinds for kinds, _ in found)
        frames = [rows for _, rows in found if rows is not None and rows.schema == schema]
        if len(frames) < len(found):
            return pl.concat(list(self._frames(schema))).lazy()
        note_done(sum(map(len, frames)), "rows")
        return pl.concat(frames).lazy()

    def kept(self, keep: Keep, encoding: str) -> pl.LazyFrame:
        """The rows in files that are made once of the same text."""

        def frames() -> Iterator[pl.DataFrame]:
            return self._frames(self._together(self._inferred(number, block)[0] for number, block in self._blocks()))

        return kept_frames(frames, keep, f"json lines {encoding}")

    def _together(self, schemas: Iterable[Mapping[str, pl.DataType]]) -> pl.Schema:
        """The fields of all blocks: those of the first object in its order, then the others by name."""
        fields = _merged_fields(schemas)
        first = next(self._blocks(), None)
        if first is None or not fields:
            raise DataError(f"{self._name} is empty.", allowed="one JSON object a line")
        like = self._objects(1, first[1].lstrip().partition(b"\n")[0])[0]
        return pl.Schema({name: _ordered(fields[name], like.get(name)) for name in _names(fields, like)})

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        for number, block in record_blocks(self._chunks, self._name):
            if block.strip():
                yield number, block

    def _inferred(self, first: int, block: bytes) -> tuple[Mapping[str, pl.DataType], pl.DataFrame | None]:
        """The types of the fields of a block; and its rows where they could be read by the way."""
        try:
            rows = pl.read_ndjson(io.BytesIO(block), infer_schema_length=None)
        except pl.exceptions.PolarsError:
            # It says neither which line nor which field; reading line by line does.
            objects = self._objects(first, block)
            return _merged_fields({name: _kind(value) for name, value in one.items()} for one in objects), None
        return rows.schema, rows

    def _frames(self, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        for number, block in self._blocks():
            try:
                frame = pl.read_ndjson(io.BytesIO(block), schema=schema)
            except pl.exceptions.PolarsError:
                objects = self._objects(number, block)
                values = {name: [one.get(name) for one in objects] for name in schema}
                frame = pl.DataFrame([_series(name, values[name], kind) for name, kind in schema.items()])
            note_done(len(frame), "rows")
            yield frame

    def _objects(self, first: int, block: bytes) -> list[dict[str, Any]]:
        decoder = msgspec.json.Decoder(dict[str, Any])
        objects = []
        for number, line in enumerate(block.splitlines(), first):
            if not line.strip():
                continue
            try:
                objects.append(decoder.decode(line))
            except msgspec.DecodeError as error:
                raise DataError(
                    f"Line {number:,} of {self._name} is not a JSON object: {error}.",
                    allowed="one JSON object a line",
                    remedy="a list of objects can be written so: jq -c '.[]' FILE",
                ) from error
        return objects


def _merged_fields(parts: Iterable[Mapping[str, pl.DataType]]) -> dict[str, pl.DataType]:
    """Fields in the order in which they first come, each in the type that holds all its values."""
    fields: dict[str, pl.DataType] = {}
    for part in parts:
        for name, kind in part.items():
            fields[name] = _merged(fields[name], kind) if name in fields else kind
    return fields


def _merged(first: pl.DataType, second: pl.DataType) -> pl.DataType:
    if second in {first, pl.Null()}:
        return first
    if first == pl.Null:
        return second
    if isinstance(first, pl.Struct) and isinstance(second, pl.Struct):
        return pl.Struct(
            _merged_fields({one.name: _plain(one.dtype) for one in kind.fields} for kind in (first, second))
        )
    if isinstance(first, pl.List) and isinstance(second, pl.List):
        return pl.List(_merged(_plain(first.inner), _plain(second.inner)))
    if first.is_numeric() and second.is_numeric():
        return pl.Float64() if first.is_float() or second.is_float() else pl.Int128()
    return pl.String()


def _plain(kind: Any) -> pl.DataType:
    made: pl.DataType = kind if isinstance(kind, pl.DataType) else kind()
    return made


def _kind(value: Any) -> pl.DataType:
    """The type of one value, as the engine would infer it."""
    if isinstance(value, dict):
        return pl.Struct({name: _kind(one) for name, one in value.items()})
    if isinstance(value, list):
        inner: pl.DataType = pl.Null()
        return pl.List(reduce(_merged, map(_kind, value), inner))
    if isinstance(value, int) and not isinstance(value, bool):
        if -(2**63) <= value < 2**63:
            return pl.Int64()
        return pl.Int128() if -(2**127) <= value < 2**127 else pl.String()
    return _SCALARS[type(value)]


_SCALARS: Mapping[type, pl.DataType] = {
    type(None): pl.Null(),
    bool: pl.Boolean(),
    float: pl.Float64(),
    str: pl.String(),
}


def _names(fields: Iterable[str], like: Any) -> list[str]:
    """The fields that an object has in its order, then the others by name: an order that no block decides."""
    known = list(like) if isinstance(like, dict) else []
    there = set(fields)
    return [*(name for name in known if name in there), *sorted(there - set(known))]


def _ordered(kind: pl.DataType, like: Any) -> pl.DataType:
    if isinstance(kind, pl.Struct):
        fields = {one.name: _plain(one.dtype) for one in kind.fields}
        inside = like if isinstance(like, dict) else {}
        return pl.Struct({name: _ordered(fields[name], inside.get(name)) for name in _names(fields, inside)})
    if isinstance(kind, pl.List):
        return pl.List(_ordered(_plain(kind.inner), like[0] if isinstance(like, list) and like else None))
    return kind


def _series(name: str, values: list[Any], kind: pl.DataType) -> pl.Series:
    """Values that the engine does not read, such as a number that is too large for it."""
    return pl.Series(name, [_fitted(value, kind) for value in values], dtype=kind, strict=kind == pl.String)


def _fitted(value: Any, kind: pl.DataType) -> Any:
    """A value whose texts are texts, at whatever depth."""
    if kind == pl.String:
        return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
    if isinstance(kind, pl.Struct) and isinstance(value, dict):
        return {one.name: _fitted(value.get(one.name), _plain(one.dtype)) for one in kind.fields}
    if isinstance(kind, pl.List) and isinstance(value, list):
        return [_fitted(one, _plain(kind.inner)) for one in value]
    return value
