"""Reads JSON lines: one object a line, its fields as columns."""

import io
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.sources.encodings import decode


def read_json_lines(data: bytes, name: str, encoding: str) -> pl.DataFrame:
    """The objects as a frame, fields that a line lacks null; a field of several types becomes text.

    Raises `DataError` for an empty file and for the first line that is not a JSON object.
    """
    text = decode(data, name, encoding).data
    if not text.strip():
        raise DataError(f"{name} is empty.", allowed="one JSON object a line")
    try:
        return pl.read_ndjson(io.BytesIO(text), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        # It says neither which line nor which field; reading line by line does.
        return _frame(_objects(text, name))


def _objects(text: bytes, name: str) -> list[dict[str, Any]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    objects = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            objects.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise DataError(
                f"Line {number} of {name} is not a JSON object: {error}.",
                allowed="one JSON object a line",
                remedy="a list of objects can be written so: jq -c '.[]' FILE",
            ) from error
    return objects


def _frame(objects: list[dict[str, Any]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for one in objects for name in one))
    return pl.DataFrame([_column(name, [one.get(name) for one in objects]) for name in names])


def _column(name: str, values: list[Any]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds == {int, float}:
        return pl.Series(name, values, strict=False)
    texts = [
        value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode() for value in values
    ]
    return pl.Series(name, texts, dtype=pl.String)
