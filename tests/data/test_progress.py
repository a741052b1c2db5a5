"""Work says how far it is to whoever watches: never back, never whole before its end, and to nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import Estimate, Progress, note_done, under_way, watching_work
from heptad.data import progress as module


@given(st.integers(0, 1000), st.lists(st.integers(0, 500), max_size=30))
def test_the_share_only_grows_however_wrong_the_estimate_was(amount: int, parts: list[int]) -> None:
    """It is 1 at the end and only there."""
    heard: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch, watching_work(heard.append):
        patch.setattr(module, "TELL_SECONDS", 0.0)
        with under_way("it", lambda: Estimate(amount, "rows")):
            for part in parts:
                note_done(part, "rows")
    shares = [one.share for one in heard if one.share is not None]
    assert shares == sorted(shares)
    assert [share for share in shares if share >= 1] == [1]
    assert (heard[-1].ended, heard[-1].done) == (True, sum(parts))


def test_work_in_parts_goes_on_where_it_was() -> None:
    """Its estimate is asked for once; what it does in another unit is told without changing the share."""
    asked, heard = list[int](), list[Progress]()

    def estimate() -> Estimate:
        asked.append(1)
        return Estimate(4, "files")

    with watching_work(heard.append):
        with under_way("it", estimate, last=False):
            note_done(1, "files")
        with under_way("it", estimate):
            note_done(1000, "rows")
    assert len(asked) == 1
    assert [one.share for one in heard] == [0, 0.25, 1]
    assert heard[-1].unit == "files"


def test_only_the_outer_work_is_told() -> None:
    """What is done inside counts for it."""
    heard: list[Progress] = []
    with watching_work(heard.append), under_way("outer", lambda: None), under_way("inner", lambda: None):
        note_done(3, "rows")
    assert {one.work for one in heard} == {"outer"}
    assert [one.done for one in heard] == [0, 3, 3]


def test_where_nobody_watches_nothing_is_estimated() -> None:
    """Asking costs a query or a request."""
    with under_way("it", lambda: pytest.fail("it was asked")):
        note_done(1, "rows")


def test_work_that_fails_has_not_ended() -> None:
    """And what comes after it is not taken for a part of it."""
    heard: list[Progress] = []
    with watching_work(heard.append):
        with pytest.raises(OSError, match="gone"), under_way("it", lambda: None):
            raise OSError("gone")
        note_done(1, "rows")
    assert [one.ended for one in heard] == [False]
