"""Applies one change inside a writing transaction: checks, rows, and the chain of events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from heptad.core import sql_segments
from heptad.core.errors import ConflictError, InputError, NotFoundError, WorkspaceError
from heptad.core.events import chain_digest
from heptad.core.identity import current_actor
from heptad.core.records import AliasMove, Attribute, Change, Event, Id, NewEvent, Position, RawRecord
from heptad.core.sql_transaction import Row, Transaction
from heptad.core.sql_values import MICROSECOND, Columns, body_text, micros, name, text, to_columns

MANY = 1000
"""Records from which on plans need statistics; they are renewed each time the number has doubled."""


class RecordRow(NamedTuple):
    """A new record, checked and encoded."""

    id: Id
    kind: str
    scope: str
    at: int
    actor: str
    body: str
    attributes: list[tuple[str, float | None, str | None, str | None]]


class Rows(NamedTuple):
    """A change as rows, checked and encoded before the transaction begins, so that it is short."""

    records: list[RecordRow]
    attributes: dict[tuple[Id, str], Columns | None]
    expected: dict[tuple[Id, str], Columns | None]
    events: list[tuple[Event, str]]


class Place(NamedTuple):
    """Where a record is: its number, and its kind and scope as one number."""

    seq: int
    family: int


class Tail(NamedTuple):
    """The newest record and event."""

    seq: int
    position: Position
    digest: str


def encode(change: Change) -> Rows:
    """Check every value of a change and turn it into rows; raises `InputError`."""
    sql_segments.check(change.segments)
    attributes, expected = _columns(change.attributes), _columns(change.expected)
    keys = {key for _, key in attributes}.union(*(record.attributes for record in change.records))
    for key in keys:
        name(key, "attribute key")
    at, actor = change.at or datetime.now(UTC), name(change.actor or current_actor(), "actor")
    events = [_event(new, at, actor) for new in change.events]
    return Rows([_record_row(record) for record in change.records], attributes, expected, events)


def _columns(attributes: Sequence[Attribute]) -> dict[tuple[Id, str], Columns | None]:
    return {(one.record, one.key): None if one.value is None else to_columns(one.key, one.value) for one in attributes}


def _event(new: NewEvent, at: datetime, actor: str) -> tuple[Event, str]:
    """An event without its place in the chain, and its body as text."""
    kind, subject = name(new.kind, "kind of an event"), name(new.subject, "subject of an event")
    micros(at)
    event = Event(position=0, at=at, kind=kind, subject=subject, actor=actor, body=new.body, digest="")
    return event, body_text(new.body, f"the event {kind}", canonical=True)


def _record_row(record: RawRecord) -> RecordRow:
    if record.aliases:
        raise InputError(f"The new record {record.id} carries aliases.", remedy="Give them as AliasMove.")
    return RecordRow(
        id=name(record.id, "id"),
        kind=name(record.kind, "kind"),
        scope=name(record.scope, "scope"),
        at=micros(record.at),
        actor=name(record.actor, "actor"),
        body=body_text(record.body, record.id),
        attributes=[(key, *to_columns(key, value)) for key, value in record.attributes.items() if value is not None],
    )


def apply(transaction: Transaction, change: Change, rows: Rows, clock: Callable[[Transaction], int]) -> Position:
    """Write the rows; `clock` tells the time by which leases expire. Raises as `Store.write` does."""
    tail = lock_tail(transaction)
    if change.key:
        known: int | None = transaction.value("SELECT position FROM applied WHERE key = ?", change.key)
        if known is not None:
            return known
    places = _places(transaction, change, rows)
    _check_expected(transaction, rows, places)
    seq = _write_records(transaction, rows.records, places, tail.seq)
    _write_links(transaction, change, places)
    _write_attributes(transaction, rows, places)
    sql_segments.add(transaction, change.segments, {record: place.seq for record, place in places.items()})
    if change.aliases:
        # Asked now: others may have written for a while before it was our turn.
        now = clock(transaction)
        for move in change.aliases:
            _move_alias(transaction, move, now)
    transaction.run_many(
        "INSERT INTO cursor (name, position) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET position = excluded.position",
        [(name(one, "cursor"), position) for one, position in change.cursors.items()],
    )
    position, digest = _write_events(transaction, rows.events, tail)
    if transaction.kind == "postgresql" and seq.bit_length() > max(tail.seq.bit_length(), MANY.bit_length()):
        # Without statistics its planner takes seconds; the server itself looks only once a minute.
        transaction.run("ANALYZE family, record, attribute, link")
    if (seq, position) != (tail.seq, tail.position):
        transaction.run("UPDATE tail SET seq = ?, position = ?, digest = ? WHERE id = 1", seq, position, digest)
    if change.key:
        key = name(change.key, "key of the change")
        transaction.run("INSERT INTO applied (key, position) VALUES (?, ?)", key, position)
    return position


def lock_tail(transaction: Transaction) -> Tail:
    """The newest record and event; nobody else can write until this transaction ends.

    On PostgreSQL writers wait here for each other. Raises `WorkspaceError` where the store was moved.
    """
    found = transaction.rows("SELECT seq, position, digest FROM tail WHERE id = 1 FOR UPDATE")
    if not found:
        where = transaction.value("SELECT value FROM meta WHERE key = 'moved'")
        raise WorkspaceError(f"This store was moved to {where}: it can be read only.", remedy="Use the new place.")
    return Tail(*found[0])


def stop_writers(transaction: Transaction) -> None:
    """Let nobody else write until this transaction ends, however long it stands still meanwhile."""
    if transaction.kind == "postgresql":
        transaction.run("SET LOCAL idle_in_transaction_session_timeout = 0")
    lock_tail(transaction)


def seal(transaction: Transaction, where: str) -> None:
    """Let nobody write to this store any more, and say where it was moved."""
    transaction.run("UPDATE tail SET id = 0 WHERE id = 1")
    transaction.run("INSERT INTO meta (key, value) VALUES ('moved', ?)", where)


def newest(transaction: Transaction) -> Position:
    """The position of the newest event."""
    position: int = transaction.value("SELECT position FROM tail")
    return position


def find_places(transaction: Transaction, ids: Iterable[Id]) -> dict[Id, Place]:
    """Where each record is that exists."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    found = transaction.rows("SELECT id, seq, family FROM record WHERE id IN ??", wanted)
    return {identity: Place(seq, family) for identity, seq, family in found}


