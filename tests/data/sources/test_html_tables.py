"""A table of a page is read as somebody sees it."""

import html
from pathlib import Path
from tempfile import NamedTemporaryFile

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import Place, SourceSettings, SourceTable, open_source
from heptad.data.sources import html_tables
from heptad.data.sources.html_tables import is_page, read_page

SPANS = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>
<table><caption>Layout</caption><tr><td>not this</td></tr></table>
<table id="rates"><caption>Rates <b>2024</b></caption>
<thead><tr><th rowspan="2">Land</th><th colspan="2">Share</th></tr><tr><th>low</th><th>high</th></tr></thead>
<tbody>
<tr><td rowspan="2">Öland</td><td>1,234.5</td><td>2</td></tr>
<tr><td>7</td><td>n/a<script>alert("9")</script></td></tr>
<tr><td>A<br>B <table><tr><td>inner</td></tr></table></td><td colspan="2">3</td></tr>
</tbody><tfoot><tr></tr></tfoot></table></body></html>"""


def read(folder: Path, content: str | bytes, uri: str = "page.html#table=rates", **settings: object) -> SourceTable:
    data = content.encode() if isinstance(content, str) else content
    (folder / uri.partition("#")[0]).write_bytes(data)
    return open_source(SourceSettings(uri=uri, **settings), Place(root=folder)).read()  # type: ignore[arg-type]


def test_cells_stand_where_they_are_seen(tmp_path: Path) -> None:
    """Over the rows and columns that they span, under joined headings, without scripts; numbers are numbers."""
    table = read(tmp_path, SPANS, nulls=("n/a",))
    assert table.rows.collect().to_dict(as_series=False) == {
        "Land": ["Öland", "Öland", "A B inner"],
        "Share low": [1234.5, 7.0, 3.0],
        "Share high": [2, None, 3],
    }
    assert table.understood["table"] == "2: Rates 2024"
    assert table.understood["header"] == "2 rows"


def test_a_table_is_named_by_number_id_or_caption(tmp_path: Path) -> None:
    """In the address or the settings; where there are several, one must be."""
    for wanted in ("2", "rates", "Rates 2024"):
        assert read(tmp_path, SPANS, f"page.html#table={wanted}").rows.collect().height == 3
    assert read(tmp_path, SPANS, "page.html", sheet="2").rows.collect().height == 3
    with pytest.raises(DataError, match=r"(?s)page\.html has 3 tables.*1 \(Layout\), 2 \(Rates 2024\), 3.*#table=1"):
        read(tmp_path, SPANS, "page.html")
    with pytest.raises(DataError, match="no table '9'"):
        read(tmp_path, SPANS, "page.html#table=9")


def test_a_table_without_headings_has_numbered_columns(tmp_path: Path) -> None:
    """Unless the settings say that the first row names them, or name them."""
    page = "<table><tr><td>a<td>b<tr><td>1<td>2</table>"
    assert read(tmp_path, page, "p.htm").rows.collect().columns == ["column_1", "column_2"]
    assert read(tmp_path, page, "p.htm", header=True).rows.collect().rows() == [(1, 2)]
    named = read(tmp_path, page, "p.htm", columns=["x", "y"]).rows.collect()
    assert named.to_dict(as_series=False) == {"x": ["a", "1"], "y": ["b", "2"]}


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_pages_say_their_encoding_or_are_guessed(encoding: str, tmp_path: Path) -> None:
    """By a mark, by what they declare, by validity."""
    page = "<html><body><table><tr><th>n</th></tr><tr><td>Größe</td></tr></table></body></html>"
    assert read(tmp_path, page.encode(encoding), "p.html").rows.collect()["n"].to_list() == ["Größe"]
    declared = page.replace("<html>", '<html><meta charset="iso-8859-2">').encode("iso-8859-2")
    assert read(tmp_path, declared, "p.html").rows.collect()["n"].to_list() == ["Größe"]


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("<html><p>no</p></html>", "has no table"),
        ("", "is not a readable page"),
        ("<table><tr><th>a</th></tr></table>", "without rows of values"),
        ("<table><tr><th>a<th>a</tr><tr><td>1<td>2</table>", "column name more than once"),
        ("<table><tr><td colspan=99999>1</table>" * 1, ""),
    ],
)
def test_pages_that_are_no_table(page: str, problem: str, tmp_path: Path) -> None:
    """Each with what is wrong; a span of nonsense is cut as browsers do."""
    if not problem:
        assert read(tmp_path, page, "p.html").rows.collect().width == 1000
        return
    with pytest.raises(DataError, match=problem):
        read(tmp_path, page, "p.html")


def test_a_few_bytes_that_span_everything_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they take all memory; and a page that is too large."""
    row = "<tr>" + "<td colspan=1000 rowspan=1000>x" * 40
    with pytest.raises(DataError, match="more than 10,000,000 cells"):
        read(tmp_path, f"<table>{row * 1000}</table>", "p.html")
    monkeypatch.setattr(html_tables, "PAGE_BYTES", 10)
    with pytest.raises(DataError, match="is a page of more than"):
        read(tmp_path, SPANS, "p.html")


def test_pages_are_told_by_their_beginning() -> None:
    """Whatever they are called."""
    for head in (b"<!doctype html>", b"\xef\xbb\xbf\n<HTML lang=de>", b"<!-- x --> <table>"):
        assert is_page(head)
    for head in (b"<rows>", b"a,b\n<html>", b"<!--"):
        assert not is_page(head)


@given(st.lists(st.lists(st.text("ab<&1 ", min_size=1, max_size=4), min_size=3, max_size=3), min_size=1, max_size=6))
def test_what_is_written_is_read(rows: list[list[str]]) -> None:
    """Escaped or not, every cell in its place."""
    written = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    wanted = [[" ".join(cell.split()) or None for cell in row] for row in rows]
    if not any(any(row) for row in wanted):
        return
    with NamedTemporaryFile() as file:
        file.write(f"<table><tr><th>a<th>b<th>c</tr>{written}</table>".encode())
        file.flush()
        cells = read_page(Path(file.name), "p", SourceSettings(uri="p", header=True)).cells
    assert cells.equals(pl.DataFrame([row for row in wanted if any(row)], schema=cells.schema, orient="row"))
