"""Packs: many pieces in one artifact, so that neither twenty thousand files nor a large one cost a sync for each."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import BinaryIO, TypeAlias, cast

from blake3 import blake3

from heptad.core.artifacts import BlobStore
from heptad.core.errors import IntegrityError
from heptad.data.folders.cloning import padding
from heptad.data.folders.sizes import FILES
from heptad.data.folders.tree import Piece

PACK = 16 << 20
"""Bytes after which a pack is closed: large enough for few of them, small enough to be sent again whole."""
BLOCK = 4 << 20
"""Bytes that are handed over to the writer at a time."""
GROUP = 64
"""Packs that are made durable together: what was stored of them is found there when a killed `add` is done again."""


class _AbandonedError(Exception):
    """What is being stored is not wanted any more."""


_Message: TypeAlias = bytes | _AbandonedError | None
"""Bytes of a pack, none for its end; the end of all."""


class PackWriter:
    """Takes pieces in order and stores them as packs, in a thread of its own, while the next are being read.

    A pack has a number until all of it is stored and its digest is known. Memory: a few blocks.
    """

    def __init__(self, blobs: BlobStore, first: int) -> None:
        self._blobs = blobs
        self._number = first
        self._filled = 0
        self._block: list[bytes | memoryview] = []
        self._pending = 0
        self._messages: Queue[_Message] = Queue(maxsize=2)
        self._thread: ThreadPoolExecutor | None = None
        self._stored: Future[dict[int, bytes]] | None = None
        self._failed = False
        self.bytes = 0
        """How many were taken."""

    def add(self, piece: bytes | memoryview, offset: int | None = None) -> tuple[int, int]:
        """Take a piece, which has to stay as it is until `flush`; answers its pack's number and where it starts there.

        With the `offset` in its file it is put where a file can share its blocks. Raises what the store says to an
        earlier piece.
        """
        if self._filled and self._filled + len(piece) > PACK:
            self._end_pack()
        if offset is not None and (gap := padding(self._filled, offset)):
            self._take(bytes(gap))
        at = self._number, self._filled
        self._take(piece)
        self.bytes += len(piece)
        return at

    def _take(self, piece: bytes | memoryview) -> None:
        room = BLOCK - self._pending
        if len(piece) > room:
            # Blocks of just this size are written and hashed without another copy.
            self._block.append(memoryview(piece)[:room])
            self._send(b"".join(self._block))
            self._block, self._pending = [memoryview(piece)[room:]], len(piece) - room
        else:
            self._block.append(piece)
            self._pending += len(piece)
        self._filled += len(piece)

    def flush(self) -> None:
        """Copy what was taken, so that the buffer which holds it can be used again."""
        if len(self._block) > 1 or (self._block and not isinstance(self._block[0], bytes)):
            self._block = [b"".join(self._block)]

    def close(self) -> dict[int, bytes]:
        """Wait until everything is durable; answers the numbers of packs and their digests."""
        if self._filled:
            self._end_pack()
        if self._stored is None:
            return {}
        self._messages.put(None)
        return self._finished(self._stored)

    def abandon(self) -> None:
        """Stop; of what is not durable yet nothing is left behind."""
        if self._thread is not None:
            self._messages.put(_AbandonedError())
            self._thread.shutdown()

    def _end_pack(self) -> None:
        self._send(b"".join(self._block))
        self._send(b"")
        self._block, self._pending = [], 0
        self._number += 1
        self._filled = 0

    def _send(self, block: bytes) -> None:
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

    def next_block(self) -> bytes:
        return self._next() or b""

    def drain(self) -> None:
        """Let whoever sends go on until it stops."""
        while not self.is_done:
            try:
                self._next()
            except _AbandonedError:
                return

    def _next(self) -> bytes | None:
        message = self._messages.get()
        if isinstance(message, _AbandonedError):
            self.is_done = True
            raise message
        self.is_done = message is None
        return message


class _Stream:
    """One pack, to be read once."""

    def __init__(self, block: bytes, packs: _Packs) -> None:
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
    at, last, data = 0, -1, b""
    with blobs.open(pack) as stream:
        for one in pieces:
            if one.start == last and len(data) == one.size:
                yield data  # several files have the same bytes
                continue
            if not 0 < one.size <= FILES.largest or one.start < at:
                raise _wrong(pack)
            _skip(stream, one.start - at)
            data = stream.read(one.size)
            if len(data) != one.size or blake3(data).digest() != one.digest:
                _skip(stream, 1 << 62)  # where the pack is damaged, its own error tells it better
                raise _wrong(pack)
            at, last = one.start + one.size, one.start
            yield data


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """As `read_pieces` wants them."""
    return sorted(pieces, key=lambda one: (one.start, one.size))


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
