"""The chain of events finds whatever was altered, and says where; subscribers miss nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from heptad.core import events
from heptad.core.errors import IntegrityError
from heptad.core.events import Subscriber, chain_digest, verify, walk
from heptad.core.records import Change, NewEvent
from heptad.core.sql_store import SqlStore, open_store
from heptad.testing.store_contract import NOON, record


@pytest.fixture
def told(store: SqlStore) -> SqlStore:
    """Nine events in three changes."""
    store.write(Change(records=[record("r1")]))
    for part in range(3):
        bodies = [{"part": part, "n": n, "text": "before noon", "score": 1e-07} for n in range(3)]
        told = [NewEvent(kind=f"t.part{part}", subject="r1", body=body) for body in bodies]
        store.write(Change(events=told, at=NOON))
    return store


def alter(store: SqlStore, statement: str) -> None:
    with store.database.writing() as transaction:
        transaction.run(statement)


def test_an_untouched_chain_holds(told: SqlStore) -> None:
    """The answer is the number of events; each digest follows from the event and the digest before."""
    assert verify(told) == 9
    previous = ""
    for event in walk(told):
        assert event.digest == chain_digest(previous, event)
        previous = event.digest


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET at = at + 1 WHERE position = 5",
        "UPDATE event SET kind = 't.part2' WHERE position = 5",
        "UPDATE event SET subject = 'r2' WHERE position = 5",
        "UPDATE event SET actor = 'user:somebody' WHERE position = 5",
        "UPDATE event SET body = replace(body, 'before', 'Before') WHERE position = 5",
        "UPDATE event SET body = replace(body, '1e-7', '1E-7') WHERE position = 5",
        "UPDATE event SET body = replace(body, '}', ' }') WHERE position = 5",
        "UPDATE event SET body = 'no JSON' WHERE position = 5",
        "UPDATE event SET digest = upper(digest) WHERE position = 5",
        "DELETE FROM event WHERE position = 5",
        "UPDATE event SET position = 100 WHERE position = 5",
    ],
)
def test_what_was_altered_is_found_where_it_is(told: SqlStore, statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any column, down to another spelling of the same data, and a row that is missing; in batches of any size."""
    alter(told, statement)
    for batch in (1, 4, 1000):
        monkeypatch.setattr(events, "BATCH", batch)
        with pytest.raises(IntegrityError, match=r"position [45]\b"):
            verify(told)


def test_events_cut_off_at_the_end_are_found(told: SqlStore) -> None:
    """Nothing follows them that could tell, so the store keeps their number."""
    alter(told, "DELETE FROM event WHERE position > 7")
    with pytest.raises(IntegrityError, match="ends at position 7, but 9"):
        verify(told)


def test_an_altered_last_event_is_found(told: SqlStore) -> None:
    """Also where somebody gave it a digest that fits: at once, and by what is written after it."""
    (last,) = told.follow(8)
    (before,) = told.follow(7, limit=1)
    forged = chain_digest(before.digest, last.__class__(**{**asdict(last), "subject": "r2"}))
    alter(told, f"UPDATE event SET subject = 'r2', digest = '{forged}' WHERE position = 9")
    with pytest.raises(IntegrityError, match="position 9"):
        verify(told)
    told.write(Change(events=[NewEvent(kind="t.later", subject="r1")]))
    with pytest.raises(IntegrityError, match="position 10"):
        verify(told)


def test_a_chain_that_grows_while_it_is_walked_holds(told: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever verifies a store in use is not alarmed by what others write meanwhile."""
    follow = type(told).follow

    def busy(self: SqlStore, *arguments: object) -> list[object]:
        found = follow(self, *arguments)
        self.write(Change(events=[NewEvent(kind="t.meanwhile", subject="r1")]))
        return found

    monkeypatch.setattr(type(told), "follow", busy)
    monkeypatch.setattr(events, "walk", lambda store: store.follow(0))
    assert verify(told) == 9


def asdict(event: object) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_one_flipped_byte_in_the_file_is_found(tmp_path: Path) -> None:
    """Each byte of an event's text, whatever it is flipped to, is noticed with its position."""
    store = open_store(f"sqlite:///{tmp_path / 'heptad.db'}")
    marker = "mark-" + "x" * 20
    store.write(
        Change(
            events=[
                NewEvent(kind="t.one", subject="r1"),
                NewEvent(kind="t.two", subject="r1", body={"note": marker}),
                NewEvent(kind="t.three", subject="r1"),
            ]
        )
    )
    store.database.close()
    path = tmp_path / "heptad.db"
    whole = path.read_bytes()
    begin = whole.index(f'{{"note":"{marker}"}}'.encode())
    assert whole.count(marker.encode()) == 1
    for place in range(begin, begin + 10):
        for flip in (0x01, 0x20, 0x80):
            altered = bytearray(whole)
            altered[place] ^= flip
            path.write_bytes(altered)
            broken = open_store(f"sqlite:///{path}")
            with pytest.raises(IntegrityError, match=r"position [12]\b"):
                verify(broken)
            broken.database.close()


def test_events_are_walked_behind_a_position_and_by_kind(told: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches that the caller does not see."""
    monkeypatch.setattr(events, "BATCH", 2)
    assert [event.position for event in walk(told)] == list(range(1, 10))
    assert [event.position for event in walk(told, 4)] == [5, 6, 7, 8, 9]
    assert [event.position for event in walk(told, 4, ["t.part0", "t.part2"])] == [7, 8, 9]


def test_a_subscriber_that_dies_between_reading_and_acting_reads_again(told: SqlStore) -> None:
    """What it did is there once, since its cursor moves in the same change as what it did."""
    code = """
import os, sys
from heptad.core.events import Subscriber
from heptad.core.records import Change
from heptad.core.sql_store import open_store
from heptad.testing.store_contract import record
store = open_store(sys.argv[1])
reader = Subscriber(store, "reader", ["t.part1"])
for event in reader.pending():
    if event.body["n"] == int(sys.argv[2]):
        os._exit(9)
    store.write(Change(records=[record(f"done-{event.position}")], cursors=reader.cursor_after(event)))
"""
    for dies_at in (1, 1, 2, -1):
        done = subprocess.run([sys.executable, "-c", code, told.url, str(dies_at)], check=False)
        assert done.returncode == (9 if dies_at >= 0 else 0)
    assert len(told.get(["done-4", "done-5", "done-6"])) == 3
    assert Subscriber(told, "reader", ["t.part1"]).pending() == []


def test_a_cursor_may_move_alone(told: SqlStore) -> None:
    """Where what it does is outside of the store: at least once."""
    reader = Subscriber(told, "mailer")
    told.write(Change(cursors=reader.cursor_after(reader.pending(4)[-1])))
    assert [event.position for event in reader.pending()] == [5, 6, 7, 8, 9]
