"""What people say of versions: tags, and that the latest was a mistake. Every act is one transaction and an event."""

import re
from collections.abc import Sequence

from heptad.core import graph
from heptad.core.errors import ConflictError, InputError, RefusedError
from heptad.core.graph import find_alias
from heptad.core.identity import as_reason
from heptad.core.records import AliasMove, Attribute, Change, NewEvent, Record
from heptad.core.workspace import Workspace
from heptad.data.records import DatasetVersion
from heptad.data.versions.pruned import refuse_pruned
from heptad.data.versions.turns import collecting
from heptad.data.versions.versions import LATEST, alias_scope, latest, log

ROLLED_BACK = "rolled_back"
"""Attribute of versions that a rollback has left behind: the reason."""
_TAG = re.compile(r"[a-z][a-z0-9._-]{0,62}")


def tag(workspace: Workspace, version: Record[DatasetVersion], name: str) -> None:
    """Name a version. A name stays where it is: raises `RefusedError` where it names another version already.

    What has a name is not pruned; `DataError` where the version was already.
    """
    if not _TAG.fullmatch(name) or name == LATEST:
        raise InputError(
            f"{name!r} cannot be a tag.",
            allowed="up to 63 small letters, digits, points, hyphens and underscores, a letter first; not latest",
        )
    tagged = _tagged(workspace, version.body.name, name)
    if tagged and tagged.id == version.id:
        return
    refused = RefusedError(
        f"The tag {name} names another version.", remedy=f"remove it first: heptad data tag {name} --remove"
    )
    if tagged:
        raise refused
    with collecting(workspace):
        refuse_pruned(graph.load(workspace, version.id, DatasetVersion))
        try:
            _write(workspace, version, "data.version_tagged", {"tag": name}, [_move(version, name, version.id, 0)])
        except ConflictError as error:
            raise refused from error


def untag(workspace: Workspace, data_set: str, name: str) -> None:
    """Take a tag away; one that does not exist stays away."""
    tagged = _tagged(workspace, data_set, name)
    if tagged and name != LATEST:
        held = tagged.aliases[name]
        _write(workspace, tagged, "data.version_untagged", {"tag": name}, [_move(tagged, name, None, held)])


def tags_of(version: Record[DatasetVersion]) -> list[str]:
    return sorted(version.aliases.keys() - {LATEST})


def roll_back(workspace: Workspace, version: Record[DatasetVersion], reason: str) -> None:
    """Make an earlier version the latest again; those after it stay, marked with the reason.

    The next collection builds on it, with a number of its own. Raises `ConflictError` where somebody else has
    recorded a version meanwhile, `DataError` where the rows of that version were given up.
    """
    reason, name = as_reason(reason), version.body.name
    with collecting(workspace):
        _roll_back(workspace, graph.load(workspace, version.id, DatasetVersion), name, reason)


def _roll_back(workspace: Workspace, version: Record[DatasetVersion], name: str, reason: str) -> None:
    refuse_pruned(version)
    now = latest(workspace, name)
    if now is None or now.id == version.id:
        return
    if ROLLED_BACK in version.attributes:
        raise RefusedError(
            f"{name}@{version.body.version} was rolled back itself: {version.attributes[ROLLED_BACK]}",
            remedy="choose a version before it",
        )
    later = [one for one in log(workspace, name) if one.body.version > version.body.version]
    marks = [Attribute(one.id, ROLLED_BACK, reason) for one in later if ROLLED_BACK not in one.attributes]
    _write(
        workspace,
        version,
        "data.version_rolled_back",
        {"reason": reason, "left_behind": [one.body.version for one in later]},
        [_move(version, LATEST, version.id, now.aliases[LATEST])],
        marks,
    )


def _tagged(workspace: Workspace, data_set: str, name: str) -> Record[DatasetVersion] | None:
    return find_alias(workspace, alias_scope(data_set), name, DatasetVersion)


def _move(version: Record[DatasetVersion], name: str, target: str | None, expected: int) -> AliasMove:
    return AliasMove(scope=alias_scope(version.body.name), name=name, target=target, expected=expected)


def _write(
    workspace: Workspace,
    version: Record[DatasetVersion],
    event: str,
    body: dict[str, object],
    moves: Sequence[AliasMove],
    marks: Sequence[Attribute] = (),
) -> None:
    said = {"name": version.body.name, "version": version.body.version, **body}
    workspace.store.write(
        Change(
            aliases=moves,
            attributes=marks,
            events=[NewEvent(kind=event, subject=version.id, body=said)],
            at=workspace.clock.now(),
        )
    )