def _places(transaction: Transaction, change: Change, rows: Rows) -> dict[Id, Place]:
    """Places of the records that a change touches; refuses a record that exists."""
    new: set[Id] = set()
    for row in rows.records:
        if row.id in new:
            raise InputError(f"The change holds the record {row.id} twice.")
        new.add(row.id)
    others = [record for record, _ in [*rows.attributes, *rows.expected] if record not in new]
    others += [one.record for one in change.segments if one.record not in new]
    others += [end for link in change.links for end in (link.source, link.target) if end not in new]
    others += [
        move.target
        for move in change.aliases
        if move.target is not None and move.lease is None and move.target not in new
    ]
    places = find_places(transaction, [row.id for row in rows.records] + others)
    for one in new & places.keys():
        raise InputError(
            f"There is a record {one} already.", remedy="Records do not change; write attributes beside it."
        )
    for one in others:
        if one not in places:
            raise NotFoundError("record", one)
    return places


def _check_expected(transaction: Transaction, rows: Rows, places: Mapping[Id, Place]) -> None:
    if not rows.expected:
        return
    wanted = {(places[record].seq, key): (record, columns) for (record, key), columns in rows.expected.items()}
    seqs, keys = ({one[part] for one in wanted} for part in (0, 1))
    found = transaction.rows(
        "SELECT record, key, num, txt, raw FROM attribute WHERE record IN ?? AND key IN ??", list(seqs), list(keys)
    )
    known: dict[tuple[int, str], Columns] = {(seq, key): tuple(columns) for seq, key, *columns in found}
    for place, (record, columns) in wanted.items():
        if known.get(place) != columns:
            raise ConflictError(
                f"The attribute {place[1]} of {record} was changed meanwhile.", remedy="Look at it, then decide again."
            )


