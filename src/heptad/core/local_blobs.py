"""Artifacts in a folder: one file for each, named by its digest, written beside and renamed when it is durable."""

import fcntl
import os
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import BufferedReader, BytesIO, FileIO, RawIOBase
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from blake3 import blake3

from heptad.core.artifacts import BlobStore
from heptad.core.errors import InputError, IntegrityError, NotFoundError
from heptad.core.faults import boundary
from heptad.core.files import locked, make_folder, sync_files, sync_folder, writing

CHUNK = 4 << 20
"""Bytes that are read, hashed and written at a time; less is not worth a second thread."""
BEGUN = 16 << 20
"""Bytes after which the disk begins with what is written, while the rest still comes: the end waits for little."""
_HEX = frozenset("0123456789abcdef")


def open_blobs(url: str) -> "LocalBlobs":
    """The artifacts in the folder of `file:///absolute/path`; it is made when the first one is stored.

    Files that a killed process left half-written are removed. Raises `InputError` for a URL that is none.
    """
    scheme, _, path = url.partition("://")
    if scheme != "file" or not Path(path).is_absolute():
        raise InputError(f"{url!r} is not a place for artifacts.", allowed="file:///absolute/path")
    blobs = LocalBlobs(Path(path))
    blobs.clear_leftovers()
    return blobs


class LocalBlobs:
    """See `BlobStore`. An artifact is the file `ab/cdef...`; a file being written is in `incoming`.

    Whoever writes holds a shared lock on `lock` meanwhile, whoever deletes holds it alone; the system lets go
    of the lock of a process that dies. The time of a file is when it was last put, by the machine's clock.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._lock = root / "lock"

    def put(self, data: bytes | Path | BinaryIO) -> str:
        return self._put_all([data])[0]

    def put_many(self, sources: Iterable[bytes | Path | BinaryIO]) -> list[str]:
        return self._put_all(sources)

    def get(self, digest: str) -> bytes:
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFoundError("artifact", digest) from None
        _verify(digest, _hexdigest(data), path)
        return data

    def open(self, digest: str, start: int = 0) -> BinaryIO:
        path = self._path(digest)
        try:
            file = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise NotFoundError("artifact", digest) from None
        if file.seek(start):
            return BufferedReader(file, buffer_size=1 << 20)
        return BufferedReader(_VerifiedFile(file, digest, path), buffer_size=1 << 20)

    def size(self, digest: str) -> int:
        try:
            return self._path(digest).stat().st_size
        except FileNotFoundError:
            raise NotFoundError("artifact", digest) from None

    def digests(self, older_than: timedelta = timedelta()) -> Iterator[str]:
        shards = self.root.iterdir() if self.root.is_dir() else ()
        for shard in shards:
            if len(shard.name) == 2 and _HEX.issuperset(shard.name):
                yield from (shard.name + file.name for file in shard.iterdir() if _older(file, older_than))

    def delete(self, digests: Iterable[str], older_than: timedelta = timedelta()) -> int:
        paths = [self._path(digest) for digest in digests]
        if not paths or not self.root.is_dir():
            return 0
        freed = 0
        with writing(self.root), locked(self._lock):
            boundary("artifact.before_delete")
            for path in paths:
                if _older(path, older_than):
                    freed += path.stat().st_size
                    path.unlink()
            for folder in {path.parent for path in paths if path.parent.exists()}:
                sync_folder(folder)
        boundary("artifact.after_delete")
        return freed

    def clear_leftovers(self) -> None:
        """Remove what killed processes left half-written; does nothing while somebody is writing."""
        # A workspace that may only be read has nobody who could have left anything for us to remove.
        if not os.access(self._incoming, os.W_OK):
            return
        try:
            with locked(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
                for leftover in self._incoming.iterdir():
                    leftover.unlink()
        except BlockingIOError:
            return

    def _put_all(self, sources: Iterable[bytes | Path | BinaryIO]) -> list[str]:
        token = os.urandom(8).hex()
        arrived: dict[str, Path] = {}
        try:
            with writing(self.root):
                make_folder(self._incoming)
                with locked(self._lock, fcntl.LOCK_SH):
                    try:
                        digests = [self._receive(source, arrived, token) for source in sources]
                        self._publish(arrived)
                    except BaseException:
                        for temporary in self._incoming.glob(f"{token}-*"):
                            temporary.unlink()
                        raise
                    # Also for what was there: whoever renamed it may not have come to its sync yet.
                    sync_files(self.root, [self.root / shard for shard in {digest[:2] for digest in digests}])
        except _BrokenSourceError as broken:
            raise broken.error from None
        boundary("artifact.after_rename")
        return digests

    def _receive(self, source: bytes | Path | BinaryIO, arrived: dict[str, Path], token: str) -> str:
        """Write a source into `incoming`, unless the same bytes are there; answers the digest."""
        temporary = self._incoming / f"{token}-{len(arrived)}"
        with _stream(source) as stream:
            parts = _parts(stream)
            start = list(_first(parts))
            if sum(map(len, start)) < CHUNK:
                data = b"".join(start)
                digest = _hexdigest(data)
                if digest in arrived or self._keep(digest):
                    return digest
                with _new_file(temporary) as target:
                    target.write(data)
            else:
                with _new_file(temporary) as target:
                    digest = _copy(chain(start, parts), target)
                if digest in arrived or self._keep(digest):
                    temporary.unlink()
                    return digest
        arrived[digest] = temporary
        return digest

    def _publish(self, arrived: dict[str, Path]) -> None:
        """Make the contents durable, then give them their names."""
        if not arrived:
            return
        sync_files(self.root, list(arrived.values()))
        boundary("artifact.before_rename")
        new = [one for one in (self.root / shard for shard in {digest[:2] for digest in arrived}) if not one.is_dir()]
        for shard in new:
            shard.mkdir(exist_ok=True)
        if new:
            sync_folder(self.root)
        for digest, temporary in arrived.items():
            temporary.rename(self._path(digest))

    def _keep(self, digest: str) -> bool:
        """Whether the artifact is there and whole; then it is young again."""
        path = self._path(digest)
        if not path.exists():
            return False
        with path.open("rb", buffering=0) as file:
            if _hexdigest(file) != digest:
                return False
        try:
            os.utime(path)
        except PermissionError:
            # Another user's file: a copy of our own, of the same bytes, takes its place.
            return False
        return True

    def _path(self, digest: str) -> Path:
        if len(digest) != 64 or not _HEX.issuperset(digest):
            raise InputError(f"{digest[:80]!r} is not the digest of an artifact.", allowed="64 hexadecimal digits")
        return self.root.joinpath(digest[:2], digest[2:])


class _VerifiedFile(RawIOBase):
    """Reads a file once from its beginning, and compares its digest with the last of its bytes."""

    def __init__(self, file: FileIO, digest: str, path: Path) -> None:
        super().__init__()
        self._file = file
        self._left = os.fstat(file.fileno()).st_size
        self._hasher = blake3()
        self._digest = digest
        self._path = path

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def readinto(self, buffer: Any, /) -> int:
        count = self._file.readinto(buffer) or 0
        self._hasher.update(memoryview(buffer)[:count])
        self._left -= count
        if count == 0 or self._left <= 0:
            _verify(self._digest, self._hasher.hexdigest(), self._path)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _BrokenSourceError(Exception):
    """Carries an error of a source past those of the place that is written to."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@contextmanager
