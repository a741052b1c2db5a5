"""Collections that were missed are made up for once, as a setting says; nobody sleeps here."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.clock import ManualClock
from heptad.core.errors import DataError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import CatchUp, CleanSettings, Data, DataSettings, ExpectSettings, SourceSettings
from heptad.lifecycle.collecting import Collector, due_moments

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def write(folder: Path, days: int) -> None:
    """A row every six hours."""
    numbers = range(4 * days)
    frame = pl.DataFrame(
        {
            "k": numbers,
            "t": [START - 10 * DAY + timedelta(hours=6 * x) for x in numbers],
            "a": [x % 7 for x in numbers],
            "y": [x % 2 for x in numbers],
        }
    )
    frame.write_csv(folder / "rows.csv")


def opened(workspace: Workspace, catch_up: CatchUp = "latest") -> Collector:
    """As a process that has just been started has it."""
    data = Data(
        workspace,
        ProjectSettings(name="test"),
        {"rows": SourceSettings(uri="rows.csv")},
        DataSettings(target="y", key=["k"], time="t", every="1d", catch_up=catch_up),
        CleanSettings(),
        ExpectSettings(),
        {},
    )
    return Collector(workspace, data)


@pytest.fixture
def turn(workspace: Workspace, clock: ManualClock):
    write(workspace.root, 30)

    def turned(days: float, catch_up: CatchUp = "latest") -> list[float]:
        """What one turn after so many days collects, in days since the beginning."""
        clock.advance_to(START + days * DAY)
        return [(one.body.until - START) / DAY for one in opened(workspace, catch_up).collect(clock.now())]

    return turned


def test_versions_are_collected_when_they_are_due(turn) -> None:
    """The first at once, and never twice."""
    assert [turn(0), turn(0), turn(0.9), turn(1), turn(1.2)] == [[0], [], [], [1], []]


def test_after_a_downtime_one_collection_makes_up_for_all(turn) -> None:
    """The default: of the newest moment, once."""
    assert [turn(0), turn(5.5), turn(5.6), turn(6.5)] == [[0], [5.5], [], [6.5]]


def test_after_a_downtime_each_missed_one_may_be_made_up_for(turn) -> None:
    """In order, as the sources were then."""
    assert [turn(0, "all"), turn(4.5, "all"), turn(4.6, "all"), turn(5, "all")] == [[0], [1, 2, 3, 4], [], [5]]


def test_after_a_downtime_missed_ones_may_be_skipped(turn) -> None:
    """The next one comes in its time."""
    turns = [turn(days, "skip") for days in (0, 1.05, 4.5, 5.02, 5.5)]
    assert turns == [[0], [1], [], [5], []]


def test_a_process_that_is_killed_while_it_catches_up_goes_on(workspace: Workspace, clock: ManualClock, turn) -> None:
    """What it had made is there, and the rest follows."""
    turn(0, "all")
    clock.advance_to(START + 5 * DAY)
    catching_up = opened(workspace, "all").collect(clock.now())
    next(catching_up)
    next(catching_up)
    del catching_up
    assert turn(5, "all") == [3, 4, 5]


def test_a_source_with_nothing_new_is_looked_at_once_an_interval(
    workspace: Workspace, clock: ManualClock, turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no new version to read that off, so it is remembered beside the latest."""
    write(workspace.root, 10)
    assert turn(0) == [0]
    asked: list[datetime] = []
    collect = Data.collect
    monkeypatch.setattr(Data, "collect", lambda self, until: asked.append(until) or collect(self, until))
    assert [turn(1), turn(1.1), turn(1.9), turn(2)] == [[], [], [], []]
    assert asked == [START + DAY, START + 2 * DAY]
    (first, second) = workspace.store.follow(0, ["data.nothing_new"])
    assert first.subject == second.subject


def test_a_collection_that_fails_is_due_in_the_next_turn(workspace: Workspace, turn) -> None:
    """And is not counted as done."""
    turn(0)
    (workspace.root / "rows.csv").unlink()
    for _ in range(2):
        with pytest.raises(DataError, match="There is no file"):
            turn(1)
    write(workspace.root, 30)
    assert turn(1.5) == [1.5]


@given(st.integers(1, 500), st.integers(0, 5000), st.sampled_from(["latest", "all", "skip"]))
def test_moments_are_due_once(every: int, passed: int, catch_up: CatchUp) -> None:
    """None lies in the future or before the last one; and once they are done, none is due."""
    interval, now = timedelta(minutes=every), START + timedelta(minutes=passed)
    moments = due_moments(START, interval, now, catch_up)
    assert all(START < one <= now for one in moments)
    assert moments == sorted(set(moments))
    assert len(moments) == {"all": passed // every}.get(catch_up, len(moments))
    if moments:
        assert due_moments(moments[-1], interval, now, catch_up) == []
