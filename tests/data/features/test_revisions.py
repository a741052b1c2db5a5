"""The states of an entity are what was known of it at each moment."""

from typing import Any

import polars as pl
from tests.data.features.conftest import MOMENT, at

from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features import revisions
from heptad.data.features.functions import EVENT, KNOWN
from heptad.data.features.revisions import states
from heptad.data.features.views import View


def states_of(rows: list[tuple[float, float, str, int]], *, known: str = "k", **make: MadeSettings) -> list[Any]:
    source = pl.DataFrame(
        [(at(event), at(seen), group, value) for event, seen, group, value in rows],
        schema={"t": MOMENT, "k": MOMENT, "g": pl.String, "v": pl.Int64},
        orient="row",
    )
    view = View("v", FeatureSettings(source="s", on=["g"], make=make, known=known), time="t")
    found = states(view, view.prepared(source.lazy()).collect()).sort(*view.keys, KNOWN, EVENT)
    hours = pl.col(EVENT, KNOWN).dt.epoch("s").sub(int(at(0).timestamp())) / 3600
    return found.with_columns(hours).select(*view.keys, KNOWN, EVENT, *view.outputs).rows()


TOTAL = MadeSettings(call="sum", of="v", window="10h")


def test_rows_in_order_are_one_state_each() -> None:
    """What is known in the order in which it happened is computed once."""
    assert states_of([(1, 2, "a", 1), (3, 4, "a", 10), (2, 2, "b", 5)], total=TOTAL) == [
        ("a", 2.0, 1.0, 1.0),
        ("a", 4.0, 3.0, 11.0),
        ("b", 2.0, 2.0, 5.0),
    ]


def test_a_late_row_is_a_state_of_its_own() -> None:
    """From its arrival on the newest event's window holds it; before that it did not."""
    assert states_of([(1, 1, "a", 1), (5, 5, "a", 10), (3, 9, "a", 100)], total=TOTAL) == [
        ("a", 1.0, 1.0, 1.0),
        ("a", 5.0, 5.0, 11.0),
        ("a", 9.0, 5.0, 111.0),
    ]


def test_a_row_whose_past_was_filled_later_keeps_what_it_saw() -> None:
    """Also the rows between the late row's time and its arrival, each for itself."""
    found = states_of(
        [(1, 1, "a", 1), (4, 4, "a", 10), (6, 6, "a", 1000), (2, 5, "a", 100)],
        before=MadeSettings(call="lag", of="v"),
        total=TOTAL,
    )
    assert found == [
        ("a", 1.0, 1.0, None, 1.0),
        ("a", 4.0, 4.0, 1, 11.0),
        ("a", 5.0, 4.0, 100, 111.0),
        ("a", 6.0, 6.0, 10, 1111.0),
    ]


def test_a_correction_of_the_same_event_comes_after_it() -> None:
    """Both rows count; the one that was known last is the newest."""
    found = states_of([(1, 1, "a", 1), (1, 5, "a", 10)], before=MadeSettings(call="lag", of="v"), total=TOTAL)
    assert found == [("a", 1.0, 1.0, None, 1.0), ("a", 5.0, 1.0, 1, 11.0)]


def test_a_load_of_the_whole_past_at_once_is_known_at_once() -> None:
    """Rows that became known together are one state: the newest event among them."""
    found = states_of([(hour, 50, "a", 1) for hour in (3, 1, 2)], total=TOTAL)
    assert found[-1] == ("a", 50.0, 3.0, 3.0)


def test_many_late_rows_are_computed_in_portions(monkeypatch: Any) -> None:
    """However few rows are computed together, the states are the same."""
    rows = [(event, (event * 7) % 23 + event, group, event) for event in range(40) for group in "ab"]
    whole = states_of(rows, total=TOTAL, before=MadeSettings(call="lag", of="v", rows=2))
    monkeypatch.setattr(revisions, "_ROWS_AT_ONCE", 5)
    assert states_of(rows, total=TOTAL, before=MadeSettings(call="lag", of="v", rows=2)) == whole
    assert len(whole) > len(rows) / 2


def test_without_a_known_time_each_row_is_a_state() -> None:
    """Then rows are known in the order of events."""
    assert states_of([(5, 0, "a", 10), (1, 0, "a", 1)], known="", total=TOTAL) == [
        ("a", 1.0, 1.0, 1.0),
        ("a", 5.0, 5.0, 11.0),
    ]
