"""Where a run is shipped to: the little that a store, or a server in front of one, must be able to do."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from heptad.core.records import Change
from heptad.core.store import Segment
from heptad.core.workspace import Workspace


class RunTarget(Protocol):
    """Takes what journals hold. Used by one thread of a process at a time.

    Promised: what a call took is durable when it returns. Taking a thing again changes nothing: files go by their
    content, points by their index, changes by their key. So whoever ships may repeat whatever was not answered.

    Errors: `Retryable` and `WorkspaceError` where the same call may succeed later; anything else means never.
    """

    def put(self, files: Sequence[bytes | Path | BinaryIO]) -> list[str]:
        """Keep bytes, files or streams; answers their digests, in the same order."""
        ...

    def append(self, segments: Sequence[Segment]) -> None:
        """See `Store.append`."""
        ...

    def write(self, change: Change) -> None:
        """See `Store.write`."""
        ...


class WorkspaceTarget:
    """Ships to a workspace, whichever store and artifacts it has."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def put(self, files: Sequence[bytes | Path | BinaryIO]) -> list[str]:
        return self._workspace.blobs.put_many(files)

    def append(self, segments: Sequence[Segment]) -> None:
        self._workspace.store.append(segments)

    def write(self, change: Change) -> None:
        self._workspace.store.write(change)


_: type[RunTarget] = WorkspaceTarget