def _stream(source: bytes | Path | BinaryIO) -> Generator[BinaryIO]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    elif isinstance(source, Path):
        try:
            file = source.open("rb", buffering=0)
        except FileNotFoundError:
            raise NotFoundError("file", str(source)) from None
        except OSError as error:
            raise InputError(f"{source} cannot be read: {error.strerror}.", allowed="a file") from error
        with file:
            yield cast("BinaryIO", file)
    else:
        yield source


def _parts(stream: BinaryIO) -> Iterator[bytes]:
    """What a stream answers, part by part; it may be fewer bytes at a time than it is asked for."""
    try:
        while part := stream.read(CHUNK):
            yield part
    except OSError as error:
        raise _BrokenSourceError(error) from error


def _first(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Parts until they are `CHUNK` bytes together."""
    missing = CHUNK
    while missing > 0 and (part := next(parts, b"")):
        missing -= len(part)
        yield part


def _older(file: Path, age: timedelta) -> bool:
    """Whether the file is there and was last put at least so long ago."""
    try:
        return time.time() - file.stat().st_mtime >= age.total_seconds() or not age
    except FileNotFoundError:
        return False


def _new_file(path: Path) -> BinaryIO:
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o444))


def _copy(parts: Iterator[bytes], target: BinaryIO) -> str:
    """Write parts, hashing each while it is written and the next is read; answers the digest."""
    hasher = blake3(max_threads=blake3.AUTO)
    begun = written = 0
    with ThreadPoolExecutor(2) as beside:
        part = next(parts, b"")
        while part:
            following, hashed = beside.submit(next, parts, b""), beside.submit(hasher.update, part)
            written += target.write(part)
            if written - begun >= BEGUN:
                _begin(target, begun, written)
                begun = written
            hashed.result()
            part = following.result()
        _begin(target, begun, written)
    return hasher.hexdigest()


def _begin(file: BinaryIO, start: int, end: int) -> None:
    """Have the disk begin with these bytes, and do not wait: asked to forget them, Linux writes them first."""
    file.flush()
    os.posix_fadvise(file.fileno(), start, end - start, os.POSIX_FADV_DONTNEED)


def _hexdigest(data: bytes | FileIO) -> str:
    """The digest of bytes, or of a file from where it stands."""
    if isinstance(data, bytes):
        return blake3(data, max_threads=1 if len(data) < CHUNK else blake3.AUTO).hexdigest()
    hasher = blake3(max_threads=blake3.AUTO)
    while part := data.read(CHUNK):
        hasher.update(part)
    return hasher.hexdigest()


def _verify(digest: str, found: str, path: Path) -> None:
    if found != digest:
        raise IntegrityError(
            f"The artifact {digest} is damaged: the bytes in its file have the digest {found}.",
            remedy=f"Restore {path} from a backup, or store the same bytes again.",
        )


if TYPE_CHECKING:
    _filled: type[BlobStore] = LocalBlobs
