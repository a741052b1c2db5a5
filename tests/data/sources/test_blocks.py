"""A text in blocks gives the table that it gives as a whole, wherever they end; and none is larger than memory."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heptad.core.errors import DataError, HeptadError
from heptad.data import Place, SourceSettings, open_source
from heptad.data.sources import blocks
from heptad.data.sources.blocks import check_lines, record_blocks, without_leading_lines
from heptad.data.sources.delimited import read_delimited
from heptad.data.sources.json_lines import read_json_lines

CELL = st.text(st.sampled_from("ab1 ,;\"\n\r\té'"), max_size=5)
SETTINGS = SourceSettings(uri="f.csv")
QUOTED_WELL = re.compile(rb'(?:(?:"(?:[^"]|"")*"|[^",;\t\n]*)(?:[,;\t\n]|\Z))*')
"""Each quote opens a field, closes it, or is doubled within it."""


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def told(data: bytes, size: int | None) -> object:
    """The table of a CSV file in blocks of so many bytes (`None`: as a whole), or the error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", size or 1 << 30)
        try:
            step = max(1, (size or len(data) or 1) // 3)
            table = read_delimited(lambda: pieces(data, step), "f.csv", SETTINGS)
            return table.rows.collect().to_dict(as_series=False), table.understood, table.repairs
        except HeptadError as error:
            return error.problem


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12), st.integers(1, 40), st.booleans())
@settings(max_examples=300)
def test_a_csv_file_is_the_same_table_in_blocks_of_any_size(rows: list[list[str]], size: int, crlf: bool) -> None:
    """Quotes, ends of lines inside of them, blank lines, short rows: as a writer of CSV makes them."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n" if crlf else "\n").writerows([["x", "y", "z"], *rows])
    data = out.getvalue().encode()
    whole, parts = told(data, None), told(data, size)
    assert parts == whole or (isinstance(parts, str) and isinstance(whole, str))


@given(st.lists(st.text(st.sampled_from('ab1,"\n;\t '), max_size=9), min_size=1, max_size=10), st.integers(1, 30))
@settings(max_examples=300)
@example(["", "1", "", "", "2"], 1)
@example(['1"\n', '"\n\n"', '"\n\n"', '"\n'], 1)
def test_no_text_is_another_table_in_blocks(lines: list[str], size: int) -> None:
    """Whatever it holds: what is no table is none in blocks; what is one is the same, or refused for a stray quote."""
    data = ("x,y\n" + "\n".join(lines)).encode()
    whole, parts = told(data, None), told(data, size)
    if isinstance(whole, str) or (isinstance(parts, str) and not QUOTED_WELL.fullmatch(data)):
        assert isinstance(parts, str)
    else:
        assert parts == whole


VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.text('ab\n"é', max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("pq"), inner, max_size=2)),
    max_leaves=3,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUE, min_size=1), min_size=1, max_size=8), st.integers(1, 60))
@settings(max_examples=300)
def test_json_lines_are_the_same_table_in_blocks_of_any_size(objects: list[dict], size: int) -> None:
    """Types are those of all rows, whichever block they come in."""
    data = "\n".join(json.dumps(one) for one in objects).encode()

    def frame(block: int) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "BLOCK", block)
            return read_json_lines(lambda: pieces(data, max(1, block // 3)), "f", "").collect()

    whole, parts = frame(1 << 30), frame(size)
    assert whole.schema == parts.schema
    assert str(whole.to_dicts()) == str(parts.to_dicts())


@given(st.text(st.sampled_from('ab"\n\r'), max_size=40), st.integers(1, 9), st.sampled_from(['"', ""]))
def test_blocks_are_the_text_and_end_with_records(text: str, size: int, quote: str) -> None:
    """Together they are everything; each begins where quotes are closed, at the line that it says."""
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", size)
        made = list(record_blocks(lambda: pieces(data, 3), "f", quote=quote))
    assert b"".join(block for _, block in made) == data
    for (first, block), (number, after) in pairwise(made):
        assert block.endswith(b"\n")
        assert not after.startswith((b"\n", b"\r"))
        assert not quote or block.count(quote.encode()) % 2 == 0
        assert number == first + block.count(b"\n")


def test_a_quote_that_does_not_close_ends_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of holding all that follows."""
    monkeypatch.setattr(blocks, "BLOCK", 1000)
    monkeypatch.setattr(blocks, "LINE_BYTES", 4000)
    data = b'a,b\n"x, y",1\n' * 20 + b'"open, 3\n' + b"4,5\n" * 3000
    with pytest.raises(DataError, match=r"a quote from line 4\d on that does not close"):
        list(record_blocks(lambda: pieces(data, 100), "f", quote='"'))


