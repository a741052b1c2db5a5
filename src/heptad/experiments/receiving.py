"""Takes runs that other processes ship: every message is checked as if it came from a stranger, and applied once."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

import msgspec
from blake3 import blake3

from heptad.core.errors import NotFoundError, RefusedError, UnavailableError
from heptad.core.identity import current_actor
from heptad.core.records import Id, RawRecord, Scalar
from heptad.core.store import at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.journal.checking import (
    LONGEST_NAME,
    MOST_DIGESTS,
    check_begin,
    check_digest,
    check_run,
    check_update,
    refuse,
    segments_of,
)
from heptad.experiments.journal.messages import Points, RunBegin, RunState, RunUpdate
from heptad.experiments.journal.target import WorkspaceTarget
from heptad.experiments.records import Run

REMOTE = "remote"
"""Attribute of runs that began here; no other run is touched."""


class Receiver:
    """What runs of other processes may do to a workspace. Safe to use from many threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._target = WorkspaceTarget(workspace)

    def begin(self, begin: RunBegin) -> None:
        """Begin a run, or find that it has begun. Raises `InputError`, and `RefusedError` for an id that is taken."""
        check_begin(begin)
        environment = begin.body.environment
        self._check_files([environment] if environment else [])
        try:
            self._run(begin.run)
        except NotFoundError:
            taken = msgspec.structs.replace(begin, at=self._at(begin.at), actor=current_actor())
            user = begin.actor.partition(":")[2][:LONGEST_NAME]
            began: dict[str, Scalar] = {REMOTE: True, "started": begin.at}
            self._target.begin(taken, began | ({"user": user} if user else {}))

    def append(self, run: Id, points: Points) -> None:
        """Add points; those that are there already are ignored. Their times are those of whoever logged them."""
        segments = segments_of(run, points)
        self._run(run)
        self._target.append(segments)

    def update(self, update: RunUpdate) -> None:
        """Change what stands beside a run."""
        check_update(update)
        self._check_files(list(update.files.values()))
        self._run(update.run)
        self._target.update(msgspec.structs.replace(update, at=self._at(update.at), actor=current_actor()))

    def state(self, run: Id) -> RunState:
        """How a run stands, for whoever goes on with it."""
        record = self._run(run, None)
        return RunState(status=str(record.attributes.get("status")), series=series_lengths(self._workspace, record))

    def lacking(self, digests: Sequence[str]) -> list[str]:
        """Those of the files that have to be sent."""
        if len(digests) > MOST_DIGESTS:
            refuse("number of digests", str(len(digests)), f"up to {MOST_DIGESTS:,}")
        return [digest for digest in dict.fromkeys(digests) if not self._holds(digest)]

    def keep(self, digest: str, content: BinaryIO) -> None:
        """Keep a file, which is checked while it comes in; another one than it is said to be is not kept."""
        check_digest(digest)
        self._workspace.blobs.put(cast("BinaryIO", _Claimed(content.read, digest)))

    def _run(self, identity: Id, attributes: Sequence[str] | None = (REMOTE,)) -> RawRecord:
        """The run of that id, where it began here; raises `NotFoundError` and `RefusedError`."""
        check_run(identity)
        (record,) = self._workspace.store.get([identity], attributes)
        if record.kind != Run.kind or not record.attributes.get(REMOTE):
            raise RefusedError(f"{identity} did not begin by way of this server.", remedy="begin a run of your own")
        return record

    def _check_files(self, digests: Sequence[str]) -> None:
        """Files come before what names them."""
        for digest in digests:
            if not self._holds(digest):
                raise UnavailableError(f"The file {digest} has not arrived.", remedy="send it, then do this again")

    def _holds(self, digest: str) -> bool:
        check_digest(digest)
        try:
            return self._workspace.blobs.size(digest) >= 0
        except NotFoundError:
            return False

    def _at(self, at: float) -> float:
        """When it was, by whoever logged it, but not after now: records and events are in the order of this clock."""
        return min(at, at_seconds(self._workspace.clock.now()))


def series_lengths(workspace: Workspace, record: RawRecord) -> dict[str, int]:
    """How many points each series of a run has."""
    names = [name.removeprefix("metrics.") for name in record.attributes if name.startswith("metrics.")]
    return {name: len(workspace.store.read(record.id, name).steps) for name in names}


class _Claimed:
    """A stream whose end is an error where its bytes are not those of the digest."""

    def __init__(self, read: Callable[[int], bytes], digest: str) -> None:
        self._read, self._digest = read, digest
        self._hasher = blake3()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._read(size)
        self._hasher.update(piece)
        if not piece and self._hasher.hexdigest() != self._digest:
            refuse("digest", self._digest, f"that of what was sent, {self._hasher.hexdigest()}")
        return piece
