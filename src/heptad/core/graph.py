"""Typed records on top of the store: save what a step made with what it was made from, load it back."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from heptad.core.errors import InputError, NotFoundError
from heptad.core.identity import current_actor
from heptad.core.query import Query
from heptad.core.records import (
    AliasMove,
    AliasRef,
    Attribute,
    Body,
    Change,
    Id,
    Link,
    NewEvent,
    RawRecord,
    Record,
    Ref,
    Scalar,
    derived_id,
    new_id,
)
from heptad.core.shown import Rows
from heptad.core.workspace import Workspace

T = TypeVar("T", bound=Body)
_PAGE = 500


def save(
    workspace: Workspace,
    body: T,
    *,
    scope: str,
    key: Sequence[Any] = (),
    made_from: Sequence[tuple[str, Id]] = (),
    attributes: Mapping[str, Scalar] | None = None,
    aliases: Sequence[AliasMove] = (),
    event: str = "",
    event_body: Mapping[str, Any] | None = None,
) -> Record[T]:
    """Write one outcome with its links, attributes and event in one transaction.

    With a `key` the id is derived from it: saving again answers the record that is there. In `aliases`,
    the target `"@"` stands for the new record. Raises `InputError` where the body is not of its own type.
    """
    identity = derived_id(body.prefix, scope, *key) if key else new_id(body.prefix)
    now, actor = workspace.clock.now(), current_actor()
    record: RawRecord = Record(
        id=identity,
        kind=body.kind,
        scope=scope,
        at=now,
        actor=actor,
        body=msgspec.to_builtins(body, str_keys=True),
    )
    _check_readable(record, type(body))
    workspace.store.write(
        Change(
            records=[record],
            links=[Link(identity, role, target) for role, target in made_from],
            attributes=[Attribute(identity, name, value) for name, value in (attributes or {}).items()],
            aliases=[
                msgspec.structs.replace(move, target=identity) if move.target == "@" else move for move in aliases
            ],
            events=[NewEvent(kind=event, subject=identity, body=event_body or {})] if event else [],
            key=f"save:{identity}" if key else "",
            at=now,
            actor=actor,
        )
    )
    return load(workspace, identity, type(body))


def _check_readable(record: RawRecord, kind: type[T]) -> None:
    """A body that nobody could read back is refused: every later listing of its kind would end with it."""
    try:
        typed(record, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"A {record.kind} cannot be recorded: {error}.") from error


def load(workspace: Workspace, ref: Ref, kind: type[T]) -> Record[T]:
    """The record with its typed body; raises `NotFoundError`, also where the record is of another kind."""
    (record,) = workspace.store.get([ref])
    return _of_kind(record, kind)


def _of_kind(record: RawRecord, kind: type[T]) -> Record[T]:
    if record.kind != kind.kind:
        raise NotFoundError(kind.kind, record.id, remedy=f"{record.id} is a {record.kind}.")
    return typed(record, kind)


def find_alias(workspace: Workspace, scope: str, name: str, kind: type[T]) -> Record[T] | None:
    """The record an alias points at, or `None` where the alias does not exist."""
    try:
        (record,) = workspace.store.get([AliasRef(scope, name)])
    except NotFoundError:
        return None
    return _of_kind(record, kind)


def find(workspace: Workspace, kind: type[T], query: Query, limit: int = 1000) -> list[Record[T]]:
    """The first `limit` records of a query, typed."""
    return Rows(typed(record, kind) for record in workspace.store.find(query, limit=limit).items)


def every(workspace: Workspace, kind: type[T]) -> Iterator[Record[T]]:
    """All records of a kind, typed, newest first, however many there are."""
    return (typed(record, kind) for record in every_record(workspace, kind.kind))


def every_record(workspace: Workspace, kind: str = "") -> Iterator[RawRecord]:
    """All records of a kind, or of all kinds, as they are stored, newest first."""
    query, after = Query(kind=kind), None
    while True:
        page = workspace.store.find(query, after, _PAGE)
        yield from page.items
        after = page.after
        if after is None:
            return


def set_attributes(workspace: Workspace, record: Id, values: Mapping[str, Scalar], event: str = "") -> None:
    """Change what is true of a record now, with an event that says so."""
    # JSON has no NaN and no infinity; the attribute keeps them, the event says their names.
    told = {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }
    workspace.store.write(
        Change(
            attributes=[Attribute(record, key, value) for key, value in values.items()],
            events=[NewEvent(kind=event or "core.attributes_changed", subject=record, body=told)],
            at=workspace.clock.now(),
            actor=current_actor(),
        )
    )


def typed(record: RawRecord, kind: type[T]) -> Record[T]:
    """The same record with its body as `kind`."""
    return cast("Record[T]", msgspec.structs.replace(record, body=msgspec.convert(record.body, kind)))
