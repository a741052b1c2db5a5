"""A package's container: an uncompressed zip with exactly one way to write it, read without trusting a byte of it.

Any zip program opens such a file. Reading goes the other way round from a zip program: member after member from the
front, each held to the table of what a package may contain before its bytes are touched, and at the end the members
are written again and must give the same bytes. So two files with equal members are equal, and a file with anything
else in it (another name, a second directory, a tail, a changed flag) is no package.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping

from heptad.core.errors import IntegrityError

MIB = 1 << 20
LIMITS: Mapping[str, int] = {
    "manifest.json": MIB,
    "manifest.sig": 96,
    "model.onnx": 1024 * MIB,
    "signature.json": 16 * MIB,
    "golden.json": 16 * MIB,
    "cleaning.json": 64 * MIB,
    "background.json": 16 * MIB,
    "profile.json": 64 * MIB,
    "environment.json": MIB,
    "lineage.json": MIB,
    "card.md": MIB,
}
"""Every member of a package, in the order of the file, with the most bytes it may have."""

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION, _STORED, _DATE, _UNIX, _FILE_MODE = 20, 0, (1 << 5) | 1, 3, 0o100644
"""Zip 2.0, no compression, 1 January 1980, and an ordinary file that all may read."""


def write_archive(members: Mapping[str, bytes]) -> bytes:
    """The one file that holds these members; every name of `LIMITS` must be there and no other."""
    return b"".join(_pieces(members))


def _pieces(members: Mapping[str, bytes]) -> Iterator[bytes]:
    """The file in order: each member behind its header, then the directory of all."""
    central, offset = [], 0
    for name in LIMITS:
        data, encoded = members[name], name.encode("ascii")
        sizes = (zlib.crc32(data), len(data), len(data), len(encoded))
        header = _LOCAL.pack(b"PK\3\4", _VERSION, 0, _STORED, 0, _DATE, *sizes, 0) + encoded
        entry = _CENTRAL.pack(
            b"PK\1\2",
            _VERSION | _UNIX << 8,
            _VERSION,
            0,
            _STORED,
            0,
            _DATE,
            *sizes,
            0,
            0,
            0,
            0,
            _FILE_MODE << 16,
            offset,
        )
        yield header
        yield data
        central.append(entry + encoded)
        offset += len(header) + len(data)
    directory = b"".join(central)
    yield directory
    yield _END.pack(b"PK\5\6", 0, 0, len(LIMITS), len(LIMITS), len(directory), offset, 0)


def read_archive(data: bytes) -> dict[str, bytes]:
    """The members of a package by name; raises `IntegrityError` that says what is wrong with the file."""
    members: dict[str, bytes] = {}
    position = 0
    while data[position : position + 4] == b"PK\3\4":
        name, start, size, checksum = _header(data, position)
        if name in members:
            raise IntegrityError(f"The package holds {name!r} twice.")
        if len(data) - start < size:
            raise IntegrityError(f"The package is cut off inside {name!r}: {len(data) - start:,} of {size:,} bytes.")
        members[name] = data[start : start + size]
        if zlib.crc32(members[name]) != checksum:
            raise IntegrityError(f"{name!r} in the package is not what was written: its checksum differs.")
        position = start + size
    if not members:
        raise IntegrityError(f"This is not a package: it starts with {data[:4]!r}.", allowed="a file made by release")
    missing = [name for name in LIMITS if name not in members]
    if missing:
        raise IntegrityError(f"The package lacks {', '.join(missing)}: it was cut off, or made by something else.")
    rest = memoryview(data)  # compared where it is: a model may be large
    for piece in _pieces(members):
        if rest[: len(piece)] != piece:
            break
        rest = rest[len(piece) :]
    else:
        if not rest:
            return members
    raise IntegrityError("The package holds bytes that belong to none of its members, or its directory was changed.")


def _header(data: bytes, position: int) -> tuple[str, int, int, int]:
    """Name of the member at `position`, where its bytes start, how many they are, and their checksum."""
    if len(data) - position < _LOCAL.size:
        raise IntegrityError("The package is cut off inside the header of a member.")
    _, _, _, method, _, _, checksum, stored, size, name_length, extra_length = _LOCAL.unpack_from(data, position)
    start = position + _LOCAL.size + name_length
    name = data[start - name_length : start].decode("utf-8", errors="backslashreplace")
    if name not in LIMITS:
        raise IntegrityError(f"The package holds a member named {name!r}.", allowed=", ".join(LIMITS))
    if size > LIMITS[name]:
        raise IntegrityError(f"{name!r} in the package claims {size:,} bytes.", allowed=f"at most {LIMITS[name]:,}")
    if method != _STORED or stored != size:
        raise IntegrityError(f"{name!r} in the package is compressed.", allowed="members as they are")
    return name, start + extra_length, size, checksum
