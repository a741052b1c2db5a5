"""What is told of streams: what became of messages, who lands them, and how fresh features are."""

from datetime import datetime

import msgspec


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of messages."""

    rows: int = 0
    poison: int = 0
    repeated: int = 0
    """Left out, since the broker delivered them again or their id had landed."""

    def __add__(self, other: "Landed") -> "Landed":
        return Landed(
            rows=self.rows + other.rows, poison=self.poison + other.poison, repeated=self.repeated + other.repeated
        )


class ViewOnline(msgspec.Struct, frozen=True, kw_only=True):
    """How one feature view of the stream does: how long after a message was sent its features could be read online."""

    view: str
    rows: int = 0
    """Since the process began."""
    left_out: int = 0
    """Rows without a key, or without a time that can be read."""
    delay_p50: float | None = None
    """Seconds, of the newest rows; `None`: none came."""
    delay_p99: float | None = None
    problem: str = ""
    """Why it stays behind; empty: it does not."""


class LandingState(Landed, frozen=True, kw_only=True):
    """What a process has landed since it began, and how the views of the stream do."""

    pid: int = 0
    at: datetime | None = None
    """When it said so; by the machine's clock."""
    online: list[ViewOnline] = []


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """What has come of one stream."""

    name: str
    where: str
    """Its address without anything secret."""
    rows: int
    poison: int
    positions: dict[int, int]
    """Of each partition, the position that has come last."""
    table: str
    """The folder of the Delta table."""
    always: bool = False
    """Whether `heptad up` lands it."""
    landing: bool = False
    """Whether a process lands it now."""
    last: LandingState | None = None
    """What the process that lands it, or landed it last, said of itself."""
    problem: str = ""
    """Why none lands it: the error that the last process of `heptad up` ended with."""
