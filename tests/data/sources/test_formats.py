"""Files of every format end as the same typed columns."""

import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import SourceSettings, SourceTable
from heptad.data.columns.column_types import Dates
from heptad.data.sources import blocks, formats
from heptad.data.sources.cache import SourceCache
from heptad.data.sources.formats import read_files

ROWS = pl.DataFrame(
    {"n": [1, 2], "f": [0.5, None], "b": [True, False], "t": ["2020-01-13T00:00:00Z"] * 2, "s": ["x", "é"]}
)
MOMENT = datetime(2020, 1, 13, tzinfo=UTC)


def read(name: str, content: bytes | Path, **settings: object) -> SourceTable:
    path = content if isinstance(content, Path) else Path(tempfile.mkdtemp()) / "content"
    if isinstance(content, bytes):
        path.write_bytes(content)
    made = SourceSettings(uri=name, **settings)  # type: ignore[arg-type]
    return read_files([(name, path)], made, Dates(), (), SourceCache(path.parent / "cache"))


def written(folder: Path, suffix: str) -> Path:
    path = folder / f"t{suffix}"
    {".csv": ROWS.write_csv, ".jsonl": ROWS.write_ndjson, ".parquet": ROWS.write_parquet}[suffix](path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_all_formats_give_the_same_rows(tmp_path: Path, suffix: str) -> None:
    """CSV, JSON lines and Parquet of one table."""
    path = written(tmp_path, suffix)
    frame = read(path.name, path).rows.collect()
    assert frame.to_dict(as_series=False) == ROWS.to_dict(as_series=False) | {"t": [MOMENT, MOMENT]}
    assert frame.schema["t"] == pl.Datetime("us", "UTC")


def test_whole_numbers_beyond_64_bits_keep_their_digits() -> None:
    """In CSV, JSON and JSON lines alike they are text, which is told; a column that 64 bits hold stays a number."""
    codes = [12345678901234567000 + x for x in range(6)] + [20240113120000000000, 10**45 + 7]
    objects = [f'{{"code": {code}, "n": {2**62}, "in": {{"code": {code}}}}}' for code in codes]
    csv = "code,n,in.code\n" + "".join(f"{code},{2**62},{code}\n" for code in codes)
    for name, text in (("t.csv", csv), ("t.json", f"[{','.join(objects)}]"), ("t.jsonl", "\n".join(objects))):
        table = read(name, text.encode())
        frame = table.rows.collect()
        assert frame["code"].to_list() == frame["in.code"].to_list() == [f"{code}" for code in codes]
        assert frame["n"].to_list() == [2**62] * len(codes)
    table = read("t.json", f"[{','.join(objects[:-1])}]".encode())
    assert table.rows.collect()["in.code"].to_list() == [f"{code}" for code in codes[:-1]]
    assert table.understood["column code"] == "whole numbers beyond 64 bits, as text"


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


@pytest.mark.parametrize(
    ("line", "which"),
    [
        (b'{"a.b": 1, "a": {"b": 2}}', "a column of that name, and the field 'b' of 'a'"),
        (b'{"a": {"b": {"c": 1}}, "a.b": {"c": 2}}', "the field 'c' of 'a.b'"),
        (b'{"a": {"b.c": 1, "b": {"c": 2}}}', "a column of that name, and the field 'c' of 'a.b'"),
    ],
)
def test_fields_that_would_be_called_alike_are_refused(line: bytes, which: str) -> None:
    """A name with a point and a field of an object may come to the same."""
    for name, text in (("t.jsonl", line), ("t.json", b"[" + line + b"]")):
        with pytest.raises(DataError, match=f"Two columns would be called .*{which}"):
            read(name, text)


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


def test_columns_keep_their_text_where_asked(tmp_path: Path) -> None:
    """A code that looks like a number stays as it is written."""
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n")
    parts = [("t.csv", tmp_path / "t.csv")]
    table = read_files(parts, SourceSettings(uri="t.csv"), Dates(), ["a"], SourceCache(tmp_path))
    assert table.rows.collect().row(0) == ("1", 2)


def test_json_is_told_from_json_lines(tmp_path: Path) -> None:
    """By content: a .json file may be either, and an array is a document under every name."""
    for text, kind in [
        ('[{"a": 1, "b": 2}]', "json"),
        ('{"rows": [{"a": 1, "b": 2}]}', "json"),
        ('{\n "rows": [{"a": 1, "b": 2}]\n}', "json"),
        ('{"a": 1, "b": 2}\n{"a": 2, "b": 3}\n', "jsonl"),
        ('{"a": 1, "b": 2}', "jsonl"),
    ]:
        assert read("t.json", text.encode()).understood["format"] == kind
    assert read("t.txt", b'[{"a": 1, "b": 2}]').understood["taken"] == "the array"


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_is_read_under_every_name(kind: str) -> None:
    """Files and streams of Arrow IPC."""
    buffer = io.BytesIO()
    (ROWS.write_ipc if kind == "file" else ROWS.write_ipc_stream)(buffer)
    table = read("t.dat", buffer.getvalue())
    assert (table.understood["format"], table.understood["kind"]) == ("arrow", kind)
    assert table.rows.collect()["n"].to_list() == [1, 2]
    with pytest.raises(DataError, match=r"t\.arrow is not a readable Arrow file"):
        read("t.arrow", buffer.getvalue()[:40])


def test_columns_of_another_type_are_named_with_their_files(tmp_path: Path) -> None:
    """A glob over typed files compares them before anything is read."""
    for name, frame in {"a": {"x": [1], "y": ["p"]}, "b": {"x": [1.5], "y": [3]}}.items():
        pl.DataFrame(frame).write_parquet(tmp_path / name)
    parts = [(name, tmp_path / name) for name in "ab"]
    with pytest.raises(DataError, match="b has other columns than a: y is String in a and Int64 in b"):
        read_files(parts, SourceSettings(uri="*"), Dates(), (), SourceCache(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_text_of_one_endless_line_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read into memory."""
    monkeypatch.setattr(blocks, "LINE_BYTES", 3 << 20)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read whole"))
    with (tmp_path / name).open("wb") as file:
        file.write(b'{"a": 1}\n')
        file.write(b"x" * (5 << 20))
    with pytest.raises(DataError, match=r"Line 2 of .* is longer than 3 MiB"):
        read(name, tmp_path / name)


def test_a_large_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON documents are held in memory, and JSON lines are the way out."""
    monkeypatch.setattr(formats, "DOCUMENT_BYTES", 10)
    with pytest.raises(DataError, match="is a JSON document of"):
        read("t.json", b'[{"a": 1, "b": 2}]')
