"""Artifacts in an object store: `s3://BUCKET/PREFIX`, `gs://`, `az://`; also what folders are pushed to."""

import re
import tempfile
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import obstore
from blake3 import blake3

from heptad.adapters.buckets import Bucket
from heptad.core.artifacts import BlobStore
from heptad.core.errors import InputError, IntegrityError, NotFoundError, WorkspaceError
from heptad.core.files import writing
from heptad.data import RemoteSettings

PIECE = 8 << 20
"""So many bytes are asked for at a time; a piece that fails is asked for again, not the whole object."""
PART = 8 << 20
"""Larger artifacts are sent in parts of so many bytes; S3 takes none below 5 MiB."""
HELD = 32 << 20
"""Bytes of an artifact that are held in memory until its digest is known; of a larger one, on disk."""
AT_ONCE = 8
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"([0-9a-f]{2})/([0-9a-f]{62})")


class ObjectBlobs:
    """See `BlobStore`. An artifact is the object `ab/cdef...` below the prefix, as it is a file in a folder.

    An object appears whole or not at all, and replaces the one before: so storing again repairs, and makes young. Its
    age is that by the store's clock. Of `put_many`, where an upload fails, what arrived before it stays, unmentioned.
    """

    def __init__(self, scheme: str, url: str, settings: RemoteSettings | None = None) -> None:
        name, _, prefix = url.partition("://")[2].partition("/")
        if not name:
            raise InputError(f"{url!r} names no bucket.", allowed=f"{scheme}://BUCKET/PREFIX")
        self._bucket = Bucket(scheme, name, settings or RemoteSettings(), "remote", WorkspaceError, prefix.strip("/"))
        self._store = self._bucket.store

    def put(self, data: bytes | Path | BinaryIO) -> str:
        with _received(data) as (digest, file):
            self._upload(digest, file)
        return digest

    def put_many(self, sources: Iterable[bytes | Path | BinaryIO]) -> list[str]:
        with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as threads:
            # All of them first: where one cannot be read, none is stored.
            received = [stack.enter_context(_received(one, held=0)) for one in sources]
            list(threads.map(lambda one: self._upload(*one), received))
        return [digest for digest, _ in received]

    def get(self, digest: str) -> bytes:
        with self.open(digest) as stream:
            return stream.read()

    def open(self, digest: str, start: int = 0) -> BinaryIO:
        return BufferedReader(_VerifiedObject(self, digest, self.size(digest), start), buffer_size=1 << 20)

    def size(self, digest: str) -> int:
        with self._telling(digest):
            return int(obstore.head(self._store, _key(digest))["size"])

    def digests(self, older_than: timedelta = timedelta()) -> Iterator[str]:
        limit = datetime.now(UTC) - older_than
        with self._bucket.told(doing="listed"):
            for batch in obstore.list(self._store):
                for one in batch:
                    found = _KEY.fullmatch(one["path"])
                    if found and (not older_than or one["last_modified"] <= limit):
                        yield found[1] + found[2]

    def delete(self, digests: Iterable[str], older_than: timedelta = timedelta()) -> int:
        limit, freed = datetime.now(UTC) - older_than, 0
        for digest in digests:
            try:
                with self._telling(digest, "deleted"):
                    meta = obstore.head(self._store, _key(digest))
                    if not older_than or meta["last_modified"] <= limit:
                        obstore.delete(self._store, _key(digest))
                        freed += int(meta["size"])
            except NotFoundError:
                continue
        return freed

    def piece(self, digest: str, start: int, end: int) -> bytes:
        """Some bytes of an artifact, unverified."""
        with self._telling(digest):
            return bytes(obstore.get_range(self._store, _key(digest), start=start, end=end))

    def _upload(self, digest: str, file: IO[bytes]) -> None:
        with self._bucket.told(_key(digest), "written"):
            obstore.put(self._store, _key(digest), file, chunk_size=PART)

    @contextmanager
    def _telling(self, digest: str, doing: str = "read") -> Generator[None]:
        with self._bucket.told(_key(digest), doing):
            try:
                yield
            except (obstore.exceptions.NotFoundError, FileNotFoundError):
                if not self._bucket.is_there:
                    raise  # which is told above, as of the bucket
                raise NotFoundError("artifact", digest) from None


class _VerifiedObject(RawIOBase):
    """Reads an artifact once, and where it began at the beginning compares the digest with the last of the bytes."""

    def __init__(self, blobs: ObjectBlobs, digest: str, size: int, start: int) -> None:
        super().__init__()
        self._blobs = blobs
        self._digest = digest
        self._size = size
        self._asked = start
        self._is_whole = not start
        self._rest = memoryview(b"")
        self._hasher = blake3()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._rest and self._asked < self._size:
            end = min(self._asked + PIECE, self._size)
            self._rest = memoryview(self._blobs.piece(self._digest, self._asked, end))
            self._asked = end
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._hasher.update(self._rest[:count])
        self._rest = self._rest[count:]
        is_read = self._is_whole and not self._rest and self._asked >= self._size
        if is_read and self._hasher.hexdigest() != self._digest:
            raise IntegrityError(
                f"The artifact {self._digest} is damaged: its bytes have the digest {self._hasher.hexdigest()}.",
                remedy="Store the same bytes again, or restore the object from a backup.",
            )
        return count


@contextmanager
def _received(source: bytes | Path | BinaryIO, held: int = HELD) -> Generator[tuple[str, IO[bytes]]]:
    """The digest of a source and a copy of it that nobody else writes to."""
    if isinstance(source, bytes):
        yield blake3(source).hexdigest(), BytesIO(source)
        return
    with ExitStack() as stack:
        stream = stack.enter_context(_opened(source)) if isinstance(source, Path) else source
        copy = stack.enter_context(tempfile.SpooledTemporaryFile(held or 1))
        hasher = blake3()
        while part := stream.read(PIECE):
            hasher.update(part)
            with writing(Path(tempfile.gettempdir())):
                copy.write(part)
        copy.seek(0)
        yield hasher.hexdigest(), copy


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFoundError("file", str(path)) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", allowed="a file") from error


def _key(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise InputError(f"{digest[:80]!r} is not the digest of an artifact.", allowed="64 hexadecimal digits")
    return f"{digest[:2]}/{digest[2:]}"


s3 = partial(ObjectBlobs, "s3")
gs = partial(ObjectBlobs, "gs")
az = partial(ObjectBlobs, "az")

if TYPE_CHECKING:
    _: BlobStore = s3("")
