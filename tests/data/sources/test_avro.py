"""Avro files are read block by block, in the types of their schema."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data.sources import avro
from heptad.data.sources.avro import scan_avro

FIELDS: list[dict[str, Any]] = [
    {"name": "n", "type": "long"},
    {"name": "maybe", "type": ["null", "double"]},
    {"name": "when", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}},
    {"name": "code", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 18}]},
    {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
    {"name": "other", "type": ["null", "Kind"]},
    {"name": "place", "type": {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
]


def written(path: Path, fields: list[dict[str, Any]], rows: list[dict[str, Any]], codec: str = "null") -> Path:
    schema = fastavro.parse_schema({"type": "record", "name": "R", "fields": fields})
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, codec=codec)
    return path


def row(n: int) -> dict[str, Any]:
    return {
        "n": n,
        "maybe": None if n % 2 else n / 2,
        "when": datetime(2024, 1, 1, tzinfo=UTC),
        "day": date(2024, 1, 2),
        "price": Decimal("1.25"),
        "code": Decimal(900_000_000_000_000_001),
        "id": uuid.UUID(int=n),
        "kind": "A",
        "other": None,
        "place": {"x": n},
        "tags": ["u", "v"],
    }


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_records_become_columns(tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All types of fields, over several batches."""
    monkeypatch.setattr(avro, "ROWS", 7)
    frame = scan_avro(written(tmp_path / "t.avro", FIELDS, [row(n) for n in range(20)], codec), "t.avro").collect()
    assert frame["n"].to_list() == list(range(20))
    assert frame.row(1, named=True) == row(1) | {"price": 1.25, "id": str(uuid.UUID(int=1))}
    assert frame.schema["when"] == pl.Datetime("us", "UTC")


def test_a_part_is_read_where_a_part_is_asked_for(tmp_path: Path) -> None:
    """Columns, the first rows, rows of a kind."""
    rows = scan_avro(written(tmp_path / "t.avro", FIELDS, [row(n) for n in range(20)]), "t.avro")
    assert rows.select("n").head(3).collect()["n"].to_list() == [0, 1, 2]
    assert rows.filter(pl.col("n") > 17).select("n").collect()["n"].to_list() == [18, 19]


def test_what_no_column_can_hold_is_refused(tmp_path: Path) -> None:
    """The field and the file are named."""
    for kind, problem in [(["int", "string"], "one of several types"), ({"type": "map", "values": "int"}, "a map")]:
        path = written(tmp_path / "t.avro", [{"name": "odd", "type": kind}], [])
        with pytest.raises(DataError, match=rf"Field 'odd' of t\.avro is {problem}"):
            scan_avro(path, "t.avro")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """Cut in its head, and cut in its rows."""
    whole = written(tmp_path / "t.avro", FIELDS, [row(n) for n in range(500)]).read_bytes()
    (tmp_path / "head.avro").write_bytes(whole[:40])
    with pytest.raises(DataError, match="its head is broken"):
        scan_avro(tmp_path / "head.avro", "head.avro")
    (tmp_path / "rows.avro").write_bytes(whole[:-200])
    with pytest.raises((DataError, pl.exceptions.ComputeError), match="not a readable Avro file"):
        scan_avro(tmp_path / "rows.avro", "rows.avro").collect()