def _write_records(transaction: Transaction, records: Sequence[RecordRow], places: dict[Id, Place], seq: int) -> int:
    """Number and insert the new records, adding their places; answers the last number."""
    families: dict[tuple[str, str], int] = {}
    inserts: list[Row] = []
    for row in records:
        seq += 1
        group = row.kind, row.scope
        if group not in families:
            families[group] = _family(transaction, *group)
        places[row.id] = Place(seq, families[group])
        inserts.append((seq, row.id, families[group], row.at, row.actor, row.body))
    transaction.run_many("INSERT INTO record (seq, id, family, at, actor, body) VALUES (?, ?, ?, ?, ?, ?)", inserts)
    return seq


def _family(transaction: Transaction, kind: str, scope: str) -> int:
    found: int | None = transaction.value("SELECT id FROM family WHERE kind = ? AND scope = ?", kind, scope)
    if found is None:
        found = int(transaction.value("SELECT coalesce(max(id), 0) + 1 FROM family"))
        transaction.run("INSERT INTO family (id, kind, scope) VALUES (?, ?, ?)", found, kind, scope)
    return found


def _write_links(transaction: Transaction, change: Change, places: Mapping[Id, Place]) -> None:
    transaction.run_many(
        "INSERT INTO link (source, role, target) VALUES (?, ?, ?) ON CONFLICT (source, role, target) DO NOTHING",
        [(places[one.source].seq, name(one.role, "role"), places[one.target].seq) for one in change.links],
    )


def _write_attributes(transaction: Transaction, rows: Rows, places: Mapping[Id, Place]) -> None:
    insert = "INSERT INTO attribute (record, family, key, num, txt, raw) VALUES (?, ?, ?, ?, ?, ?)"
    update = " ON CONFLICT (record, key) DO UPDATE SET num = excluded.num, txt = excluded.txt, raw = excluded.raw"
    changed: list[Row] = []
    removed: list[Row] = []
    for (record, key), columns in rows.attributes.items():
        seq, family = places[record]
        if columns is None:
            removed.append((seq, key))
        else:
            changed.append((seq, family, key, *columns))
    transaction.run_many(
        insert, [place + one for row in rows.records for place in (tuple(places[row.id]),) for one in row.attributes]
    )
    transaction.run_many(insert + update, changed)
    transaction.run_many("DELETE FROM attribute WHERE record = ? AND key = ?", removed)


def _move_alias(transaction: Transaction, move: AliasMove, now: int) -> None:
    scope, alias = name(move.scope, "scope of an alias"), name(move.name, "alias")
    target: str | None
    found = transaction.rows("SELECT target, version, expires FROM alias WHERE scope = ? AND name = ?", scope, alias)
    target, version, expires = found[0] if found else (None, 0, None)
    was_ours = target == move.target
    if expires is not None and expires <= now:
        target = None
    # Version 0 asks that there is none now; there may have been one.
    is_expected = target is None if move.expected == 0 else move.expected in {None, version}
    if not is_expected:
        raise ConflictError(
            f"The alias {alias!r} of {scope} is at version {version} ({target or 'removed'}), not {move.expected}.",
            current=target or "",
            version=version,
            remedy="Look at what it is now, then decide again.",
        )
    is_held = not move.expected and target not in {None, move.target}
    if move.lease is not None and (is_held or (move.renews and not was_ours)):
        raise ConflictError(
            f"{scope} {alias} is held by {target}." if is_held else f"{scope} {alias} was held by another meanwhile.",
            current=target or "",
            version=version,
            remedy="Wait until it is released or expires.",
        )
    transaction.run(
        "INSERT INTO alias (scope, name, target, version, expires) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (scope, name) DO UPDATE "
        "SET target = excluded.target, version = excluded.version, expires = excluded.expires",
        scope,
        alias,
        None if move.target is None else text(move.target, "target of an alias"),
        version + 1,
        None if move.lease is None else now + move.lease // MICROSECOND,
    )


def _write_events(transaction: Transaction, events: Sequence[tuple[Event, str]], tail: Tail) -> tuple[Position, str]:
    """Chain and insert the events; answers the position and digest of the newest."""
    position, digest = tail.position, tail.digest
    rows: list[Row] = []
    for event, body in events:
        position += 1
        digest = chain_digest(digest, msgspec.structs.replace(event, position=position))
        rows.append((position, micros(event.at), event.kind, event.subject, event.actor, body, digest))
    transaction.run_many(
        "INSERT INTO event (position, at, kind, subject, actor, body, digest) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
    )
    return position, digest
