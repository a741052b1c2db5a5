"""CRC-32C, the sum that guards every record of an event file; Python's own `zlib.crc32` has another polynomial."""

from functools import lru_cache
from typing import Any, Final

import numpy as np

_POLYNOMIAL: Final = 0x82F63B78
_LANE: Final = 512
"""Bytes of a lane: a long text is cut into so many at a time, whose sums are made side by side and then joined."""
_FEWEST: Final = 16 * _LANE
"""Bytes from which on lanes pay."""
_MASK: Final = 0xA282EAD8
_ALL: Final = 0xFFFFFFFF


def _table() -> list[int]:
    found = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        found.append(crc)
    return found


_TABLE: Final = _table()


def crc32c(data: bytes) -> int:
    """The CRC-32C (Castagnoli; RFC 3720, B.4) of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc, start = _ALL, 0
    if len(data) >= _FEWEST:
        start = len(data) // _LANE * _LANE
        crc = _joined(crc, np.frombuffer(data, np.uint8, start).reshape(-1, _LANE))
    table = _TABLE
    for byte in data[start:]:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ _ALL


def masked(data: bytes) -> int:
    """The sum as a record carries it: turned and moved, so that the sum of data that holds sums stays a good one."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK) & _ALL


def _joined(crc: int, lanes: "np.ndarray[Any, np.dtype[np.uint8]]") -> int:
    """The register after all lanes: the sum is linear, so each lane's own is made from 0 and added where it ends."""
    table = np.array(_TABLE, np.uint32)
    sums = np.zeros(len(lanes), np.uint32)
    for column in np.ascontiguousarray(lanes.T):
        sums = table[(sums ^ column) & 0xFF] ^ (sums >> 8)
    first, second, third, fourth = _past_a_lane()
    for own in sums.tolist():
        crc = own ^ first[crc & 0xFF] ^ second[crc >> 8 & 0xFF] ^ third[crc >> 16 & 0xFF] ^ fourth[crc >> 24]
    return crc


@lru_cache(maxsize=1)
def _past_a_lane() -> list[list[int]]:
    """What each value of each byte of the register becomes after a lane of zeros."""
    values = np.array([byte << 8 * place for place in range(4) for byte in range(256)], np.uint32)
    table = np.array(_TABLE, np.uint32)
    for _ in range(_LANE):
        values = table[values & 0xFF] ^ (values >> 8)
    found: list[list[int]] = values.reshape(4, 256).tolist()
    return found
