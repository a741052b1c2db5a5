"""The injected clock: every time that is recorded comes from one of these, so rehearsals never sleep."""

import struct
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from heptad.core.errors import IntegrityError, WorkspaceError
from heptad.core.files import write_atomically

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time as an aware UTC `datetime`; may stand still, and need not agree with the machine's clock."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock, never going backwards within this process."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        now = datetime.now(UTC)
        with self._lock:
            if now > self._last:  # noqa: PLR1730 - `max` takes twice as long, and reads of features wait for this
                self._last = now
            return self._last


class ManualClock:
    """A clock for tests: stands still until it is moved, and only moves forward."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance_to(self, moment: datetime) -> None:
        self._now = max(self._now, moment)

    def advance(self, by: timedelta) -> None:
        self._now += by


class FileClock:
    """A clock that several processes share: one moves it, all read it.

    The file holds eight bytes, microseconds since 1970 as a little-endian integer, and is replaced
    whole, so a reader never sees half of a move. Reading raises `WorkspaceError` where nobody has set it yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self) -> datetime:
        try:
            (micros,) = struct.unpack("<q", self.path.read_bytes())
            return _EPOCH + timedelta(microseconds=micros)
        except FileNotFoundError as error:
            raise WorkspaceError(
                f"The clock {self.path} is not there.", remedy="Set it with FileClock(path).advance_to(moment)."
            ) from error
        except (struct.error, OverflowError) as error:
            raise IntegrityError(
                f"The clock {self.path} does not hold a time.", remedy="Remove the file and set it again."
            ) from error

    def advance_to(self, moment: datetime) -> None:
        if not self.path.exists() or moment > self.now():
            micros = (moment - _EPOCH) // timedelta(microseconds=1)
            write_atomically(self.path, struct.pack("<q", micros))


def open_clock(path: Path | None = None) -> Clock:
    """The machine's clock, or the shared clock kept in the file at `path`."""
    return FileClock(path) if path else SystemClock()
