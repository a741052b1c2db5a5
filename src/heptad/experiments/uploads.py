"""Files that come in parts: each part is kept as it arrives, so that an upload goes on after any process was killed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError, RefusedError
from heptad.core.records import Attribute, Change, Id, Record
from heptad.core.workspace import Workspace
from heptad.experiments.files import link_file, refuse_clash
from heptad.experiments.records import Upload

MOST_PARTS = 10_000
_PART = "part."
_BUFFER = 1 << 20


class Uploads:
    """Uploads of one workspace. What is done twice, as after a lost reply, is done once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def begin(self, owner: Record[Any], name: str, parts: int) -> Record[Upload]:
        """An upload of a file of a record in so many parts, numbered from 1."""
        if not 1 <= parts <= MOST_PARTS:
            raise InputError(f"A file cannot come in {parts} parts.", allowed=f"1 to {MOST_PARTS:,}")
        refuse_clash(self._workspace, owner, name)
        body = Upload(owner=owner.id, name=name, parts=parts)
        return graph.save(
            self._workspace,
            body,
            scope=owner.id,
            made_from=[("owner", owner.id)],
            attributes={"status": "open"},
        )

    def find(self, upload: Id, owner: Record[Any], name: str) -> Record[Upload]:
        """The upload of that id, where it is one of this file; raises `NotFoundError`."""
        found = self.get(upload)
        if (found.body.owner, found.body.name) != (owner.id, name):
            raise NotFoundError("upload of this file", upload, remedy="begin one")
        return found

    def get(self, upload: Id) -> Record[Upload]:
        """The upload of that id; raises `NotFoundError`."""
        try:
            return graph.load(self._workspace, upload, Upload)
        except NotFoundError:
            raise NotFoundError("upload of this file", upload, remedy="begin one") from None

    def receive(self, upload: Record[Upload], number: int, content: BinaryIO) -> str:
        """Keep a part, in place of the one that has its number; answers its digest."""
        if not 1 <= number <= upload.body.parts:
            raise InputError(f"The upload has no part {number}.", allowed=f"1 to {upload.body.parts}")
        _require(upload, "open")
        digest = self._workspace.blobs.put(content)
        self._write([Attribute(upload.id, f"{_PART}{number}", digest)])
        return digest

    def complete(self, upload: Record[Upload], owner: Record[Any], expected: Sequence[tuple[int, str]] = ()) -> None:
        """Join the parts to the file. `expected` are the number and digest of each, as whoever sent them knows them."""
        if upload.attributes.get("status") == "complete":
            return
        _require(upload, "open")
        numbers = range(1, upload.body.parts + 1)
        digests = [str(upload.attributes.get(f"{_PART}{number}", "")) for number in numbers]
        missing = [number for number, digest in zip(numbers, digests, strict=True) if not digest]
        if missing:
            raise InputError(
                f"Part {missing[0]} of {upload.body.parts} has not arrived.", remedy="send it, then complete"
            )
        for number, digest in expected:
            if number not in numbers or digest != digests[number - 1]:
                raise InputError(
                    f"Part {number} is not the one that arrived last.", remedy="send it again, then complete"
                )
        refuse_clash(self._workspace, owner, upload.body.name)
        with closing(_Joined(self._workspace.blobs.open, digests)) as parts:
            digest = self._workspace.blobs.put(BufferedReader(parts, _BUFFER))
        link_file(self._workspace, owner, upload.body.name, digest)
        self._close(upload, "complete")

    def abort(self, upload: Record[Upload]) -> None:
        """Give up the parts of an upload that is not complete."""
        if upload.attributes.get("status") == "open":
            self._close(upload, "aborted")

    def _close(self, upload: Record[Upload], status: str) -> None:
        parts = [Attribute(upload.id, key, None) for key in upload.attributes if key.startswith(_PART)]
        self._write([*parts, Attribute(upload.id, "status", status)])

    def _write(self, attributes: Sequence[Attribute]) -> None:
        self._workspace.store.write(Change(attributes=attributes, at=self._workspace.clock.now()))


def _require(upload: Record[Upload], status: str) -> None:
    found = upload.attributes.get("status")
    if found != status:
        raise RefusedError(f"The upload is {found}.", remedy="begin another one")


class _Joined(RawIOBase):
    """Artifacts one behind the other as one stream, opened one at a time."""

    def __init__(self, opener: Callable[[str], BinaryIO], digests: Sequence[str]) -> None:
        super().__init__()
        self._parts: Iterator[BinaryIO] = map(opener, digests)
        self._part: BinaryIO | None = next(self._parts, None)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while self._part is not None:
            data = self._part.read(len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            self._part.close()
            self._part = next(self._parts, None)
        return 0

    def close(self) -> None:
        if self._part is not None:
            self._part.close()
        super().close()
