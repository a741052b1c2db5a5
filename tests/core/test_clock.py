"""Clocks that only go forward: the machine's, a test's, and one shared by processes."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from heptad.core import clock as module
from heptad.core.clock import FileClock, ManualClock, SystemClock, open_clock
from heptad.core.errors import IntegrityError, WorkspaceError

START = datetime(2013, 4, 1, tzinfo=UTC)


def test_the_machines_clock_tells_aware_utc() -> None:
    """It is now, in UTC."""
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_machines_clock_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine's clock is set back, time stands still until it has caught up."""
    moments = iter([START, START - timedelta(hours=1), START - timedelta(minutes=1), START + timedelta(seconds=1)])

    class Jumping(datetime):
        @classmethod
        def now(cls, tz=None):
            return next(moments)

    monkeypatch.setattr(module, "datetime", Jumping)
    clock = SystemClock()
    assert [clock.now() for _ in range(4)] == [START, START, START, START + timedelta(seconds=1)]


def test_a_manual_clock_moves_only_when_told() -> None:
    """It stands still, moves forward, and is never set back."""
    clock = ManualClock(START)
    assert clock.now() == clock.now() == START
    clock.advance(timedelta(days=1))
    clock.advance_to(START)
    assert clock.now() == START + timedelta(days=1)
    clock.advance_to(START + timedelta(days=7))
    assert clock.now() == START + timedelta(days=7)


def test_a_file_clock_is_shared_by_processes(tmp_path: Path) -> None:
    """What one process sets, another reads, to the microsecond."""
    path = tmp_path / "clock"
    moment = START + timedelta(microseconds=1)
    FileClock(path).advance_to(moment)
    code = (
        "import sys; from pathlib import Path; from heptad.core.clock import open_clock; "
        "print(open_clock(Path(sys.argv[1])).now().isoformat())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    assert datetime.fromisoformat(done.stdout.strip()) == moment


def test_a_file_clock_goes_only_forward(tmp_path: Path) -> None:
    """An earlier moment changes nothing; times before 1970 can be told too."""
    clock = FileClock(tmp_path / "clock")
    clock.advance_to(datetime(1969, 12, 31, tzinfo=UTC))
    assert clock.now() == datetime(1969, 12, 31, tzinfo=UTC)
    clock.advance_to(START)
    clock.advance_to(START - timedelta(days=1))
    assert clock.now() == START


def test_readers_never_see_half_of_a_move(tmp_path: Path) -> None:
    """While one thread moves the clock another sees whole times, in order."""
    clock = FileClock(tmp_path / "clock")
    clock.advance_to(START)
    done = threading.Event()
    seen: list[datetime] = []

    def read() -> None:
        while not done.is_set():
            seen.append(clock.now())

    reader = threading.Thread(target=read)
    reader.start()
    for hour in range(50):
        clock.advance_to(START + timedelta(hours=hour))
    done.set()
    reader.join()
    assert seen == sorted(seen)
    assert set(seen) <= {START + timedelta(hours=hour) for hour in range(50)}


def test_a_clock_that_was_never_set_says_so(tmp_path: Path) -> None:
    """Reading a file that is not there names it and the remedy; bytes that are no time are damage."""
    with pytest.raises(WorkspaceError, match="is not there"):
        FileClock(tmp_path / "clock").now()
    (tmp_path / "clock").write_bytes(b"nonsense but not eight bytes")
    with pytest.raises(IntegrityError, match="does not hold a time"):
        FileClock(tmp_path / "clock").now()


def test_which_clock_is_opened(tmp_path: Path) -> None:
    """A path opens the shared clock, none the machine's."""
    assert isinstance(open_clock(), SystemClock)
    assert isinstance(open_clock(tmp_path / "clock"), FileClock)
