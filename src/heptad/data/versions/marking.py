"""What people say of versions: tags, and that the latest was a mistake. Every act is one transaction and an event."""

import re
from collections.abc import Sequence
from typing import TypeAlias

from heptad.core import graph
from heptad.core.errors import ConflictError, InputError, RefusedError
from heptad.core.graph import find_alias
from heptad.core.identity import as_reason
from heptad.core.records import AliasMove, Attribute, Change, NewEvent, Record
from heptad.core.workspace import Workspace
from heptad.data.folders.records import FolderVersion
from heptad.data.folders.versions import scope_of, stored_of
from heptad.data.records import DatasetVersion
from heptad.data.versions.pruned import refuse_pruned
from heptad.data.versions.turns import collecting
from heptad.data.versions.versions import LATEST, alias_scope, latest, log

ROLLED_BACK = "rolled_back"
"""Attribute of versions that a rollback has left behind: the reason."""
_TAG = re.compile(r"[a-z][a-z0-9._-]{0,62}")


Version: TypeAlias = Record[DatasetVersion] | Record[FolderVersion]


def tag(workspace: Workspace, version: Version, name: str) -> None:
    """Name a version of the table or of a folder.

    A name stays where it is: raises `RefusedError` where it names another version already. What has a name is not
    pruned or forgotten; `DataError` or `NotFoundError` where the version was already.
    """
    if not _TAG.fullmatch(name) or name == LATEST:
        raise InputError(
            f"{name!r} cannot be a tag.",
            allowed="up to 63 small letters, digits, points, hyphens and underscores, a letter first; not latest",
        )
    tagged = _tagged(workspace, version, name)
    if tagged and tagged.id == version.id:
        return
    full = f"{version.body.name}@{name}" if isinstance(version.body, FolderVersion) else name
    refused = RefusedError(
        f"The tag {name} names another version.", remedy=f"remove it first: heptad data tag {full} --remove"
    )
    if tagged:
        raise refused
    with collecting(workspace):
        moves = [_move(workspace, version, name, version.id, 0), *_staying(workspace, version)]
        try:
            _write(workspace, version, "data.version_tagged", {"tag": name}, moves)
        except ConflictError as error:
            raise refused from error


def _staying(workspace: Workspace, version: Version) -> list[AliasMove]:
    """What keeps a version from being given up while it is tagged; raises where it was already."""
    if isinstance(version.body, DatasetVersion):
        refuse_pruned(graph.load(workspace, version.id, DatasetVersion))
        return []
    stored_of(graph.load(workspace, version.id, FolderVersion))
    # Forgetting moves it, too, and one of the two fails.
    newest = find_alias(workspace, scope_of(workspace, version.body.name), LATEST, FolderVersion)
    return [_move(workspace, newest, LATEST, newest.id, newest.aliases[LATEST])] if newest else []


def untag(workspace: Workspace, version: Version, name: str) -> None:
    """Take a tag away from a version; one that it does not have stays away."""
    tagged = _tagged(workspace, version, name)
    if tagged and tagged.id == version.id and name != LATEST:
        held = tagged.aliases[name]
        _write(workspace, tagged, "data.version_untagged", {"tag": name}, [_move(workspace, tagged, name, None, held)])


def tags_of(version: Version) -> list[str]:
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
        [_move(workspace, version, LATEST, version.id, now.aliases[LATEST])],
        marks,
    )


def _tagged(workspace: Workspace, version: Version, name: str) -> Version | None:
    scope = _scope(workspace, version)
    if isinstance(version.body, FolderVersion):
        return find_alias(workspace, scope, name, FolderVersion)
    return find_alias(workspace, scope, name, DatasetVersion)


def _scope(workspace: Workspace, version: Version) -> str:
    name = version.body.name
    return scope_of(workspace, name) if isinstance(version.body, FolderVersion) else alias_scope(name)


def _move(workspace: Workspace, version: Version, name: str, target: str | None, expected: int) -> AliasMove:
    return AliasMove(scope=_scope(workspace, version), name=name, target=target, expected=expected)


def _write(
    workspace: Workspace,
    version: Version,
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
