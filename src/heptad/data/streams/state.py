"""What the process that lands a stream says of itself, in a file beside the table, for everybody who asks."""

import os
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from heptad.core.files import write_atomically
from heptad.data.streams.records import Landed, LandingState, ViewOnline

STATE = "_landing.json"
"""Names that begin like this are no part of a Delta table."""
KEPT_DELAYS = 10_000
"""Freshness is told of so many rows, the newest."""


class Delays:
    """The newest delays of one view."""

    def __init__(self) -> None:
        self._kept: deque[float] = deque(maxlen=KEPT_DELAYS)
        self._rows, self._left_out = 0, 0

    def add(self, rows: int, delays: Iterable[float], left_out: int = 0) -> None:
        self._rows += rows
        self._left_out += left_out
        self._kept.extend(delays)

    def told(self, view: str, problem: str) -> ViewOnline:
        ordered = sorted(self._kept)
        return ViewOnline(
            view=view,
            rows=self._rows,
            left_out=self._left_out,
            delay_p50=ordered[len(ordered) // 2] if ordered else None,
            delay_p99=ordered[len(ordered) * 99 // 100] if ordered else None,
            problem=problem,
        )


def state_of(landed: Landed, online: Iterable[ViewOnline]) -> LandingState:
    """What this process says of itself now."""
    return LandingState(
        rows=landed.rows,
        poison=landed.poison,
        repeated=landed.repeated,
        pid=os.getpid(),
        at=datetime.now(UTC),
        online=list(online),
    )


def write_state(folder: Path, state: LandingState) -> None:
    """Say it beside the table in `folder`."""
    write_atomically(folder / STATE, msgspec.json.encode(state))


def read_state(folder: Path) -> LandingState | None:
    """What was said last; `None` where nobody ever did, or what is there cannot be read."""
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=LandingState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
