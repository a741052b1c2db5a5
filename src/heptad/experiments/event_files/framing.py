"""How records follow each other in an event file (TFRecord of TensorFlow): length, its sum, the record, its sum."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from heptad.core.errors import IntegrityError
from heptad.experiments.event_files.crc32c import masked

_LENGTH: Final = struct.Struct("<Q")
_SUM: Final = struct.Struct("<I")
_HEAD: Final = _LENGTH.size + _SUM.size
LONGEST: Final = 1 << 30
"""Bytes of a record at most; a sum that holds by chance must not make a reader ask for all memory."""


def framed(record: bytes) -> bytes:
    """The record as it stands in a file."""
    length = _LENGTH.pack(len(record))
    return b"".join((length, _SUM.pack(masked(length)), record, _SUM.pack(masked(record))))


def records_of(path: Path) -> Iterator[bytes]:
    """The records of a file in their order, one in memory at a time.

    A last record that is cut off, as where the program was killed or goes on writing, is left out. Raises
    `IntegrityError` naming the place where a sum does not hold.
    """
    with path.open("rb") as file:
        place = 0
        while (record := _next(file, path, place)) is not None:
            yield record
            place = file.tell()


def _next(file: BinaryIO, path: Path, place: int) -> bytes | None:
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        return None
    length = _LENGTH.unpack_from(head)[0]
    if _SUM.unpack_from(head, _LENGTH.size)[0] != masked(head[: _LENGTH.size]) or length > LONGEST:
        # Whole blocks of zeros at the end are what a file system leaves of a file that was growing at a power cut.
        if not any(head) and _is_empty(file):
            return None
        raise _damaged(path, place, "length")
    record = file.read(length)
    tail = file.read(_SUM.size)
    if len(record) < length or len(tail) < _SUM.size:
        return None
    if _SUM.unpack(tail)[0] != masked(record):
        raise _damaged(path, place, "content")
    return record


def _is_empty(file: BinaryIO) -> bool:
    return not any(any(part) for part in iter(lambda: file.read(1 << 16), b""))


def _damaged(path: Path, place: int, what: str) -> IntegrityError:
    return IntegrityError(
        f"{path} is damaged: the sum over the {what} of the record at byte {place:,} does not hold.",
        remedy="copy the file again from where it was written; what stands before that byte is whole",
    )
