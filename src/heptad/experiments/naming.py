"""Experiments by name and number: each groups runs under a scope that stays, whatever it is called later."""

from collections.abc import Mapping

import msgspec

from heptad.core import graph
from heptad.core.errors import ConflictError, InputError, NotFoundError
from heptad.core.identity import current_actor
from heptad.core.query import Query, equals
from heptad.core.records import (
    AliasMove,
    Attribute,
    Change,
    Id,
    NewEvent,
    RawRecord,
    Record,
    Scalar,
    derived_id,
    digest_of,
    new_id,
)
from heptad.core.store import at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.records import Experiment, Run

NAMES, NUMBERS = "experiment", "experiment.number"
"""Scopes of the aliases that let each name and number belong to one."""
LONGEST_ALIAS = 400
DEFAULT = "Default"


def experiment_of_scope(workspace: Workspace, scope: str) -> Record[Experiment]:
    """The experiment whose runs have that scope, made where there are only runs yet."""
    return _first(workspace, scope=scope) or experiment_named(workspace, scope)


def experiment_named(workspace: Workspace, name: str) -> Record[Experiment]:
    """The experiment of that name, made where there is none."""
    found = find_experiment(workspace, name)
    if found is None:
        try:
            found = create_experiment(workspace, name)
        except ConflictError:
            found = find_experiment(workspace, name)
            if found is None:
                raise
    return found


def find_experiment(workspace: Workspace, name: str) -> Record[Experiment] | None:
    """The experiment that is called so now."""
    return _first(workspace, name=name)


def numbered_experiment(workspace: Workspace, number: int) -> Record[Experiment] | None:
    """The experiment by its number, as clients of MLflow name it; 0 is their default, made where there is none."""
    found = _first(workspace, number=number)
    return _default(workspace) if found is None and number == 0 else found


def create_experiment(
    workspace: Workspace, name: str, attributes: Mapping[str, Scalar] | None = None, number: int | None = None
) -> Record[Experiment]:
    """A new experiment; raises `ConflictError` where one has the name, or the number where that is given."""
    scope, identity = name, derived_id(Experiment.prefix, name)
    if _alias(name) != name or _is_there(workspace, identity):
        scope = identity = new_id(Experiment.prefix)
    chosen = _after_newest(workspace) if number is None else number
    while True:
        try:
            _write(workspace, identity, Experiment(name=name, number=chosen, scope=scope), attributes or {})
        except InputError as error:
            # Another made this very record since it was looked for: the name is his, unless he gave it away by now.
            if not _is_there(workspace, identity):
                raise
            if find_experiment(workspace, name) is not None:
                raise ConflictError(f"There is an experiment {name!r} already.") from error
            scope = identity = new_id(Experiment.prefix)
        except ConflictError:
            # Another took the number meanwhile, and the next one may be free; or the name, which is final.
            if number is not None or find_experiment(workspace, name) is not None:
                raise
            chosen += 1
        else:
            return graph.load(workspace, identity, Experiment)


def rename_experiment(workspace: Workspace, experiment: Record[Experiment], name: str) -> None:
    """Call it otherwise from now on; its runs stay where they are. Raises `ConflictError` for a name that is taken."""
    known = str(experiment.attributes["name"])
    if name == known:
        return
    now = workspace.clock.now()
    workspace.store.write(
        Change(
            attributes=[
                Attribute(experiment.id, "name", name),
                Attribute(experiment.id, "updated", at_seconds(now)),
            ],
            aliases=[
                AliasMove(scope=NAMES, name=_alias(name), target=experiment.id, expected=0),
                AliasMove(scope=NAMES, name=_alias(known), target=None),
            ],
            events=[NewEvent(kind="experiments.experiment_changed", subject=experiment.id, body={"name": name})],
            expected=[Attribute(experiment.id, "name", known)],
            at=now,
        )
    )


def adopt_runs(workspace: Workspace) -> None:
    """Make an experiment for every scope that has runs, and the default one; done once in a workspace."""
    if _first(workspace, number=0) is not None:
        return
    query, after = Query(kind=Run.kind, attributes=()), None
    scopes: list[str] = []
    while True:
        page = workspace.store.find(query, after, 1000)
        scopes += [record.scope for record in page.items]
        after = page.after
        if after is None:
            break
    for scope in dict.fromkeys(reversed(scopes)):
        experiment_of_scope(workspace, scope)
    _default(workspace)


def _default(workspace: Workspace) -> Record[Experiment]:
    try:
        return create_experiment(workspace, DEFAULT, number=0)
    except ConflictError:
        # Another process made it; or somebody called one of theirs so before there was a default.
        found = _first(workspace, number=0)
        return found or create_experiment(workspace, f"{DEFAULT} of MLflow", number=0)


def _write(workspace: Workspace, identity: Id, body: Experiment, attributes: Mapping[str, Scalar]) -> None:
    now, actor = workspace.clock.now(), current_actor()
    known = {"name": body.name, "number": body.number, "scope": body.scope, "updated": at_seconds(now), **attributes}
    record: RawRecord = Record(
        id=identity,
        kind=body.kind,
        scope=workspace.name,
        at=now,
        actor=actor,
        body=msgspec.to_builtins(body),
        attributes=known,
    )
    moves = [
        AliasMove(scope=NAMES, name=_alias(body.name), target=identity, expected=0),
        AliasMove(scope=NUMBERS, name=str(body.number), target=identity, expected=0),
    ]
    event = NewEvent(
        kind="experiments.experiment_added", subject=identity, body={"name": body.name, "number": body.number}
    )
    workspace.store.write(Change(records=[record], aliases=moves, events=[event], at=now, actor=actor))


def _first(workspace: Workspace, **attributes: Scalar) -> Record[Experiment] | None:
    found = graph.find(workspace, Experiment, Query(kind=Experiment.kind, where=equals(**attributes)), 1)
    return found[0] if found else None


def _after_newest(workspace: Workspace) -> int:
    newest = graph.find(workspace, Experiment, Query(kind=Experiment.kind), 1)
    return newest[0].body.number + 1 if newest else 1


def _is_there(workspace: Workspace, identity: Id) -> bool:
    try:
        return bool(workspace.store.get([identity], ()))
    except NotFoundError:
        return False


def _alias(name: str) -> str:
    """The name, or where it is too long for an alias, a digest of it."""
    return name if len(name.encode()) <= LONGEST_ALIAS else f"blake3:{digest_of(name.encode())}"
