"""Reads a JSON document that holds a table: an array of objects, or an object with one such array."""

from typing import TypeVar

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.sources.encodings import decode
from heptad.data.sources.json_lines import read_json_lines

T = TypeVar("T")
_ROWS = "an array of objects, or an object with one array of objects"


def read_json_document(data: bytes, name: str, encoding: str) -> tuple[pl.LazyFrame, str]:
    """The objects as rows, and which array was taken; the document is held in memory as text.

    Raises `DataError` for what is not JSON, and for a document with no array of objects, or several.
    """
    text = decode(data, name, encoding).strip()
    taken = "the array"
    if text.startswith(b"{"):
        taken, text = _only_array(text, name)
    lines = [bytes(one).replace(b"\r", b" ").replace(b"\n", b" ") for one in _parsed(text, name, list[msgspec.Raw])]
    if not lines:
        raise DataError(f"{name} has no rows: {taken} is empty.", allowed="at least one object")
    odd = next((place for place, line in enumerate(lines) if not line.lstrip().startswith(b"{")), None)
    if odd is not None:
        raise DataError(
            f"Value {odd + 1} of {taken} in {name} is no object: {lines[odd][:40].decode(errors='replace')}.",
            allowed=_ROWS,
        )
    joined = b"\n".join(lines)
    return read_json_lines(lambda: iter([joined]), name, "utf-8"), taken


def _only_array(text: bytes, name: str) -> tuple[str, bytes]:
    fields = _parsed(text, name, dict[str, msgspec.Raw])
    arrays = {field: raw for field, value in fields.items() if (raw := bytes(value).strip()).startswith(b"[")}
    tables = {field: raw for field, raw in arrays.items() if raw[1:].lstrip().startswith(b"{")}
    if len(tables) != 1:
        raise DataError(
            f"{name} is an object with {len(tables) or 'no'} array{'' if len(tables) == 1 else 's'} of objects"
            f"{': ' + ', '.join(tables) if tables else ''}.",
            allowed=_ROWS,
            remedy='take one out: jq .FIELD FILE; or an object is one row: format = "jsonl"',
        )
    ((field, raw),) = tables.items()
    return f"the array {field!r}", raw


def _parsed(text: bytes, name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise DataError(
            f"{name} is not a JSON document: {error}.", allowed=_ROWS, remedy="look whether it is cut short"
        ) from error
