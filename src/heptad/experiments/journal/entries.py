"""The format of a journal: entries one after the other, each with its length and its sum, read up to a torn tail.

A file begins with `MAGIC` and a name of its own, which nothing else has. An entry is `<II`, the length and the
CRC-32 of its payload, and the payload, whose first byte says what it is: a new series (its number, the index of its
first point in this file, its key), points (the time, then number, step and value of each), or an update as MessagePack.
So a file can be read without the one before it, and a point's index in its series is known from the file alone.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain

import msgspec

from heptad.core.records import Id, Scalar
from heptad.experiments.journal.messages import Event, RunBegin

MAGIC = b"heptad-journal-1 "
HEADER = len(MAGIC) + 17
"""Bytes of `MAGIC`, the name of the file, and the end of the line."""
HEAD = struct.Struct("<II")
SERIES, POINTS, UPDATE = b"s", b"p", b"u"
LONGEST = 64 << 20
"""Bytes of an entry at most: what says more is no entry but a damaged length."""
_DEFINITION = struct.Struct("<cIQ")
_TIME = struct.Struct("<cd")
_POINT = struct.Struct("<Iqd")


class Update(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something beside the points of a run: the attributes that changed, files that were logged, its end."""

    at: float
    """Seconds since 1970."""
    actor: str = ""
    attributes: dict[str, Scalar] = {}
    files: dict[str, str] = {}
    """Path to digest; the bytes are beside the journal until they are shipped."""
    links: list[tuple[str, Id]] = []
    event: Event = ""
    ends: bool = False
    begins: RunBegin | None = None
    """The run itself, where it began in the journal: on its way to a server, or while the store was away."""


class Definition(msgspec.Struct, frozen=True):
    """A series that has not been named in this file before; `first` is the index of its next point."""

    number: int
    first: int
    key: str


class Points(msgspec.Struct, frozen=True):
    """What one call logged: numbers of series, steps and values, one after the other."""

    at: float
    numbers: Sequence[int]
    steps: Sequence[int]
    values: Sequence[float]


Entry = Definition | Points | Update
_encode = msgspec.msgpack.Encoder().encode
_update = msgspec.msgpack.Decoder(Update)


def framed(payload: bytes) -> bytes:
    """The payload as an entry."""
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def definition(number: int, first: int, key: str) -> bytes:
    return framed(_DEFINITION.pack(SERIES, number, first) + key.encode())


def points(at: float, values: Sequence[tuple[int, int, float]]) -> bytes:
    """Points of one moment, each as number of the series, step and value."""
    return framed(_packer(len(values))(POINTS, at, *chain.from_iterable(values)))


@lru_cache(maxsize=64)
def _packer(count: int) -> Callable[..., bytes]:
    """Packs so many points at once: a training logs the same number again and again."""
    return struct.Struct("<cd" + "Iqd" * count).pack


def update(entry: Update) -> bytes:
    return framed(UPDATE + _encode(entry))


def whole(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The payloads of `data` from `start` on, each with the place behind it, up to the first that is not whole."""
    while start + HEAD.size <= len(data):
        length, expected = HEAD.unpack_from(data, start)
        end = start + HEAD.size + length
        if not 0 < length <= LONGEST or end > len(data):
            return
        payload = data[start + HEAD.size : end]
        if zlib.crc32(payload) != expected:
            return
        yield end, payload
        start = end


def decoded(payload: bytes) -> Entry:
    """What a whole payload says."""
    kind = payload[:1]
    if kind == POINTS:
        _, at = _TIME.unpack_from(payload)
        numbers, steps, values = zip(*_POINT.iter_unpack(payload[_TIME.size :]), strict=True)
        return Points(at, numbers, steps, values)
    if kind == SERIES:
        _, number, first = _DEFINITION.unpack_from(payload)
        return Definition(number, first, payload[_DEFINITION.size :].decode())
    return _update.decode(payload[1:])


def series_key(name: str, context: Mapping[str, Scalar] | None) -> str:
    """The key of a metric's series in a context.

    >>> series_key("loss", {"subset": "val", "fold": 2})
    'loss[fold=2,subset=val]'
    """
    if not context:
        return name
    return f"{name}[{','.join(f'{key}={context[key]}' for key in sorted(context))}]"
