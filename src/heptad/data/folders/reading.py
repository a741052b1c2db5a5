"""Reads files once: their digest and their pieces, and whether somebody wrote to them meanwhile."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from blake3 import blake3

from heptad.core.errors import InputError, UnavailableError
from heptad.data.folders.sizes import FILES
from heptad.data.folders.tree import shown_path
from heptad.data.folders.walking import Found
from heptad.data.hash_cache import Seen, Stamp

if TYPE_CHECKING:
    from heptad.data.folders.chunks import StreamCutter

Take: TypeAlias = Callable[[bytes | memoryview, bytes], None]
"""Is handed each piece of a file and its digest; a view holds until the next flush."""
ATTEMPTS = 3
"""How often a file is read again because somebody wrote to it."""


class Reader:
    """Reads files below one folder through one buffer, whatever their size."""

    def __init__(self, place: Path) -> None:
        self._place = os.fsencode(place)

    def digest(self, found: Found) -> Seen:
        """The digest of a file and its stamp at that time; raises `UnavailableError` where it keeps changing."""
        return self.read(found, lambda: _ignored, _nothing)

    def read(self, found: Found, begin: Callable[[], Take], flush: Callable[[], None]) -> Seen:
        """Read a file in pieces. `begin` is called for each attempt; `flush` before what was handed out is overwritten.

        Raises `UnavailableError` where it keeps changing, `InputError` where it may not be read.
        """
        path = os.path.join(self._place, found.path) if found.path else self._place
        try:
            for _ in range(ATTEMPTS):
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    before = Stamp.of(os.fstat(descriptor))
                    if before.size <= FILES.smallest:
                        size, digest = self._small(descriptor, before.size, begin())
                    else:
                        size, digest = self._large(descriptor, begin(), flush)
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

    def _small(self, descriptor: int, size: int, take: Take) -> tuple[int, bytes]:
        """A file that is one piece. One byte more is asked for, so that a file which grew meanwhile is noticed."""
        data = os.read(descriptor, size + 1)
        digest = blake3(data).digest()
        if data:
            take(data, digest)
        return len(data), digest

    @cached_property
    def _cutter(self) -> "StreamCutter":
        from heptad.data.folders.chunks import StreamCutter  # noqa: PLC0415 - only large files need numpy

        return StreamCutter()

    def _large(self, descriptor: int, take: Take, flush: Callable[[], None]) -> tuple[int, bytes]:
        whole, size = blake3(), 0
        with ThreadPoolExecutor(1) as beside:
            for part, ends in self._cutter.cut(lambda room: os.readv(descriptor, [room])):
                hashed, start = beside.submit(whole.update, part), 0
                for end in ends:
                    take(part[start:end], blake3(part[start:end]).digest())
                    start = end
                flush()
                size += len(part)
                hashed.result()
        return size, whole.digest()


def _ignored(_piece: bytes | memoryview, _digest: bytes) -> None:
    pass


def _nothing() -> None:
    pass


_AGAIN = "do it again when nobody writes there"
