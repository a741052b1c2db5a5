"""The contract of the store: records, links, attributes, aliases, events, metric series."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from heptad.core.query import Cursor, Page, Query
from heptad.core.records import AT_END, Change, Event, Id, Link, Position, RawRecord, Ref, Segment

__all__ = ["AT_END", "Direction", "Segment", "Store", "at_seconds"]

Direction: TypeAlias = Literal["ancestors", "descendants", "out", "in"]
"""`ancestors` follows links from source to target as far as they go, `out` one step; the other two go back."""


class Store(Protocol):
    """Where the graph is kept. Safe to use from many threads and many processes at once.

    Promised: `write` is atomic, and durable when it returns: it survives `kill -9` and power cuts.
    Writes are serialised; every reader sees whole changes, in the order of their positions. `append` is
    durable against `kill -9` when it returns and against a power cut within 100 ms.
    Not promised: that a read sees a write of another process before that write has returned.

    Errors: `NotFoundError` for an unknown id, `ConflictError` for an alias or attribute that is not as expected or a
    lease that is held, `InputError` for a record whose id exists, a link to nowhere, or a value that cannot be stored,
    `UnavailableError` (retryable) where the database does not answer, `WorkspaceError` where it cannot be written.
    """

    def write(self, change: Change) -> Position:
        """Apply the change; answers the position of its last event (or of the newest event, where it has none)."""
        ...

    def get(self, refs: Sequence[Ref], attributes: Sequence[str] | None = None, below: str = "") -> list[RawRecord]:
        """Records with aliases and the attributes that are named (`None`: all), in the order asked; all must exist.

        With `below`, also the attributes whose key begins so, for example `artifacts.plots/`.
        """
        ...

    def find(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page[RawRecord]:
        """One page; equal queries with the cursor of the last page go on behind it (keyset paging)."""
        ...

    def trace(self, ids: Sequence[Id], direction: Direction, roles: Collection[str] = ()) -> list[Link]:
        """The links met on the way, nearest first, each once; `roles` limits which are followed."""
        ...

    def append(self, segments: Sequence[Segment]) -> None:
        """Add points; those that are there already are ignored; `InputError` where points before them are missing.

        With `first` at `AT_END` they are added behind the last one, whoever else appends at the same time.
        """
        ...

    def read(self, record: Id, key: str, start: int = 0, end: int | None = None, points: int = 0) -> Segment:
        """Points of a series by index, `start` to before `end`; thinned evenly to `points` where that is not 0."""
        ...

    def follow(self, after: Position | str, kinds: Collection[str] = (), limit: int = 1000) -> list[Event]:
        """Events behind a position, or behind the durable cursor of that name, oldest first."""
        ...


def at_seconds(moment: datetime) -> float:
    """Seconds since 1970 of an aware moment, as segments carry them."""
    return moment.timestamp()
