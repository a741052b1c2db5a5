"""How an entity's features are packed into one row of the online store, and found again."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, TypeAlias

import msgspec
from blake3 import blake3

from heptad.data.features.online import MOST_KEY, STAMP

Value: TypeAlias = float | int | bool | str | datetime | None

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NEVER = -(2**63)
"""The event of a row that has none."""

_times, _event = Struct(">QQ"), Struct(">Q")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list).decode
_SIGN = 2**63


def namespace(view: str, behaviour: str) -> bytes:
    """What the keys of a view's rows begin with: other behaviour, other rows."""
    return f"{re.sub('[^A-Za-z0-9_.-]', '_', view)[:80]}@{behaviour[:16]}:".encode()


def tail_space(view: str, behaviour: str) -> bytes:
    """What the keys begin with under which the rows are kept that later features look back to."""
    return namespace(view, behaviour)[:-1] + b"~"


def entity_key(space: bytes, keys: Sequence[Any]) -> bytes:
    """The key of an entity's row; a very long one is replaced by its digest."""
    key = space + _encode(keys)
    return key if len(key) <= MOST_KEY else space + b"\xc1" + blake3(key).digest()


def pack(event: int, known: int, values: Sequence[Value]) -> bytes:
    """A row: when it happened and was known, in microseconds since 1970, which order rows as bytes; then the values."""
    return _times.pack(event + _SIGN, known + _SIGN) + _encode(values)


def times_of(row: bytes) -> tuple[int, int]:
    """When a row happened and was known, in microseconds since 1970."""
    event, known = _times.unpack_from(row)
    return event - _SIGN, known - _SIGN


def happened_at(event: int) -> bytes:
    """What rows of this event, in microseconds since 1970, and of later ones are not lower than, as bytes."""
    return _event.pack(max(event, NEVER) + _SIGN)


def values_of(row: bytes) -> list[Any]:
    return _decode(row[STAMP:])


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(microseconds: int) -> datetime:
    """The moment that is so many microseconds after the beginning of 1970."""
    return EPOCH + microseconds * MICROSECOND
