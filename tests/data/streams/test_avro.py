"""Avro messages of one schema become typed rows; bytes of anything else are told apart."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest

from heptad.core.errors import DataError, InputError, SettingsError
from heptad.data import SourceSettings
from heptad.data.streams.avro import AvroDecoder, read_schema
from heptad.data.streams.fields import FieldPath, Kind
from heptad.data.streams.policies import ChangePolicy

SCHEMA = {
    "type": "record",
    "name": "Click",
    "fields": [
        {"name": "number", "type": "long"},
        {"name": "word", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "place", "type": {"type": "record", "name": "Place", "fields": [{"name": "lat", "type": "double"}]}},
    ],
}
AT = datetime(2026, 1, 1, tzinfo=UTC)


def written(number: int, word: str | None = None, schema: dict[str, Any] = SCHEMA) -> bytes:
    stream = io.BytesIO()
    record = {"number": number, "word": word, "at": AT, "place": {"lat": 0.5}}
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
    return stream.getvalue()


def test_records_become_rows() -> None:
    """Fields of records inside are columns of their own, times are times."""
    decoder = AvroDecoder({}, SCHEMA)
    found = decoder.decode([written(1, "π"), written(2)])
    assert found.rows.to_dicts() == [
        {"number": 1, "word": "π", "at": AT, "place.lat": 0.5},
        {"number": 2, "word": None, "at": AT, "place.lat": 0.5},
    ]
    assert decoder.fields == {("number",): "integer", ("word",): "text", ("at",): "datetime", ("place.lat",): "number"}
    assert decoder.decode([]).rows.is_empty()


def test_other_bytes_are_told_apart() -> None:
    """Cut short, with something behind, empty, JSON, or of another schema."""
    good = written(1, "word")
    found = AvroDecoder({}, SCHEMA).decode([good[:-3], good + b"x", b"", b'{"number": 1}', good])
    assert found.places == [4]
    assert set(found.rejected) == {0, 1, 2, 3}
    assert all(reason.startswith("not Avro of the schema: ") for reason in found.rejected.values())
    assert "1 bytes are left over" in found.rejected[1]


def test_headers_tell_the_schema() -> None:
    """That of single objects is known by itself, that of a registry by its number."""
    from fastavro.schema import fingerprint, to_parsing_canonical_form

    digest = bytes.fromhex(fingerprint(to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO"))
    assert AvroDecoder({}, SCHEMA).decode([b"\xc3\x01" + digest + written(1)]).rows["number"].to_list() == [1]
    found = AvroDecoder({}, SCHEMA, 258).decode([b"\0\0\0\1\2" + written(1), b"\0\0\0\1\3" + written(2), written(3)])
    assert found.rows["number"].to_list() == [1]
    assert "does not begin with the number 258 of its schema" in found.rejected[1]
    assert 2 in found.rejected


def test_columns_that_are_there_stay() -> None:
    """A schema may add fields and make numbers of integers; any other change of kind is refused."""
    present: dict[FieldPath, Kind] = {("number",): "number", ("old",): "text"}
    decoder = AvroDecoder(present, SCHEMA)
    assert decoder.fields[("old",)] == "text"
    assert decoder.decode([written(1)]).rows["number"].to_list() == [1.0]
    with pytest.raises(DataError, match="number is integer in the schema, and text in what has landed"):
        AvroDecoder({("number",): "text"}, SCHEMA)


def test_a_schema_that_has_changed_obeys_the_policy() -> None:
    """What it refuses concerns every message; a value that cannot be read as before concerns its own."""
    present: dict[FieldPath, Kind] = {("number",): "boolean", ("old",): "text"}
    with pytest.raises(DataError, match=r"refused: old is gone; word is new; .*; number is integer"):
        AvroDecoder(present, SCHEMA, policy=ChangePolicy("refuse"))
    accepting = AvroDecoder(present, SCHEMA, policy=ChangePolicy("accept"))
    assert accepting.fields[("number",)] == "text"
    assert accepting.decode([written(1)]).rows["number"].to_list() == ["1"]
    coercing = AvroDecoder({("number",): "text", ("old",): "text"}, SCHEMA, policy=ChangePolicy("coerce"))
    assert list(coercing.fields) == [("number",), ("old",)]
    assert coercing.decode([written(1)]).rows["number"].to_list() == ["1"]
    found = AvroDecoder(present, SCHEMA, policy=ChangePolicy("coerce")).decode([written(7)])
    assert (found.places, found.rejected) == (
        [],
        {0: "field number: its value cannot be read as before, which on_change wants"},
    )


def test_the_schema_is_a_file_of_the_project(tmp_path: Path) -> None:
    """Which has to be named, inside the project, and a schema of records."""
    (tmp_path / "click.avsc").write_text(json.dumps(SCHEMA))
    assert read_schema(SourceSettings(uri="x", schema="click.avsc"), tmp_path) == SCHEMA
    with pytest.raises(SettingsError, match="schema is missing"):
        read_schema(SourceSettings(uri="x"), tmp_path)
    with pytest.raises(InputError, match="leads outside"):
        read_schema(SourceSettings(uri="x", schema="../click.avsc"), tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_schema(SourceSettings(uri="x", schema="none.avsc"), tmp_path)
    (tmp_path / "bad.avsc").write_text("{")
    with pytest.raises(DataError, match="no Avro schema"):
        read_schema(SourceSettings(uri="x", schema="bad.avsc"), tmp_path)
    for schema in ({"type": "record"}, {"type": "nonsense", "name": "x"}, {"type": "long"}):
        with pytest.raises(DataError):
            AvroDecoder({}, schema)
