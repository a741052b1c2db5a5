"""Records for commands that only show them: found in the store, without loading the step that makes them."""

from typing import TypeVar

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError
from heptad.core.query import Query
from heptad.core.records import Body, Record
from heptad.core.workspace import Workspace

B = TypeVar("B", bound=Body)
MOST_NAMED = 5
"""Records that an error names, where the one that was asked for does not exist."""


def newest_records(workspace: Workspace, kind: type[B], limit: int) -> list[Record[B]]:
    """The project's last records of a kind, newest first."""
    return graph.find(workspace, kind, Query(kind=kind.kind, scopes=[workspace.name]), limit)


def record_named(workspace: Workspace, kind: type[B], ref: str, remedy: str) -> Record[B]:
    """The record with an id, or the newest by the name `latest`; `remedy` says how the first one comes about."""
    what, newest = kind.kind.replace("_", " "), newest_records(workspace, kind, MOST_NAMED)
    if not newest:
        raise InputError(f"There is no {what} yet.", remedy=remedy)
    if ref == "latest":
        return newest[0]
    try:
        return graph.load(workspace, ref, kind)
    except NotFoundError as error:
        raise NotFoundError(what, ref, ["latest", *(one.id for one in newest)], remedy=error.remedy) from error
