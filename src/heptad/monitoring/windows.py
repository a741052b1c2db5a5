"""Windows of time: which one a moment falls into, and which of them are over."""

from datetime import UTC, datetime, timedelta

import msgspec

from heptad.core.errors import InputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Window(msgspec.Struct, frozen=True, order=True):
    """The moments from `start` up to, and without, `end`; both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InputError(
                f"The window from {self.start} to {self.end} names no time zone.",
                allowed="aware times, for example 2013-04-01T00:00:00Z",
            )
        if self.start >= self.end:
            raise InputError(
                f"The window from {self.start.isoformat()} to {self.end.isoformat()} is empty.",
                allowed="a start before the end",
            )

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def contains(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def before(self) -> "Window":
        """The window of the same length that ends where this one starts."""
        return Window(self.start - self.length, self.start)


def window_of(moment: datetime, length: timedelta, origin: datetime = EPOCH) -> Window:
    """The window that `moment` falls into, of the grid with steps of `length` through `origin`.

    The grid reaches in both directions without end. With the default origin all who use the same
    length agree on the windows; weeks then begin on Thursdays, as 1970 did.
    """
    start = origin + _steps(moment, length, origin) * length
    return Window(start, start + length)


def closed_windows(first: datetime, now: datetime, length: timedelta, origin: datetime = EPOCH) -> list[Window]:
    """Windows of the grid that are over at `now`, in order, from the one that `first` falls into.

    A window is over once `now` has reached its end, so it will not see another row.
    """
    begin = _steps(first, length, origin)
    end = _steps(now, length, origin)
    return [Window(origin + step * length, origin + (step + 1) * length) for step in range(begin, end)]


def _steps(moment: datetime, length: timedelta, origin: datetime) -> int:
    """How many whole windows lie between `origin` and the window of `moment`; negative before `origin`."""
    if length <= timedelta():
        raise InputError(f"A window cannot be {length} long.", allowed="a duration above zero, for example 7d")
    if moment.tzinfo is None:
        raise InputError(f"The time {moment} names no zone.", allowed="an aware time, such as 2013-04-01T00:00:00Z")
    return (moment - origin) // length
