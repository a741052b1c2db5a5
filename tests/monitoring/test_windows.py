"""Window arithmetic: a grid without gaps or overlaps, of which only closed windows are given."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.monitoring.windows import EPOCH, Window, closed_windows, window_of

WEEK = timedelta(days=7)
APRIL = datetime(2013, 4, 1, tzinfo=UTC)

moments = st.timedeltas(timedelta(days=-3_000), timedelta(days=20_000)).map(lambda since: EPOCH + since)
lengths = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))


@given(moments, lengths, moments)
def test_every_moment_lies_in_its_window(moment, length, origin):
    """Whatever the grid, a moment lies in the window that is given for it, and that window lies on the grid."""
    window = window_of(moment, length, origin)
    assert window.contains(moment)
    assert window.length == length
    assert (window.start - origin) % length == timedelta()


@given(moments, st.timedeltas(timedelta(hours=1), timedelta(days=400)), st.timedeltas(timedelta(), timedelta(days=90)))
def test_closed_windows_touch_and_are_over(first, length, span):
    """Closed windows follow each other without gap, begin with that of the first moment, and end at most now."""
    now = first + span
    windows = closed_windows(first, now, length)
    assert all(a.end == b.start for a, b in pairwise(windows))
    assert all(window.end <= now for window in windows)
    if windows:
        assert windows[0] == window_of(first, length)
        assert windows[-1].end + length > now
    else:
        assert window_of(first, length).end > now


def test_windows_from_a_start():
    """With a deployment's start as origin, the first window begins at it."""
    windows = closed_windows(APRIL, APRIL + timedelta(days=20), WEEK, origin=APRIL)
    assert windows == [Window(APRIL, APRIL + WEEK), Window(APRIL + WEEK, APRIL + 2 * WEEK)]


def test_a_window_closes_exactly_at_its_end():
    """A microsecond before its end a window is still open; at its end it is closed."""
    assert closed_windows(APRIL, APRIL + WEEK - timedelta(microseconds=1), WEEK, origin=APRIL) == []
    assert len(closed_windows(APRIL, APRIL + WEEK, WEEK, origin=APRIL)) == 1


def test_the_default_grid_starts_with_1970():
    """Without an origin, windows are counted from 1970, so that everybody agrees on them."""
    assert (window_of(APRIL, WEEK).start - EPOCH) % WEEK == timedelta()


def test_the_window_before_touches():
    """The window before another has its length and ends where that one starts."""
    assert Window(APRIL, APRIL + WEEK).before() == Window(APRIL - WEEK, APRIL)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Window(APRIL, APRIL), "is empty"),
        (lambda: Window(APRIL.replace(tzinfo=None), APRIL.replace(tzinfo=None) + WEEK), "no time zone"),
        (lambda: window_of(APRIL, timedelta()), "cannot be"),
        (lambda: closed_windows(APRIL.replace(tzinfo=None), APRIL, WEEK), "names no zone"),
    ],
)
def test_windows_that_cannot_be(make, words):
    """Empty windows, lengths of nothing and times without a zone are refused with the reason."""
    with pytest.raises(InputError, match=words):
        make()
