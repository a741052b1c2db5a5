"""The contract of the artifact store: bytes, named by their BLAKE3 digest."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol


class BlobStore(Protocol):
    """Where artifacts are kept. Safe to use from many threads and processes at once.

    Promised: a digest that was returned names bytes that are durable and complete (temporary file, sync,
    rename); equal bytes are stored once; what is read is verified, and `IntegrityError` says which
    artifact differs. Storing the same bytes again checks the copy that is there, replaces it where it is
    damaged, and makes it young again. Not promised: any order among concurrent writers, or that an artifact
    without a reference outlives a garbage collection for longer than the age that it spares.

    Errors: `InputError` for what is no digest or no readable file, `NotFoundError` for an artifact that is not
    there, `WorkspaceError` where the place is full, read-only or closed to this user; nothing is left behind then.
    """

    def put(self, data: bytes | Path | BinaryIO) -> str:
        """Store bytes, a file (copied, never moved) or a stream; answers the digest."""
        ...

    def put_many(self, sources: Iterable[bytes | Path | BinaryIO]) -> list[str]:
        """Store all of them as they come, or none, with one sync for all; digests in the same order."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes, verified; raises `NotFoundError` or `IntegrityError`."""
        ...

    def open(self, digest: str, start: int = 0) -> BinaryIO:
        """A stream of the bytes; it raises `IntegrityError` at the end where they were not the right ones.

        From a later `start` nothing before it is read, and nothing is verified: the digest is that of the whole.
        """
        ...

    def size(self, digest: str) -> int:
        """Bytes; raises `NotFoundError`."""
        ...

    def digests(self, older_than: timedelta = timedelta()) -> Iterator[str]:
        """Every artifact that was last put at least so long ago, in any order."""
        ...

    def delete(self, digests: Iterable[str], older_than: timedelta = timedelta()) -> int:
        """Remove artifacts, also ones already gone; answers the bytes freed. Callers check references first.

        One that was put again more recently than `older_than` stays: somebody is about to refer to it.
        """
        ...
