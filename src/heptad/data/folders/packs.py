"""Packs: many pieces in one artifact, so that neither twenty thousand files nor a large one cost a sync for each."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import BinaryIO, TypeAlias, cast

from blake3 import blake3

from heptad.core.artifacts import BlobStore
from heptad.core.errors import IntegrityError
from heptad.data.folders.cloning import padding
from heptad.data.folders.sizes import PARTS
from heptad.data.folders.tree import Piece

PACK = 16 << 20
"""Bytes after which a pack is closed: large enough for few of them, small enough to be sent again whole."""
BLOCK = 4 << 20
"""Bytes that are handed over to the writer at a time, about."""
JOINED = 256 << 10
"""Bytes; smaller pieces are put together before they are handed over, which costs a copy and spares a hundred calls."""
GROUP = 256
"""Packs that are made durable together: what was stored of them is found there when a killed `add` is done again."""


class _AbandonedError(Exception):
    """What is being stored is not wanted any more."""


_Message: TypeAlias = bytes | memoryview | _AbandonedError | None
"""Bytes of a pack, none for its end; the end of all."""


class PackWriter:
    """Takes pieces in order and stores them as packs, in a thread of its own, while the next are being read.

    A pack has a number until all of it is stored and its digest is known. Memory: a few pieces.
    """

    def __init__(self, blobs: BlobStore, first: int) -> None:
        self._blobs = blobs
        self._number = first
        self._filled = 0
        self._small: list[bytes] = []
        self._pending = 0
        self._messages: Queue[_Message] = Queue(maxsize=2)
        self._thread: ThreadPoolExecutor | None = None
        self._stored: Future[dict[int, bytes]] | None = None
        self._failed = False
        self.bytes = 0
        """How many were taken."""

    def add(self, *blocks: bytes | memoryview, offset: int | None = None) -> tuple[int, int]:
        """Take a piece, which may lie in several blocks; answers its pack's number and where it starts there.

        With the `offset` in its file it is put where a file can share its blocks. Raises what the store says to an
        earlier piece.
        """
        size = sum(map(len, blocks))
        if self._filled and self._filled + size > PACK:
            self.end_pack()
        gap = 0 if offset is None else padding(self._filled, offset)
        at = self._number, self._filled + gap
        for block in (bytes(gap), *blocks) if gap else blocks:
            if len(block) < JOINED:
                self._small.append(bytes(block))  # a view would keep all of its block
                self._pending += len(block)
                if self._pending >= BLOCK:
                    self._send_small()
            else:
                self._send_small()
                self._send(block)
        self._filled += gap + size
        self.bytes += size
        return at

    def end_pack(self) -> None:
        """Let the next piece begin a pack."""
        if self._filled:
            self._send_small()
            self._send(b"")
            self._number += 1
            self._filled = 0

    def close(self) -> dict[int, bytes]:
        """Wait until everything is durable; answers the numbers of packs and their digests."""
        self.end_pack()
        if self._stored is None:
            return {}
        self._messages.put(None)
        return self._finished(self._stored)

    def abandon(self) -> None:
        """Stop; of what is not durable yet nothing is left behind."""
        if self._thread is not None:
            self._messages.put(_AbandonedError())
            self._thread.shutdown()

    def _send_small(self) -> None:
        if self._small:
            self._send(b"".join(self._small))
            self._small, self._pending = [], 0

    def _send(self, block: bytes | memoryview) -> None:
        if self._thread is None or self._stored is None:
            self._thread = ThreadPoolExecutor(1)
            self._stored = self._thread.submit(self._store, self._number)
        if self._failed:
            self._messages.put(None)
            self._finished(self._stored)
        self._messages.put(block)

    def _finished(self, stored: Future[dict[int, bytes]]) -> dict[int, bytes]:
        try:
            return stored.result()
        finally:
            if self._thread is not None:
                self._thread.shutdown()
            self._thread = self._stored = None

    def _store(self, first: int) -> dict[int, bytes]:
        """What the thread does: store packs until there are no more, or until one cannot be stored."""
        digests: list[bytes] = []
        packs = _Packs(self._messages)
        try:
            while not packs.is_done:
                digests += map(bytes.fromhex, self._blobs.put_many(packs.group(GROUP)))
        except _AbandonedError:
            return {}
        except BaseException:
            self._failed = True
            packs.drain()
            raise
        return dict(enumerate(digests, first))


class _Packs:
    """The messages as streams, one for each pack."""

    def __init__(self, messages: "Queue[_Message]") -> None:
        self._messages = messages
        self.is_done = False

    def group(self, most: int) -> Iterator[BinaryIO]:
        for _ in range(most):
            block = self._next()
            if block is None:
                return
            yield cast("BinaryIO", _Stream(block, self))

    def next_block(self) -> bytes | memoryview:
        return self._next() or b""

    def drain(self) -> None:
        """Let whoever sends go on until it stops."""
        while not self.is_done:
            try:
                self._next()
            except _AbandonedError:
                return

    def _next(self) -> bytes | memoryview | None:
        message = self._messages.get()
        if isinstance(message, _AbandonedError):
            self.is_done = True
            raise message
        self.is_done = message is None
        return message


class _Stream:
    """One pack, to be read once."""

    def __init__(self, block: bytes | memoryview, packs: _Packs) -> None:
        self._rest: bytes | memoryview = block
        self._packs = packs
        self._is_done = False

    def read(self, size: int) -> bytes | memoryview:
        if not self._rest and not self._is_done:
            self._rest = self._packs.next_block()
            self._is_done = not self._rest
        if len(self._rest) <= size:
            part, self._rest = self._rest, b""
            return part
        view = memoryview(self._rest)
        self._rest = view[size:]
        return view[:size]


def read_pieces(blobs: BlobStore, pack: str, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The bytes of pieces of one pack, which are given in the order of their starts; each is verified.

    Raises `NotFoundError` where the pack is not there, `IntegrityError` where it or a piece is not what it was.
    """
    start, data = 0, b""
    with blobs.open(pack) as stream:
        for one in pieces:
            if one.start + one.size > start + len(data):
                if not 0 < one.size <= PARTS.largest or one.start < start + len(data):
                    raise _wrong(pack)
                _skip(stream, one.start - start - len(data))
                start, data = one.start, stream.read(one.size)
            # Several files may have the same bytes, and one a part of another's.
            found = data[one.start - start :][: one.size]
            if one.start < start or len(found) != one.size or blake3(found).digest() != one.digest:
                _skip(stream, 1 << 62)  # where the pack is damaged, its own error tells it better
                raise _wrong(pack)
            yield found


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """As `read_pieces` wants them."""
    return sorted(pieces, key=place_of)


def place_of(piece: Piece) -> tuple[int, int]:
    """By what pieces of a pack are sorted: where they start, and of those that start together the largest first."""
    return piece.start, -piece.size


def _skip(stream: BinaryIO, count: int) -> None:
    while count > 0 and (part := stream.read(min(count, BLOCK))):
        count -= len(part)


def _wrong(pack: str) -> IntegrityError:
    return IntegrityError(
        f"The pack {pack} does not hold what a version says of it.",
        remedy="Somebody made or altered the version by other means than heptad; do not use it.",
    )


def sizes(blobs: BlobStore, packs: Sequence[str]) -> int:
    """Bytes of packs together; raises `NotFoundError`."""
    return sum(blobs.size(pack) for pack in packs)
