"""A rehearsal plays the past through the real loop, on a real server, under an injected clock."""

import os
from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest

from heptad.core import graph
from heptad.core.errors import RefusedError
from heptad.core.files import one_process
from heptad.lifecycle import Span
from heptad.lifecycle.rehearsal import batches, steps_of
from heptad.project import Project
from tests.lifecycle.conftest import WEEKS, Played
from tests.lifecycle.rides import START


def test_every_row_is_asked_exactly_once_and_answered(played: Played) -> None:
    """Each ride of the span is in the log once, under its own id, and no request failed."""
    asked = played.project.data.history(START, START + timedelta(weeks=WEEKS))
    log = played.project.serving.predictions().collect()
    assert sorted(log["id"]) == sorted(asked["ride"])
    assert played.rehearsed.summary.failed_requests == 0
    assert set(log["caller"]) == {"rehearsal"}


def test_answers_carry_the_time_of_the_injected_clock(played: Played) -> None:
    """A batch is asked at the moment of its first row, so no answer is older than the row before it."""
    log = played.project.serving.predictions().collect()
    rows = played.project.data.history(START, START + timedelta(weeks=WEEKS)).select("ride", asked="at")
    joined = log.join(rows, left_on="id", right_on="ride")
    assert joined.select((pl.col("at") <= pl.col("asked")).all()).item()


def test_a_rehearsal_played_again_changes_nothing(played: Played) -> None:
    """What was played is found done: no record, no row and no figure is new."""
    before = played.project.workspace.store.follow(0, limit=100_000)
    span = Span(start=START, end=START + timedelta(weeks=WEEKS), singles=12)
    again = played.project.lifecycle.rehearse(span)
    assert again.id == played.rehearsed.rehearsal.id
    assert played.project.lifecycle.summary(again) == played.rehearsed.summary
    assert len(played.project.workspace.store.follow(0, limit=100_000)) == len(before)


def test_one_process_plays_at_a_time(played: Played) -> None:
    """A second one would move the clock under the first: it is told which process plays, and changes nothing."""
    with one_process(played.project.workspace.folder / "rehearsal.lock", "playing a rehearsal"):
        before = played.project.workspace.store.follow(0, limit=100_000)
        with pytest.raises(RefusedError, match=f"process {os.getpid()} is playing a rehearsal"):
            played.project.lifecycle.rehearse(Span(start=START, end=START + timedelta(weeks=9)))
    assert played.project.workspace.store.follow(0, limit=100_000) == before


def test_failed_requests_of_a_rehearsal_that_was_cut_off_still_count(copied: Project) -> None:
    """A rehearsal that goes on adds to what had failed before it was cut off."""
    champion = copied.release.champion()
    assert champion is not None
    span = Span(start=START + timedelta(weeks=WEEKS), end=START + timedelta(weeks=WEEKS, days=7))
    cut_off = copied.lifecycle._begin(span, champion)
    graph.set_attributes(copied.workspace, cut_off.id, {"failed_requests": 3})
    again = copied.lifecycle.rehearse(span)
    assert again.id == cut_off.id
    assert again.attributes["sent_until"] == span.end.isoformat()
    assert copied.lifecycle.summary(again).failed_requests == 3


def test_the_grid_of_steps_covers_the_span(played: Played) -> None:
    """Steps meet, and the last one ends with the span."""
    steps = steps_of(START, START + timedelta(days=17), timedelta(days=7))
    assert [end - start for start, end in steps] == [timedelta(days=7), timedelta(days=7), timedelta(days=3)]
    assert all(end == start for (_, end), (start, _) in pairwise(steps))


def test_batches_hold_every_row_in_order_and_some_alone(played: Played) -> None:
    """Cutting rows into requests loses none, and as many as asked for are alone."""
    project = played.project
    rows = project.data.history(START, START + timedelta(days=28))
    cut = list(batches(rows, project.data.version("latest"), 5))
    assert [identity for batch in cut for identity in batch.ids] == rows["ride"].to_list()
    assert sum(len(batch.rows) == 1 for batch in cut) == 5
    assert max(len(batch.rows) for batch in cut) <= 500
