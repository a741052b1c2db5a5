"""The event log as a hash chain, and subscribers who read it at least once and in order."""

from collections.abc import Collection, Iterator
from datetime import UTC

from heptad.core.errors import IntegrityError
from heptad.core.records import Change, Event, Position, canonical_json, digest_of
from heptad.core.store import Store

BATCH = 1000
CHAIN_START = ""
"""What stands for the digest before the first event."""


def chain_digest(previous: str, event: Event) -> str:
    """BLAKE3 of the digest before an event and of all that the event says; its own `digest` is not read."""
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    head = [previous, event.position, at, event.kind, event.subject, event.actor]
    return digest_of(canonical_json(head) + b"\n" + canonical_json(event.body))


def verify(store: Store) -> int:
    """Walk the whole chain; answers how many events it holds.

    Raises `IntegrityError` with the first position that is altered, missing, or out of place. A log that was
    cut off at its end is found too, since the store keeps the number of its events, and the digest of the newest,
    apart from them. Others may go on writing meanwhile.
    """
    newest = store.write(Change())
    position, digest = 0, CHAIN_START
    for event in walk(store):
        if event.position != position + 1:
            raise IntegrityError(
                f"The event at position {position + 1} is missing: position {event.position} follows {position}.",
                remedy=_REMEDY,
            )
        if chain_digest(digest, event) != event.digest:
            raise IntegrityError(
                f"The event at position {event.position} ({event.kind}, {event.at.isoformat()}) is not what was "
                "written, or the one before it was replaced.",
                remedy=_REMEDY,
            )
        position, digest = event.position, event.digest
    if position < newest:
        raise IntegrityError(
            f"The log ends at position {position}, but {newest} events were written: the last ones are missing.",
            remedy=_REMEDY,
        )
    return position


_REMEDY = "Somebody or something changed the store's file; compare it with the newest backup."


def walk(store: Store, after: Position = 0, kinds: Collection[str] = ()) -> Iterator[Event]:
    """Every event behind a position, fetched in batches; raises `IntegrityError` at one that cannot be read."""
    size = BATCH
    while True:
        try:
            batch = store.follow(after, kinds, size)
        except IntegrityError as error:
            if size == 1:
                raise IntegrityError(
                    f"The event that follows position {after} cannot be read. {error.problem}", remedy=_REMEDY
                ) from error
            # One by one, so that those before it are told first.
            size = 1
            continue
        if not batch:
            return
        yield from batch
        after = batch[-1].position


class Subscriber:
    """Reads events under a name; its place in the log is durable.

    At least once: an event is given again until a change moved the cursor past it. Exactly once for what is in
    the store: put `cursor_after(event)` into the very change that holds the outcome.
    """

    def __init__(self, store: Store, name: str, kinds: Collection[str] = ()) -> None:
        self.name = name
        self._store = store
        self._kinds = tuple(kinds)

    def pending(self, limit: int = BATCH) -> list[Event]:
        """The oldest events that were not acknowledged yet."""
        return self._store.follow(self.name, self._kinds, limit)

    def cursor_after(self, event: Event) -> dict[str, Position]:
        """For `Change.cursors`: everything up to this event is done."""
        return {self.name: event.position}
