"""A timeline finds what was known of a group at a moment."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.features.conftest import MOMENT, at

from heptad.data.features import timelines
from heptad.data.features.timelines import Timeline, gathered

POINTS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-40, 40), st.integers(0, 5)), max_size=40)
STEPS = st.sampled_from([timedelta(microseconds=1), timedelta(milliseconds=7), timedelta(days=1)])


def moments(numbers: list[int], step: timedelta) -> pl.Series:
    return pl.Series([at(0) + number * step for number in numbers], dtype=MOMENT)


@pytest.fixture(params=[True, False], ids=["in one integer", "by rank"])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times that leave room for the group beside them, and times that do not."""
    if not request.param:
        monkeypatch.setattr(timelines, "_ROOM", 0)


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("as_text", [False, True])
def test_it_finds_what_a_search_of_all_rows_finds(as_text: bool) -> None:
    """For any groups and times, of whatever unit, asked in any order: the newest known, of equal ones the last."""

    @given(POINTS, POINTS, STEPS)
    def check(rows: list, asked: list, step: timedelta) -> None:
        keys, others = (
            pl.DataFrame({"g": [group for group, _, _ in some]}, schema={"g": pl.Int64}) for some in (rows, asked)
        )
        if as_text:
            keys, others = keys.cast(pl.String), others.cast(pl.String)
        timeline = Timeline(keys, moments([when for _, when, _ in rows], step))
        found = timeline.find(others, moments([when for _, when, _ in asked], step)).tolist()
        expected = [
            max(
                ((known, place) for place, (other, known, _) in enumerate(rows) if other == group and known <= when),
                default=(0, -1),
            )[1]
            for group, when, _ in asked
        ]
        assert found == expected

    check()


@pytest.mark.usefixtures("room")
def test_a_late_row_of_an_earlier_event_is_passed_over() -> None:
    """Of what was known by then the latest event counts, however late others came in."""
    known = moments([1, 2, 3, 3, 9], timedelta(hours=1))
    event = moments([1, 2, 0, 2, 5], timedelta(hours=1))
    timeline = Timeline(pl.DataFrame({"g": [7] * 5}), known, event)
    asked = moments([0, 1, 2, 3, 8, 9], timedelta(hours=1))
    assert timeline.find(pl.DataFrame({"g": [7] * 6}), asked).tolist() == [-1, 0, 1, 3, 3, 4]
    assert len(timeline) == 4


def test_nulls_and_strangers_find_nothing() -> None:
    """In keys or in moments, for numbers close together, far apart, and texts."""
    for keys in ([1, 2], [1, 10**15], ["a", "b"]):
        timeline = Timeline(pl.DataFrame({"g": keys}), moments([1, 2], timedelta(hours=1)))
        others = pl.DataFrame({"g": [keys[0], None, keys[0], keys[1]]}, schema=pl.DataFrame({"g": keys}).schema)
        asked = pl.Series([at(5), at(5), None, at(1)], dtype=MOMENT)
        assert timeline.find(others, asked).tolist() == [0, -1, -1, -1]
        strangers = pl.DataFrame({"g": [-5, 3, 10**18] if keys[0] == 1 else ["x", "", "ab"]})
        assert timeline.find(strangers, pl.Series([at(5)] * 3, dtype=MOMENT)).tolist() == [-1] * 3


def test_an_empty_timeline_finds_nothing() -> None:
    """Nothing known is no error."""
    empty = pl.Series([], dtype=MOMENT)
    for event in (None, empty):
        timeline = Timeline(pl.DataFrame({"g": []}, schema={"g": pl.String}), empty, event)
        assert timeline.find(pl.DataFrame({"g": ["a"]}), pl.Series([at(1)], dtype=MOMENT)).tolist() == [-1]


def test_without_keys_there_is_one_group() -> None:
    """All rows belong together."""
    timeline = Timeline(pl.DataFrame(), moments([3, 1], timedelta(hours=1)))
    assert timeline.find(pl.DataFrame(), moments([0, 1, 2, 3], timedelta(hours=1))).tolist() == [-1, 1, 1, 0]


def test_the_least_and_the_greatest_times_are_no_trouble() -> None:
    """Years 1 to 9999, in microseconds, beside groups that are far apart."""
    first, last = (datetime(year, 1, 1, 0, 0, 0, 1, tzinfo=at(0).tzinfo) for year in (1, 9999))
    keys = pl.DataFrame({"g": [-(2**62), 2**62]})
    timeline = Timeline(keys, pl.Series([first, last], dtype=MOMENT))
    assert timeline.find(keys, pl.Series([last, last], dtype=MOMENT)).tolist() == [0, 1]
    assert timeline.find(keys, pl.Series([first, first], dtype=MOMENT)).tolist() == [0, -1]


def test_rows_are_gathered_with_nulls_for_what_was_not_found() -> None:
    """A position below zero is a row of nulls, in every type."""
    values = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert gathered(values, np.array([1, -1, 0])).rows() == [(2, None), (None, None), (1, "x")]
    assert gathered(values.clear(), np.array([-1])).rows() == [(None, None)]
