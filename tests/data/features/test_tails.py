"""The rows that later features look back to are kept, and no others."""

from typing import Any

import polars as pl
from tests.data.features.conftest import MOMENT, at

from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.definitions import define
from heptad.data.features.functions import EVENT
from heptad.data.features.packing import times_of
from heptad.data.features.tails import packed_tails, tail_rows, unpacked_tails
from heptad.data.features.views import View

SOURCE = pl.DataFrame(
    {
        "g": ["a"] * 5 + ["b"],
        "t": [at(hour) for hour in (9, 1, 2, 7, 8, 1)],
        "v": [1.5, None, float("nan"), 4.0, 5.0, 6.0],
        "when": [at(0), None, at(0), at(0), at(0), at(0)],
        "kind": ["x", None, "", "ü", "x", "y"],
    },
    schema={"g": pl.String, "t": MOMENT, "v": pl.Float64, "when": MOMENT, "kind": pl.String},
)


def view_of(**make: MadeSettings) -> View:
    return View("shop", FeatureSettings(source="s", on=["g"], columns=["when", "kind"], make=make), time="t")


def kept(view: View) -> list[tuple[Any, ...]]:
    rows = tail_rows(view, view.prepared(SOURCE.lazy()).collect())
    return rows.sort(view.keys[0], EVENT).select(*view.keys, EVENT).rows()


def test_a_window_keeps_what_it_reaches_from_the_newest_row() -> None:
    """Rows before that can be in no later window."""
    view = view_of(x=MadeSettings(call="sum", of="v", window="2h"))
    assert kept(view) == [("a", at(7)), ("a", at(8)), ("a", at(9)), ("b", at(1))]


def test_a_lag_keeps_so_many_rows() -> None:
    """The newest, which is computed again when a row comes late, and those that it looks at."""
    view = view_of(x=MadeSettings(call="lag", of="v", rows=2))
    assert kept(view) == [("a", at(7)), ("a", at(8)), ("a", at(9)), ("b", at(1))]


def test_a_window_behind_a_lag_reaches_further() -> None:
    """From the row that the lag reaches."""
    view = view_of(a=MadeSettings(call="sum", of="v", window="6h"), b=MadeSettings(call="lag", of="a", rows=2))
    rows = [(group, hour) for group, hour in kept(view) if group == "a"]
    assert rows == [("a", at(1)), ("a", at(2)), ("a", at(7)), ("a", at(8)), ("a", at(9))]


def test_rows_come_back_as_they_were() -> None:
    """Of every type, nulls and NaN apart; each entity's with the newest of its times; an unknown one has none."""
    view = view_of(x=MadeSettings(call="sum", of="v", window="99h"))
    prepared = view.prepared(SOURCE.lazy())
    rows = prepared.collect()
    pairs = list(packed_tails(view, define(view, SOURCE.lazy()), rows))
    assert len(pairs) == 2
    assert len({key for key, _ in pairs}) == 2
    assert moment_hours(pairs[0][1]) == (9, 9)
    values = [pairs[0][1], None, pairs[1][1]]
    back = unpacked_tails(view, prepared.collect_schema(), [("a",), ("nobody",), ("b",)], values)
    assert back.equals(rows)
    nothing = unpacked_tails(view, prepared.collect_schema(), [("nobody",)], [None])
    assert nothing.schema == rows.schema


def moment_hours(row: bytes) -> tuple[int, int]:
    start = int(at(0).timestamp()) * 1_000_000
    event, known = times_of(row)
    return (event - start) // 3_600_000_000, (known - start) // 3_600_000_000
