"""The shared vocabulary: records, links, attributes, events, and the change that writes them together."""

import base64
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import msgspec
from blake3 import blake3

from heptad.core.shown import Shown

Id: TypeAlias = str
Scalar: TypeAlias = str | float | int | bool | None
Position: TypeAlias = int
"""A place in the event log, counted from 1; 0 is before the first event."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a step knew when a record was born: plain data, never changed afterwards.

    `kind` names the record in the store, `prefix` starts its ids. Fields may be added with a
    default, so that older records still decode; they are not renamed or given another meaning.
    """

    kind: ClassVar[str] = ""
    prefix: ClassVar[str] = ""


B = TypeVar("B")


class Record(Shown, msgspec.Struct, Generic[B], frozen=True, kw_only=True):
    """One frozen entry of the graph. `scope` groups records of a kind (a project, an experiment).

    `attributes` and `aliases` (name to version) are what changed since, as they were when read.
    """

    id: Id
    kind: str
    scope: str
    at: datetime
    actor: str
    body: B
    attributes: Mapping[str, Scalar] = {}
    aliases: Mapping[str, int] = {}


RawRecord: TypeAlias = Record[dict[str, Any]]
"""A record as the store keeps it: its body is plain JSON data."""


class Link(msgspec.Struct, frozen=True, gc=False):
    """`source` was made from, or decided on, `target`; `role` says how (`data`, `parent`, `champion`)."""

    source: Id
    role: str
    target: Id


class Attribute(msgspec.Struct, frozen=True):
    """What is true of a record now: the latest value of a key wins; `None` removes it."""

    record: Id
    key: str
    value: Scalar


AT_END = -1
"""`Segment.first` of points that go behind the last one, wherever that is."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive points of one metric series; `first` is the index of its first point in the series, or `AT_END`."""

    record: Id
    key: str
    first: int
    steps: Sequence[int]
    values: Sequence[float]
    times: Sequence[float]
    """Seconds since 1970, UTC."""


class AliasMove(msgspec.Struct, frozen=True, kw_only=True):
    """Point the alias `name` of `scope` at `target` (`None` removes it).

    `expected` is the version the alias must have (0: must not exist; `None`: any). With `lease`,
    the alias is a lease: `target` names its holder, not a record; it expires after that time of the
    machine's clock; and the move succeeds only where nobody else holds the alias now, or where `expected`
    is its version, which takes it away from its holder. With `renews` it succeeds only for whoever held the
    lease last, expired or not. The version grows by one with each move, also after a removal.
    """

    scope: str
    name: str
    target: Id | None
    expected: int | None = None
    lease: timedelta | None = None
    renews: bool = False


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event to publish: `kind` is `step.what_happened`, `subject` the record it is about."""

    kind: str
    subject: Id
    body: Mapping[str, Any] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A published event: `digest` is the BLAKE3 of its content and of the digest before it."""

    position: Position
    at: datetime
    kind: str
    subject: Id
    actor: str
    body: Mapping[str, Any]
    digest: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction: all of it becomes visible and durable, or none.

    A change with a `key` is applied at most once: writing it again changes nothing and answers the
    position of the first time, so that a resumed job can repeat its last act without asking.
    `cursors` moves durable positions of subscribers together with what they did. `at` and `actor` are
    when, by the clock of the workspace, and who; without them the machine's clock and the actor in force.
    Attributes of the `records` are written too; the same key in `attributes` wins over them. `segments` are added as
    `Store.append` does. `expected` are attributes as they must be before the change (`None`: absent), so that who has
    read, decided and writes is not overtaken. Without `durable`, a power cut may take it back for 100 ms.
    """

    records: Sequence[RawRecord] = ()
    links: Sequence[Link] = ()
    attributes: Sequence[Attribute] = ()
    aliases: Sequence[AliasMove] = ()
    events: Sequence[NewEvent] = ()
    cursors: Mapping[str, Position] = {}
    segments: Sequence[Segment] = ()
    expected: Sequence[Attribute] = ()
    durable: bool = True
    key: str = ""
    at: datetime | None = None
    actor: str = ""


class AliasRef(msgspec.Struct, frozen=True):
    """A record by its alias, for example `AliasRef("model:flights", "champion")`."""

    scope: str
    name: str


Ref: TypeAlias = Id | AliasRef


def digest_of(data: bytes) -> str:
    """The BLAKE3 digest of `data`, 64 hexadecimal digits."""
    return blake3(data).hexdigest()


def canonical_json(value: Any) -> bytes:
    """`value` as JSON with sorted keys: equal values give equal bytes, on every machine."""
    return msgspec.json.encode(value, order="sorted")


def new_id(prefix: str) -> Id:
    """A fresh id, `prefix-` and 16 characters (80 random bits)."""
    return _id(prefix, os.urandom(10))


def derived_id(prefix: str, *parts: Any) -> Id:
    """The id that always belongs to these parts: writing a thing again finds it instead of doubling it."""
    return _id(prefix, blake3(canonical_json(parts)).digest(10))


def _id(prefix: str, raw: bytes) -> Id:
    return f"{prefix}-{base64.b32encode(raw).decode('ascii').lower()}"
