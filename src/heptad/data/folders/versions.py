"""Versions of folders among the records: written, found, forgotten."""

import re
from collections.abc import Sequence
from functools import partial

import msgspec

from heptad.core import graph
from heptad.core.errors import NotFoundError, RefusedError
from heptad.core.graph import find_alias
from heptad.core.identity import as_reason
from heptad.core.query import Order, Query, equals
from heptad.core.records import AliasMove, Attribute, Change, NewEvent, Record
from heptad.core.workspace import Workspace
from heptad.data.folders.records import FolderVersion
from heptad.data.folders.stored import Stored

LATEST = "latest"
FORGOTTEN = "forgotten"
"""Attribute of versions whose bytes were given up: the reason."""
_STORED, _ARTIFACTS = "stored", "artifacts"
MOST = 1000
_DIGEST = re.compile(r"[0-9a-f]{6,64}")


_SHOWN = ("name", "version", "digest", _STORED, FORGOTTEN)
"""Attributes to fetch with many versions; the list of artifacts is long, and only garbage collection reads it."""
_query = partial(Query, kind=FolderVersion.kind, attributes=_SHOWN)


def scope_of(workspace: Workspace, name: str) -> str:
    return f"{workspace.name}:{name}"


def log(workspace: Workspace, name: str) -> list[Record[FolderVersion]]:
    """The versions of a folder, newest first."""
    return graph.find(workspace, FolderVersion, _query(scopes=[scope_of(workspace, name)]), MOST)


def names(workspace: Workspace) -> list[str]:
    """Every folder that has a version, among the newest thousand of them."""
    found = graph.find(workspace, FolderVersion, _query(), MOST)
    return sorted({one.body.name for one in found if one.scope == scope_of(workspace, one.body.name)})


def latest(workspace: Workspace, name: str) -> Record[FolderVersion] | None:
    """The newest version that was not forgotten."""
    return find_alias(workspace, scope_of(workspace, name), LATEST, FolderVersion)


def stored_of(record: Record[FolderVersion]) -> str:
    """The artifact that a pointer to this version names; raises `NotFoundError` where it was forgotten."""
    stored = record.attributes.get(_STORED)
    if not stored:
        raise NotFoundError(
            "data any more of",
            f"{record.body.name}@{record.body.version}",
            remedy=f"it was forgotten: {record.attributes.get(FORGOTTEN)}",
        )
    return str(stored)


def by_stored(workspace: Workspace, stored: str) -> Record[FolderVersion] | None:
    """The newest version that is stored so."""
    found = graph.find(workspace, FolderVersion, _query(where=equals(stored=stored)), 1)
    return found[0] if found else None


def by_digest(workspace: Workspace, name: str, digest: str) -> Record[FolderVersion] | None:
    """The newest version of a folder with these contents that was not forgotten."""
    query = _query(scopes=[scope_of(workspace, name)], where=equals(digest=digest))
    return next((one for one in graph.find(workspace, FolderVersion, query, MOST) if one.attributes.get(_STORED)), None)


def find_folder_version(workspace: Workspace, ref: str) -> Record[FolderVersion] | None:
    """The version by `NAME@NUMBER`, `NAME@TAG`, `NAME@DIGEST` (the first digits), `NAME`, `NAME@latest`, or its id.

    `None` where no folder is called so; raises `NotFoundError` where one is, and has no such version.
    """
    if ref.startswith(f"{FolderVersion.prefix}-"):
        return graph.load(workspace, ref, FolderVersion)
    name, _, which = ref.rpartition("@") if "@" in ref else (ref, "", LATEST)
    there = log(workspace, name)
    if not there:
        # A name may hold an @ itself.
        name, which, there = ref, LATEST, log(workspace, ref)
    if not there:
        return None
    if which == LATEST:
        found = latest(workspace, name)
    elif which.isdecimal() and len(which) < 6:
        query = _query(scopes=[scope_of(workspace, name)], where=equals(version=int(which)))
        found = next(iter(graph.find(workspace, FolderVersion, query, 1)), None)
    elif (found := find_alias(workspace, scope_of(workspace, name), which, FolderVersion)) is None:
        alike = [one for one in there if _DIGEST.fullmatch(which) and one.body.digest.startswith(which)]
        found = alike[0] if alike else None
    if found is None:
        raise NotFoundError("version", ref, [f"{name}@{one.body.version}" for one in there])
    return found


