"""Results of the project's own flows: a cache that may hold rows, and that is computed again where it is gone."""

import re
from collections.abc import Collection, Iterator

import msgspec

from heptad.core.flow_cache import TaskResult
from heptad.core.graph import every
from heptad.core.records import Body, Id, Record, canonical_json
from heptad.core.workspace import Workspace
from heptad.data import rewrite_records
from heptad.lifecycle.erasing.models import SHORTEST


def results(workspace: Workspace) -> Iterator[Record[TaskResult]]:
    """All results of all flows."""
    return every(workspace, TaskResult)


def forget_results(workspace: Workspace, values: Collection[str]) -> None:
    """Let go of the artifacts of all results, and of the results that name one of the values themselves.

    Tables in artifacts are packed, so that nobody can tell whose rows are in one without its function. A result
    without its artifacts, or without its key, is not found again, and its task is run when it is asked for.
    """
    wanted = [re.escape(canonical_json(value)[1:-1]) for value in values if len(value) >= SHORTEST]
    named = re.compile(b"|".join(wanted)) if wanted else None
    bodies: dict[Id, Body] = {}
    for result in results(workspace):
        body = result.body
        if body.artifacts:
            body = msgspec.structs.replace(body, key="", value=None, artifacts=[])
        elif named and named.search(canonical_json(body.value)):
            body = msgspec.structs.replace(body, key="", value=None)
        if body is not result.body:
            bodies[result.id] = body
    if bodies:
        rewrite_records(workspace, bodies)
