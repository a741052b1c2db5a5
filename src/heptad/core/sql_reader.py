"""Reads records and events back, inside a reading transaction."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from heptad.core.errors import IntegrityError, NotFoundError
from heptad.core.records import AliasRef, Event, Id, Position, RawRecord, Record, Ref, Scalar, canonical_json
from heptad.core.sql_transaction import Row, Transaction
from heptad.core.sql_values import body_of, from_columns, moment

_BACKUP = "Compare the store with the newest backup, and restore that: heptad restore."
_RECORDS = (
    "SELECT record.seq, record.id, kind, scope, at, actor, body "
    "FROM record JOIN family ON family.id = record.family WHERE record."
)
_VALUES = "SELECT record, key, num, txt, raw FROM attribute WHERE record IN ??"


def resolve(transaction: Transaction, refs: Sequence[Ref]) -> list[Id]:
    """The ids that refs name; raises `NotFoundError` for an alias that does not exist."""
    return [_target(transaction, ref) if isinstance(ref, AliasRef) else ref for ref in refs]


def _target(transaction: Transaction, ref: AliasRef) -> Id:
    known = transaction.rows(
        "SELECT name, target FROM alias WHERE scope = ? AND target IS NOT NULL AND expires IS NULL", ref.scope
    )
    for name, target in known:
        if name == ref.name:
            return str(target)
    raise NotFoundError(f"alias in {ref.scope}", ref.name, [name for name, _ in known])


def records_of(transaction: Transaction, ids: Sequence[Id], keys: Sequence[str] | None, below: str) -> list[RawRecord]:
    """Records in the order asked, with the attributes that `_attributes` chooses; raises `NotFoundError`."""
    rows = {row[1]: row for row in transaction.rows(f"{_RECORDS}id IN ??", list(dict.fromkeys(ids)))}
    for one in ids:
        if one not in rows:
            raise NotFoundError("record", one)
    return _records(transaction, [rows[one] for one in ids], keys, below)


def records_at(transaction: Transaction, seqs: Sequence[int], keys: Sequence[str] | None) -> list[RawRecord]:
    """Records by number, in that order, with the attributes under some keys (`None`: all)."""
    rows = {row[0]: row for row in transaction.rows(f"{_RECORDS}seq IN ??", list(seqs))}
    return _records(transaction, [rows[seq] for seq in seqs], keys, "")


def _records(transaction: Transaction, rows: Sequence[Row], keys: Sequence[str] | None, below: str) -> list[RawRecord]:
    if not rows:
        return []
    attributes: dict[int, dict[str, Scalar]] = {row[0]: {} for row in rows}
    aliases: dict[Id, dict[str, int]] = {row[1]: {} for row in rows}
    for seq, key, num, txt, raw in _attributes(transaction, list(attributes), keys, below):
        attributes[seq][key] = from_columns(num, txt, raw)
    pointing = "SELECT target, name, version FROM alias WHERE target IN ?? AND expires IS NULL"
    for target, name, version in transaction.rows(pointing, list(aliases)):
        aliases[target][name] = version
    return [_record(row, attributes[row[0]], aliases[row[1]]) for row in rows]


def _attributes(transaction: Transaction, seqs: list[int], keys: Sequence[str] | None, below: str) -> list[Row]:
    """Those under some keys (`None`: all), and those whose key begins with `below`: one range of the index."""
    if keys is None:
        return transaction.rows(f"{_VALUES} ORDER BY record, key", seqs)
    found = transaction.rows(f"{_VALUES} AND key IN ?? ORDER BY record, key", seqs, list(keys)) if keys else []
    if below:
        found += transaction.rows(f"{_VALUES} AND key >= ? AND key < ? ORDER BY key", seqs, below, f"{below}\U0010ffff")
    return found


def _record(row: Row, attributes: Mapping[str, Scalar], aliases: Mapping[str, int]) -> RawRecord:
    _, identity, kind, scope, at, actor, body = row
    try:
        decoded = body_of(body)
    except msgspec.DecodeError as error:
        raise IntegrityError(f"The body of {identity} is damaged: {error}.", remedy=_BACKUP) from error
    return Record(
        id=identity,
        kind=kind,
        scope=scope,
        at=moment(at),
        actor=actor,
        body=decoded,
        attributes=attributes,
        aliases=aliases,
    )


def events_behind(transaction: Transaction, after: Position | str, kinds: Collection[str], limit: int) -> list[Event]:
    """Events behind a position or a named cursor; raises `IntegrityError` for one that cannot be what was written."""
    position: int = after if isinstance(after, int) else _cursor(transaction, after)
    chosen, values = (" AND kind IN ??", [sorted(kinds)]) if kinds else ("", [])
    # The tail has the digest of the newest event, which no later event vouches for.
    rows = transaction.rows(
        "SELECT event.position, at, kind, subject, actor, body, event.digest, coalesce(tail.digest, event.digest) "  # noqa: S608 - fixed words only
        "FROM event LEFT JOIN tail ON tail.position = event.position "
        f"WHERE event.position > ?{chosen} ORDER BY event.position LIMIT ?",
        position,
        *values,
        limit,
    )
    return [_event(row) for row in rows]


def _cursor(transaction: Transaction, name: str) -> Position:
    return transaction.value("SELECT position FROM cursor WHERE name = ?", name) or 0


def _event(row: Row) -> Event:
    position, at, kind, subject, actor, text, digest, known_digest = row
    try:
        body, when = body_of(text), moment(at)
    except (msgspec.DecodeError, TypeError, OverflowError) as error:
        raise _altered(position) from error
    # Another spelling of the same data would pass the check of the chain, which reads the data.
    if canonical_json(body).decode() != text or digest != known_digest:
        raise _altered(position)
    return Event(position=position, at=when, kind=kind, subject=subject, actor=actor, body=body, digest=digest)


def _altered(position: Position) -> IntegrityError:
    return IntegrityError(f"The event at position {position} is not what was written.", remedy=_BACKUP)
