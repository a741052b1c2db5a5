"""Files of every format end as the same typed columns."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import SourceSettings, SourceTable
from heptad.data.columns.column_types import Dates
from heptad.data.sources.formats import read_files

ROWS = pl.DataFrame(
    {"n": [1, 2], "f": [0.5, None], "b": [True, False], "t": ["2020-01-13T00:00:00Z"] * 2, "s": ["x", "é"]}
)
MOMENT = datetime(2020, 1, 13, tzinfo=UTC)


def read(name: str, content: bytes | Path, **settings: object) -> SourceTable:
    return read_files([(name, content)], SourceSettings(uri=name, **settings), Dates(), ())  # type: ignore[arg-type]


def written(folder: Path, suffix: str) -> Path:
    path = folder / f"t{suffix}"
    {".csv": ROWS.write_csv, ".jsonl": ROWS.write_ndjson, ".parquet": ROWS.write_parquet}[suffix](path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_all_formats_give_the_same_rows(tmp_path: Path, suffix: str, as_bytes: bool) -> None:
    """CSV, JSON lines and Parquet of one table, from a path or from bytes."""
    path = written(tmp_path, suffix)
    frame = read(path.name, path.read_bytes() if as_bytes else path).rows.collect()
    assert frame.to_dict(as_series=False) == ROWS.to_dict(as_series=False) | {"t": [MOMENT, MOMENT]}
    assert frame.schema["t"] == pl.Datetime("us", "UTC")


def test_content_counts_more_than_the_name(tmp_path: Path) -> None:
    """A Parquet file or JSON lines under another name are read as what they are, and that is told."""
    assert read("t.csv", written(tmp_path, ".parquet").read_bytes()).understood["format"] == "parquet"
    assert read("t.txt", written(tmp_path, ".jsonl").read_bytes()).understood["format"] == "jsonl"
    assert read("t.json", written(tmp_path, ".csv").read_bytes(), format="csv").understood["format"] == "csv"


def test_nested_values_become_columns_and_text(tmp_path: Path) -> None:
    """Objects in objects are columns with dotted names in their place; lists are text."""
    lines = b'{"a": 1, "in": {"x": 1, "deep": {"y": "p"}}, "tags": ["u", "v"]}\n{"a": 2, "in": null, "tags": null}\n'
    table = read("t.jsonl", lines)
    assert table.rows.collect().to_dict(as_series=False) == {
        "a": [1, 2],
        "in.x": [1, None],
        "in.deep.y": ["p", None],
        "tags": ["u v", None],
    }
    assert table.understood["column tags"] == "a list, as text with blanks between"


def test_broken_files_are_refused(tmp_path: Path) -> None:
    """A Parquet file cut short, one without rows, something binary."""
    path = written(tmp_path, ".parquet")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read("t.parquet", path.read_bytes()[:-20])
    empty = tmp_path / "empty.parquet"
    ROWS.clear().write_parquet(empty)
    with pytest.raises(DataError, match="no rows"):
        read("empty.parquet", empty)
    with pytest.raises(DataError, match="a PNG image, not text"):
        read("t.csv", b"\x89PNG\r\n\x1a\n")


def test_columns_keep_their_text_where_asked() -> None:
    """A code that looks like a number stays as it is written."""
    table = read_files([("t.csv", b"a,b\n1,2\n")], SourceSettings(uri="t.csv"), Dates(), ["a"])
    assert table.rows.collect().row(0) == ("1", 2)
