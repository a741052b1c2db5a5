"""Reads files once: their digest and their parts, and whether somebody wrote to them meanwhile."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from blake3 import blake3

from heptad.core.errors import InputError, UnavailableError
from heptad.data.folders.sizes import PARTS
from heptad.data.folders.tree import shown_path
from heptad.data.folders.walking import Found
from heptad.data.hash_cache import Seen, Stamp

Take: TypeAlias = Callable[[Sequence[bytes | memoryview], bytes], int]
"""Is handed each part of a file: the blocks that it lies in, and the digest of a file that is one part, else none.

Answers how many bytes it took; the next part begins behind them.
"""
BLOCK = 4 << 20
"""Bytes that are read at a time."""
ATTEMPTS = 3
"""How often a file is read again because somebody wrote to it."""


class Reader:
    """Reads files below one folder, a few blocks at a time."""

    def __init__(self, place: Path) -> None:
        self._place = os.fsencode(place)

    def digest(self, found: Found) -> Seen:
        """The digest of a file and its stamp at that time; raises `UnavailableError` where it keeps changing."""
        return self.read(found, None)

    def read(self, found: Found, begin: Callable[[], Take] | None) -> Seen:
        """Read a file in parts. `begin` is called for each attempt, and answers what takes them.

        Raises `UnavailableError` where it keeps changing, `InputError` where it may not be read.
        """
        path = os.path.join(self._place, found.path) if found.path else self._place
        try:
            for _ in range(ATTEMPTS):
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    before = Stamp.of(os.fstat(descriptor))
                    take = begin() if begin else None
                    if before.size <= PARTS.smallest:
                        size, digest = _small(descriptor, before.size, take)
                    else:
                        size, digest = _large(descriptor, take)
                    if Stamp.of(os.fstat(descriptor)) == before and size == before.size:
                        return Seen(before, digest)
                finally:
                    os.close(descriptor)
        except FileNotFoundError:
            raise UnavailableError(f"{shown_path(path)} was removed while it was read.", remedy=_AGAIN) from None
        except OSError as error:
            raise InputError(
                f"{shown_path(path)} cannot be read: {error.strerror}.",
                allowed="files that this user may read",
                remedy="change its permissions, or move it elsewhere",
            ) from error
        raise UnavailableError(f"{shown_path(path)} was written to each time it was read.", remedy=_AGAIN)


def _small(descriptor: int, size: int, take: Take | None) -> tuple[int, bytes]:
    """A file that is one part. One byte more is asked for, so that a file which grew meanwhile is noticed."""
    data = os.read(descriptor, size + 1)
    digest = blake3(data).digest()
    if data and take:
        take([data], digest)
    return len(data), digest


def _large(descriptor: int, take: Take | None) -> tuple[int, bytes]:
    """What was read is hashed while the next is."""
    whole, size = blake3(), 0
    with ThreadPoolExecutor(1) as beside:
        hashed: Future[None] | None = None
        for part in _taken(descriptor, take) if take else _blocks(descriptor):
            if hashed:
                hashed.result()
            hashed = beside.submit(_add, whole, part)
            size += sum(map(len, part))
    return size, whole.digest()


def _add(hasher: blake3, part: Sequence[bytes | memoryview]) -> None:
    for block in part:
        hasher.update(block)


def _taken(descriptor: int, take: Take) -> Iterator[Sequence[bytes | memoryview]]:
    """What was taken of each part."""
    from heptad.data.folders.chunks import PartCutter  # noqa: PLC0415 - only who stores large files needs numpy

    cutter = PartCutter(lambda: os.read(descriptor, BLOCK))
    while part := cutter.next():
        yield cutter.keep(part, take(part, b""))


def _blocks(descriptor: int) -> Iterator[Sequence[bytes | memoryview]]:
    while block := os.read(descriptor, BLOCK):
        yield [block]


_AGAIN = "do it again when nobody writes there"