def record_version(
    workspace: Workspace, body: FolderVersion, stored: Stored, bases: Sequence[Record[FolderVersion]]
) -> Record[FolderVersion]:
    """Write a version, numbered after the last one; `bases` are those whose packs it may share, the latest among them.

    Raises `ConflictError` where somebody else was faster, or forgot one of these meanwhile.
    """
    scope = scope_of(workspace, body.name)
    previous = next((one for one in bases if one.scope == scope and LATEST in one.aliases), None)
    elsewhere = {one.scope for one in bases if one.scope != scope}
    others = {where: find_alias(workspace, where, LATEST, FolderVersion) for where in sorted(elsewhere)}
    order = [Order("version", descending=True)]
    newest = graph.find(workspace, FolderVersion, _query(scopes=[scope], order=order), 1)
    number = newest[0].body.version + 1 if newest else 1
    return graph.save(
        workspace,
        msgspec.structs.replace(body, version=number),
        scope=scope,
        made_from=[("previous", previous.id)] if previous else [],
        attributes={
            "name": body.name,
            "version": number,
            "digest": body.digest,
            _STORED: stored.digest,
            _ARTIFACTS: " ".join(stored.artifacts()),
        },
        aliases=[
            AliasMove(scope=scope, name=LATEST, target="@", expected=previous.aliases[LATEST] if previous else 0),
            *(
                AliasMove(scope=where, name=LATEST, target=held.id if held else None, expected=_held(held))
                for where, held in others.items()
            ),
        ],
        event="data.folder_added",
        event_body={"name": body.name, "digest": body.digest, "files": body.files, "bytes": body.bytes},
    )


def forget(workspace: Workspace, record: Record[FolderVersion], reason: str) -> None:
    """Give up the bytes of a version: garbage collection may then free what no other version needs.

    The record stays, with the reason. Raises `RefusedError` where it has a tag, `ConflictError` where a version was
    added or tagged meanwhile, which may have built on this one.
    """
    reason, name = as_reason(reason), record.body.name
    stored_of(record)
    if tags := sorted(record.aliases.keys() - {LATEST}):
        raise RefusedError(
            f"{name}@{record.body.version} is tagged {', '.join(tags)}.",
            remedy=f"remove the tag first: heptad data tag {name}@{tags[0]} --remove",
        )
    now = latest(workspace, name)
    left = [one for one in log(workspace, name) if one.id != record.id and one.attributes.get(_STORED)]
    target = left[0].id if left else None
    if now is None:
        raise RefusedError(f"{name} has no version that was not forgotten.")
    workspace.store.write(
        Change(
            attributes=[
                Attribute(record.id, _STORED, None),
                Attribute(record.id, _ARTIFACTS, None),
                Attribute(record.id, FORGOTTEN, reason),
            ],
            # Also where it stays the same: whoever adds a version just now has looked at this one.
            aliases=[
                AliasMove(scope=scope_of(workspace, name), name=LATEST, target=target, expected=now.aliases[LATEST])
            ],
            events=[NewEvent(kind="data.folder_forgotten", subject=record.id, body={"reason": reason})],
            at=workspace.clock.now(),
        )
    )


def existing(versions: Sequence[Record[FolderVersion]]) -> list[Record[FolderVersion]]:
    """Those that were not forgotten."""
    return [one for one in versions if one.attributes.get(_STORED)]


def _held(record: Record[FolderVersion] | None) -> int:
    return record.aliases[LATEST] if record else 0