def test_ends_of_lines_of_old_macintoshes_are_read() -> None:
    """Only where there are no others."""
    assert b"".join(without_leading_lines(lambda: iter([b"\r\ra\r", b"b\r"]))()) == b"a\nb\n"
    assert b"".join(without_leading_lines(lambda: iter([b"a\rx\n", b"b"]))()) == b"a\rx\nb"


def test_a_line_that_is_too_long_is_found_without_holding_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By reading pieces."""
    monkeypatch.setattr(blocks, "LINE_BYTES", 3 << 20)
    (tmp_path / "f").write_bytes(b"a\n" + b"x" * (5 << 20))
    with pytest.raises(DataError, match="Line 2 of f is longer than 3 MiB"):
        check_lines(tmp_path / "f", "f")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("packed", ["", ".gz", ".zip"])
def test_a_large_file_goes_through_its_cache(
    encoding: str, packed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Converted once, block by block, in every encoding, compressed or in an archive: the table of the whole."""
    import gzip
    import zipfile

    rows = "".join(f'{x},"Größe ""{x}"",\n zwei Zeilen",{x / 4}\n' for x in range(3000))
    data = f"k,t,v\n{rows}".encode(encoding)
    path = tmp_path / f"f.csv{packed}"
    if packed == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("f.csv", data)
    else:
        path.write_bytes(gzip.compress(data) if packed else data)

    def read(folder: str) -> pl.DataFrame:
        source = open_source(SourceSettings(uri=path.name), Place(root=tmp_path, cache=tmp_path / folder))
        return source.read().rows.collect()

    whole = read("whole")
    assert whole.height == 3000
    assert whole["t"][7] == 'Größe "7",\n zwei Zeilen'
    monkeypatch.setattr(blocks, "WHOLE", 0.0)
    monkeypatch.setattr(blocks, "BLOCK", 10_000)
    monkeypatch.setattr(blocks, "CHUNK", 3_000)
    assert read("parts").equals(whole)
    made = [one for one in (tmp_path / "parts").rglob("*") if one.is_file()]
    assert read("parts").equals(whole)
    assert {one for one in (tmp_path / "parts").rglob("*") if one.is_file()} == set(made)
    assert len(made) > 5


READ = """
import sys
from pathlib import Path
from heptad.core.memory import limit_memory, peak_rss_mb
limit_memory("200MB", Path(sys.argv[1]).parent / "spill")
import polars as pl
from heptad.core.errors import HeptadError
from heptad.data import Place, SourceSettings, open_source
path = Path(sys.argv[1])
source = open_source(SourceSettings(uri=path.name), Place(root=path.parent, cache=path.parent / "cache"))
try:
    source.digest()
    rows = source.read().rows
    print(*rows.select(pl.len(), pl.col("n").sum()).collect(engine="streaming").row(0), sep="\\n")
except HeptadError as error:
    print(error.problem)
print(peak_rss_mb())
"""


def run(path: Path) -> tuple[list[str], float]:
    """What was read or said, and the most that the process held, in MiB."""
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-1500:]
    *said, peak = done.stdout.splitlines()
    return said, float(peak)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_larger_than_memory_goes_through(kind: str, tmp_path: Path) -> None:
    """Of 600 MB of text, told to use 200 MB, never so much is held that the file could be among it."""
    path, count = tmp_path / f"large.{kind}", 500_000
    filler = "x" * 1150
    with path.open("w") as file:
        file.write("n,t\n" if kind == "csv" else "")
        for start in range(0, count, 10_000):
            numbers = range(start, start + 10_000)
            line = '{{"n":{0},"t":"{1}"}}\n' if kind == "jsonl" else "{0},{1}\n"
            file.write("".join(line.format(number, filler) for number in numbers))
    said, peak = run(path)
    assert said == [str(count), str(count * (count - 1) // 2)]
    assert peak < 500


@pytest.mark.slow
def test_a_file_of_one_line_of_a_gigabyte_is_refused_in_little_memory(tmp_path: Path) -> None:
    """With the line and what is allowed."""
    path = tmp_path / "line.csv"
    with path.open("wb") as file:
        file.write(b"n,t\n")
        for _ in range(1024):
            file.write(b"x" * (1 << 20))
    said, peak = run(path)
    assert said == ["Line 2 of line.csv is longer than 64 MiB."]
    assert peak < 400
