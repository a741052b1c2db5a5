"""The wire format of protocol buffers, as far as event files need it: fields by number, there and back.

Written here as event files use a dozen messages, all of them frozen for years: the library with classes made for them
(`tensorboard`) would bring gRPC, a server and 50 MB. The tests hold it against the real classes.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES: Final = {FIXED64: 8, FIXED32: 4}

Value = int | bytes
"""A field as it stands: a number for varints, the bytes for all others."""


class WireError(ValueError):
    """Bytes that are no message."""


class Message:
    """The fields of a message by number, each with its wire type; of one that is not repeated the last counts.

    Raises `WireError` where the bytes do not read, and where a field is not of the type that is asked for.
    """

    def __init__(self, data: bytes = b"") -> None:
        self._fields: dict[int, list[tuple[int, Value]]] = {}
        for number, kind, value in _fields(data):
            self._fields.setdefault(number, []).append((kind, value))

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def blocks(self, number: int) -> list[bytes]:
        """A repeated field of bytes, texts or messages."""
        return [_block(kind, value) for kind, value in self._fields.get(number, ())]

    def block(self, number: int) -> bytes:
        return self.blocks(number)[-1] if number in self._fields else b""

    def messages(self, number: int) -> "list[Message]":
        return [Message(one) for one in self.blocks(number)]

    def message(self, number: int) -> "Message":
        """Empty where there is none."""
        return Message(self.block(number))

    def text(self, number: int) -> str:
        """What is not UTF-8 is marked, and NUL is left out, as no store keeps it."""
        return readable(self.block(number))

    def whole(self, number: int) -> int:
        return ([0, *self.wholes(number)])[-1]

    def wholes(self, number: int) -> list[int]:
        """A repeated field of varints, packed or not, as signed numbers of 64 bits."""
        found: list[int] = []
        for kind, value in self._fields.get(number, ()):
            if kind == VARINT and isinstance(value, int):
                found.append(_signed(value))
                continue
            data, place = _block(kind, value), 0
            while place < len(data):
                one, place = _varint(data, place)
                found.append(_signed(one))
        return found

    def floating(self, number: int) -> float:
        return ([0.0, *self.floats(number)])[-1]

    def floats(self, number: int) -> list[float]:
        """A repeated field of floats of 64 bits, packed or not; those of 32 bits only where they are not packed."""
        return [one for kind, value in self._fields.get(number, ()) for one in _floats(kind, value, FIXED64)]

    def singles(self, number: int) -> list[float]:
        """A repeated field of floats of 32 bits, packed or not."""
        return [one for kind, value in self._fields.get(number, ()) for one in _floats(kind, value, FIXED32)]


def readable(data: bytes) -> str:
    """Text; what is not UTF-8 is marked, and NUL is left out, as no store keeps it."""
    return data.decode(errors="replace").replace("\0", "")


def _fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """Number, wire type and value of each field in its order."""
    place, end = 0, len(data)
    while place < end:
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _varint(data, place)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, place = _varint(data, place)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise WireError(f"byte {place} begins no field")
        if place + size > end:
            raise WireError(f"field {number} is cut off")
        yield number, kind, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise WireError(f"there is no number at byte {place}")
        byte = data[place]
        place += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found & 0xFFFFFFFFFFFFFFFF, place
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _block(kind: int, value: Value) -> bytes:
    if kind != BYTES or not isinstance(value, bytes):
        raise WireError("a number stands where bytes were expected")
    return value


def _floats(kind: int, value: Value, packed: int) -> Sequence[float]:
    if not isinstance(value, bytes):
        raise WireError("a whole number stands where one with a fraction was expected")
    size = _SIZES[packed if kind == BYTES else kind]
    if len(value) % size:
        raise WireError("numbers of another size")
    return struct.unpack(f"<{len(value) // size}{'f' if size == 4 else 'd'}", value)


def varint(value: int) -> bytes:
    """A number as a varint; negative ones as 64 bits in two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def whole(number: int, value: int) -> bytes:
    """A field that holds a whole number."""
    return varint(number << 3 | VARINT) + varint(value)


def double(number: int, value: float) -> bytes:
    """A field that holds a float of 64 bits."""
    return varint(number << 3 | FIXED64) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """A field that holds a float of 32 bits."""
    return varint(number << 3 | FIXED32) + struct.pack("<f", value)


def block(number: int, value: bytes | str) -> bytes:
    """A field that holds bytes, text or another message."""
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def doubles(number: int, values: Sequence[float]) -> bytes:
    """A packed field of floats of 64 bits."""
    return block(number, struct.pack(f"<{len(values)}d", *values))
