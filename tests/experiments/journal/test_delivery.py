"""What is delivered is grouped by series, and what may pass is told from what may not."""

from heptad.core.errors import InputError, UnavailableError, WorkspaceError
from heptad.core.store import Segment
from heptad.experiments.journal.delivery import may_pass
from heptad.experiments.journal.entries import Update
from heptad.experiments.journal.memory import MemoryJournal
from heptad.experiments.journal.messages import RunUpdate


class Recording:
    """A target that remembers what it was given."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.updates: list[RunUpdate] = []

    def put(self, files):
        return ["digest" for _ in files]

    def append(self, segments) -> None:
        self.segments += segments

    def begin(self, begin) -> None:
        raise AssertionError(begin)

    def update(self, update) -> None:
        self.updates.append(update)

    def close(self) -> None:
        """Nothing is held."""


def test_only_what_may_pass_is_tried_again():
    """A store that is away, a full disk; not a mistake."""
    assert may_pass(UnavailableError("x"))
    assert may_pass(WorkspaceError("x"))
    assert may_pass(ConnectionError())
    assert not may_pass(InputError("x"))


def test_many_points_are_one_segment_of_each_series():
    """And the end carries the latest values, so that a short run is two calls."""
    target = Recording()
    one = MemoryJournal("run-a", lambda: target)
    for value in range(100):
        one.add_points({"a": float(value), "b": 1.0}, None, 0.0)
    one.add(Update(at=1.0, attributes={"status": "finished"}, ends=True))
    one.advance(2.0, last=True)
    assert [(segment.key, len(segment.values)) for segment in target.segments] == [("a", 100), ("b", 100)]
    (update,) = target.updates
    assert update.attributes["metrics.a"] == 99.0
    assert one.ended
