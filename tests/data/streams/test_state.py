"""What the process that lands a stream says of itself."""

import os
from pathlib import Path

from heptad.data.streams.records import Landed
from heptad.data.streams.state import Delays, read_state, state_of, write_state


def test_what_is_said_is_read(tmp_path: Path) -> None:
    """Before anybody said anything, and where it cannot be read, there is nothing."""
    assert read_state(tmp_path) is None
    state = state_of(Landed(rows=3, poison=1), [Delays().told("shop", "why")])
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert (state.pid, state.rows, state.online[0].problem) == (os.getpid(), 3, "why")
    (tmp_path / "_landing.json").write_text("{")
    assert read_state(tmp_path) is None


def test_freshness_is_that_of_the_newest_rows() -> None:
    """Half of them were quicker, and one in a hundred slower."""
    delays = Delays()
    assert delays.told("shop", "").delay_p50 is None
    delays.add(5, [9.0] * 5)
    delays.add(10_000, [one / 10_000 for one in range(10_000)])
    told = delays.told("shop", "")
    assert (told.rows, told.delay_p50, told.delay_p99) == (10_005, 0.5, 0.99)
