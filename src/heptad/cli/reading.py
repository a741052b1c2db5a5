"""Records for commands that only show them: found in the store, without loading the step that makes them."""

from typing import TypeVar

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.query import Query
from heptad.core.records import Body, Record
from heptad.core.workspace import Workspace

B = TypeVar("B", bound=Body)


def newest_records(workspace: Workspace, kind: type[B], limit: int) -> list[Record[B]]:
    """The project's last records of a kind, newest first."""
    return graph.find(workspace, kind, Query(kind=kind.kind, scopes=[workspace.name]), limit)


def record_named(workspace: Workspace, kind: type[B], ref: str, remedy: str) -> Record[B]:
    """The record with an id, or the newest by the name `latest`; `remedy` says how the first one comes about."""
    if ref != "latest":
        return graph.load(workspace, ref, kind)
    newest = newest_records(workspace, kind, 1)
    if not newest:
        raise NotFoundError(kind.kind.replace("_", " "), ref, remedy=remedy)
    return newest[0]
