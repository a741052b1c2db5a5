"""Where a run is shipped to: the little that a store, or a server in front of one, must be able to do."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec

from heptad.core.errors import InputError, NotFoundError
from heptad.core.query import Compare, Query
from heptad.core.records import Attribute, Change, Id, Link, NewEvent, RawRecord, Record, Scalar
from heptad.core.store import Segment
from heptad.core.workspace import Workspace
from heptad.experiments.beginning import attributes_of
from heptad.experiments.files import ATTACHED
from heptad.experiments.journal.messages import RunBegin, RunUpdate
from heptad.experiments.naming import experiment_named
from heptad.experiments.records import Run

MISSING = "missing."
"""In front of role and id, in the key of an attribute: what a run says it is made from, and what is not here."""


class RunTarget(Protocol):
    """Takes what journals hold. Used by one thread of a process at a time.

    Promised: what a call took is durable when it returns. Taking a thing again changes nothing: files go by their
    content, points by their index, runs by their id, updates by their key. So whoever ships may repeat whatever was
    not answered.

    Errors: `Retryable` and `WorkspaceError` where the same call may succeed later, `RequestError` where a server
    refuses it; anything else means never.
    """

    def put(self, files: Sequence[bytes | Path | BinaryIO]) -> list[str]:
        """Keep bytes, files or streams; answers their digests, in the same order."""
        ...

    def begin(self, begin: RunBegin) -> None:
        """Begin a run. What it is linked to and what is not there is noted as an attribute."""
        ...

    def append(self, segments: Sequence[Segment]) -> None:
        """See `Store.append`."""
        ...

    def update(self, update: RunUpdate) -> None:
        """Change what stands beside a run."""
        ...

    def close(self) -> None:
        """Let go of connections; another call opens them anew."""
        ...


class WorkspaceTarget:
    """Ships to a workspace, whichever store and artifacts it has."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def put(self, files: Sequence[bytes | Path | BinaryIO]) -> list[str]:
        return self._workspace.blobs.put_many(files)

    def begin(self, begin: RunBegin, more: Mapping[str, Scalar] | None = None) -> None:
        """See `RunTarget.begin`; `more` are attributes that whoever takes it adds."""
        links, missing = self._found(begin.links)
        now, run = moment(begin.at), begin.run
        record: RawRecord = Record(
            id=run,
            kind=Run.kind,
            scope=experiment_named(self._workspace, begin.body.experiment).body.scope,
            at=now,
            actor=begin.actor,
            body=msgspec.to_builtins(begin.body),
        )
        attributes = attributes_of(begin.body, now) | missing | dict(more or {})
        self._workspace.store.write(
            Change(
                records=[record],
                links=[Link(run, role, target) for role, target in links],
                attributes=[Attribute(run, key, value) for key, value in attributes.items()],
                at=now,
                actor=begin.actor,
                key=f"save:{run}",
            )
        )
        self._join(run, [target for role, target in begin.links if role == "parent" and (role, target) not in links])

    def append(self, segments: Sequence[Segment]) -> None:
        self._workspace.store.append(segments)

    def update(self, update: RunUpdate) -> None:
        links, missing = self._found(update.links)
        files: dict[str, Scalar] = {f"{ATTACHED}{path}": digest for path, digest in update.files.items()}
        values = missing | update.attributes | files
        events = [NewEvent(kind=update.event, subject=update.run, body=_told(update))] if update.event else []
        self._workspace.store.write(
            Change(
                attributes=[Attribute(update.run, key, value) for key, value in values.items()],
                links=[Link(update.run, role, target) for role, target in links],
                events=events,
                at=moment(update.at),
                actor=update.actor,
                # Applied once, also where it is shipped again after somebody else changed the same attribute.
                key=f"shipped:{update.run}:{update.key}" if update.key else "",
            )
        )

    def close(self) -> None:
        """Nothing here is held."""

    def _found(self, links: Sequence[tuple[str, Id]]) -> tuple[list[tuple[str, Id]], dict[str, Scalar]]:
        """The links whose targets are there; the others as attributes."""
        there = [one for one in links if self._is_there(one[1])]
        return there, {f"{MISSING}{role}.{target}": True for role, target in links if (role, target) not in there}

    def _is_there(self, identity: Id) -> bool:
        try:
            return bool(self._workspace.store.get([identity], ()))
        except (NotFoundError, InputError):
            return False

    def _join(self, run: Id, parents: Sequence[Id]) -> None:
        """Link a run that has just begun to parents that were missing, and runs that missed it to it.

        Each of two that arrive at the same moment is written before it looks for the other, so one sees the other.
        """
        key = f"{MISSING}parent.{run}"
        waiting = self._workspace.store.find(Query(kind=Run.kind, where=Compare(key, "exists", True), attributes=()))
        pairs = [(child.id, run) for child in waiting.items]
        pairs += [(run, parent) for parent in parents if self._is_there(parent)]
        for child, parent in pairs:
            self._workspace.store.write(
                Change(
                    links=[Link(child, "parent", parent)],
                    attributes=[Attribute(child, f"{MISSING}parent.{parent}", None)],
                    key=f"parent:{child}:{parent}",
                )
            )


def moment(seconds: float) -> datetime:
    """The aware UTC moment so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def _told(update: RunUpdate) -> dict[str, Any]:
    """What the event says. JSON has no NaN and no infinity, so that it says their names."""
    values = update.attributes
    if update.event == "experiments.run_finished":
        return {key: values[key] for key in ("status", "reason") if key in values}
    told: dict[str, Any] = {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }
    return told | ({"files": len(update.files)} if update.files else {})


_: type[RunTarget] = WorkspaceTarget
