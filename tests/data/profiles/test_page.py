"""The page of an overview: whole, offline, and safe whatever the table says."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import polars as pl

from heptad.data.profiles.looking import Overview
from heptad.data.profiles.notes import notes_of
from heptad.data.profiles.page import render_overview, summary_of
from heptad.data.profiles.profile import merge, profile_frame
from heptad.data.profiles.relations import Relation
from heptad.data.records import Column, Repair
from heptad.data.settings import ColumnType

EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """Which elements there are, and that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def overview(frame: pl.DataFrame, types: dict[str, ColumnType]) -> Overview:
    profile = profile_frame(frame, [Column(name=name, type=kind) for name, kind in types.items()])
    first = next(iter(types))
    relations = [Relation(first=first, second=first, correlation=1.0)]
    repairs = [Repair(rule="blank", column=first, cells=3)]
    return Overview(name=EVIL, profile=profile, notes=notes_of(profile), relations=relations, repairs=repairs)


def test_nothing_in_a_table_becomes_markup() -> None:
    """Names, values and the file's name are text; nothing is loaded, every element is closed."""
    frame = pl.DataFrame({EVIL: [EVIL, "b"] * 50, "n": [1.0, None] * 50, "t": ["x" * row for row in range(100)]})
    html = render_overview(overview(frame, {EVIL: "category", "n": "number", "t": "text"}))
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert "script" not in tags.seen
    assert {"svg", "rect", "table"} <= tags.seen
    assert "&lt;script&gt;" in html


def test_any_column_can_be_drawn() -> None:
    """Empty, constant, of two values, of times: each has its part of the page."""
    frame = pl.DataFrame(
        {
            "none": pl.Series([None] * 20, dtype=pl.Float64),
            "same": [3] * 20,
            "two": [0, 1] * 10,
            "when": pl.Series(range(20)).cast(pl.Datetime("us", "UTC")),
            "flag": [True] * 20,
        }
    )
    types: dict[str, ColumnType] = {
        "none": "number",
        "same": "integer",
        "two": "integer",
        "when": "datetime",
        "flag": "boolean",
    }
    html = render_overview(overview(frame, types))
    assert html.count("<h2>") == 4 + len(types)
    assert "1970-01-01 00:00" in html
    assert "0 rows" in render_overview(overview(frame.clear(), {"two": "integer"}))


def test_few_whole_numbers_have_a_bar_each() -> None:
    """Not a histogram, whose bars would have no width."""
    frame = pl.DataFrame({"grade": [-1] * 7 + [2] * 12 + [1_000] + [None]})
    html = render_overview(overview(frame, {"grade": "integer"}))
    texts = re.findall("<td>([^<]*)</td>", html)
    assert {"7", "12", "1,000"} <= set(texts)
    assert "tenths in full" not in html


def test_little_that_is_missing_is_not_nothing() -> None:
    frame = pl.DataFrame({"a": [None] + [1] * 4_999})
    assert "fewer than 0.1% of the cells are missing" in render_overview(overview(frame, {"a": "integer"}))


def test_shapes_and_times_are_drawn() -> None:
    """Where values are too many to be shown, their shapes are; what they hold becomes no markup."""
    frame = pl.DataFrame(
        {
            "code": [f"<b>{row}" for row in range(30)],
            "when": pl.Series(range(30)).cast(pl.Datetime("us", "UTC")),
            "few": ["x", "y"] * 15,
        }
    )
    html = render_overview(overview(frame, {"code": "text", "when": "datetime", "few": "category"}))
    assert {"&lt;a&gt;9", "&lt;a&gt;99", "20"} <= set(re.findall("<td>([^<]*)</td>", html))
    assert html.count("<th>shape</th>") == 1
    assert "<title>0: 30</title>" in html
    assert "hours of the day" in html


def test_a_line_tells_what_each_kind_of_column_has() -> None:
    """Texts have characters, categories a most frequent value, times a deviation in days."""
    times = [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 3)]
    frame = pl.DataFrame({"t": ["ab", "abcd"], "k": ["x", "x"], "at": times})
    kinds: dict[str, ColumnType] = {"t": "text", "k": "category", "at": "datetime"}
    profile = profile_frame(frame, [Column(name=name, type=kind) for name, kind in kinds.items()])
    text, kind, at = [summary_of(column) for column in profile.columns]
    assert (text["mean"], text["most often"]) == ("3 characters", "")
    assert (kind["most often"], kind["mean"]) == ("x (2)", "")
    assert (at["mean"], at["deviation"]) == ("2024-01-02 00:00", "1.0 days")


def test_what_is_estimated_says_so() -> None:
    """Different values of one profile are counted; of two put together they are estimated."""
    columns = [Column(name="k", type="integer"), Column(name="b", type="boolean")]
    frame = pl.DataFrame({"k": list(range(700)), "b": [True, False] * 350})
    profile = profile_frame(frame, columns)
    both = merge(profile, profile)
    assert [summary_of(column)["different"] for column in profile.columns] == ["700", "2"]
    assert [summary_of(column)["different"] for column in both.columns] == [f"~{both.columns[0].distinct}", "2"]


def test_names_and_texts_of_the_summary_give_way_to_its_figures() -> None:
    """So that a window of 1,200 pixels shows all of it without a scroll bar."""
    html = render_overview(overview(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}), {"a": "integer", "b": "category"}))
    assert '<main style="max-width: 1200px">' in html
    assert html.count("overflow-wrap: anywhere") == 4
