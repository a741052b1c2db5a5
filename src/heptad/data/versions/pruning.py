"""Gives up the rows of versions: they are marked in one transaction, then every file is deleted that no other names.

Interrupted before that transaction, nothing happened; after it, done again it finishes: what is to be deleted follows
from what the records keep. Versions that stay are not touched, nor is whoever reads them.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

import msgspec
import polars as pl
from deltalake import DeltaTable

from heptad.core.errors import RefusedError
from heptad.core.faults import boundary
from heptad.core.files import sync_files, sync_folder, write_atomically, writing
from heptad.core.garbage import DROPPED, SPARED, unreferenced
from heptad.core.identity import current_actor
from heptad.core.records import Attribute, Change, Id, NewEvent, Record, Scalar
from heptad.core.workspace import Workspace
from heptad.data.erasing.finding import every_version
from heptad.data.records import DatasetVersion
from heptad.data.versions.pruned import PRUNED_AT, PRUNED_BECAUSE, PRUNED_BY, SWEPT, is_pruned, with_rows
from heptad.data.versions.purging import shorten_log
from heptad.data.versions.remaining import GENERATION, REMAINING, as_it_is
from heptad.data.versions.tables import Table
from heptad.data.versions.versions import LATEST

_LOG, _LIMIT = "_delta_log", "minValues"

Version = Record[DatasetVersion]
_Act: TypeAlias = Callable[[Path, Sequence[Path], Collection[str] | None], None]
"""Told a table's folder, the files that may go, and the names of those that stay; `None`: no version is left."""


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted, or would be."""

    files: int = 0
    artifacts: int = 0
    bytes: int = 0


def mark_pruned(workspace: Workspace, reasons: Mapping[Id, str], versions: Sequence[Version]) -> None:
    """Say of versions, as they are now, that their rows are given up and why; to be called while nobody collects.

    Raises `RefusedError` for one that is the latest or has a tag.
    """
    at, actor = workspace.clock.now(), current_actor()
    changes: list[Attribute] = []
    events: list[NewEvent] = []
    for one in versions:
        _refuse_named(one)
        values: dict[str, Scalar] = {
            PRUNED_AT: at.isoformat(),
            PRUNED_BY: actor,
            PRUNED_BECAUSE: reasons[one.id],
            DROPPED: " ".join(sorted(_artifacts(workspace, one))),
        }
        changes += [Attribute(one.id, key, value) for key, value in values.items()]
        said = {"name": one.body.name, "version": one.body.version, "rows": one.body.rows, "reason": reasons[one.id]}
        events.append(NewEvent(kind="data.version_pruned", subject=one.id, body=said))
    boundary("pruning.before_mark")
    workspace.store.write(Change(attributes=changes, events=events, at=at, actor=actor))
    boundary("pruning.after_mark")


def unswept(versions: Sequence[Version]) -> list[Version]:
    """Those that were pruned, and whose files may be there still."""
    return [one for one in versions if is_pruned(one) and SWEPT not in one.attributes]


def sweep(workspace: Workspace) -> Freed:
    """Delete what only pruned versions needed; to be called while nobody collects. Done again, it finishes.

    The log of each table then begins with the oldest version that has its rows.

    Raises `IntegrityError`, before anything is deleted from a table, where a version that stays cannot be read.
    """
    versions = list(every_version(workspace))
    _shorten_logs(workspace, versions)
    # Projects may share a store; the files of another one are not here.
    waiting = [one for one in unswept(versions) if _folders(workspace, one) or one.body.name == workspace.name]
    if not waiting:
        return Freed()
    freed = _of_tables(workspace, versions, waiting, _delete)
    dropped = {digest for one in waiting for digest in str(one.attributes.get(DROPPED, "")).split()}
    unmentioned = dropped.intersection(unreferenced(workspace, SPARED))
    artifacts = workspace.blobs.delete(sorted(unmentioned), SPARED)
    total = Freed(files=freed.files, artifacts=len(unmentioned), bytes=freed.bytes + artifacts)
    at = workspace.clock.now()
    told = [NewEvent(kind="data.pruned_rows_deleted", subject=waiting[0].id, body=msgspec.structs.asdict(total))]
    marks = [Attribute(one.id, SWEPT, at.isoformat()) for one in waiting]
    workspace.store.write(Change(attributes=marks, events=told, at=at, actor=current_actor()))
    boundary("pruning.after_sweep")
    return total


def is_here(workspace: Workspace, version: Version) -> bool:
    """Whether a version that was not pruned has its table in this workspace: others may share the store."""
    return (workspace.tables / as_it_is(workspace, version).table / _LOG).is_dir()


def would_free(workspace: Workspace, versions: Sequence[Version]) -> Freed:
    """What pruning these versions would delete of tables, and of what earlier ones left that were cut off."""
    going = {one.id for one in versions}
    staying = [one for one in every_version(workspace) if one.id not in going]
    return _of_tables(workspace, staying, versions, lambda _folder, _stale, _named: None)


def _refuse_named(version: Version) -> None:
    tags = sorted(version.aliases.keys() - {LATEST})
    if LATEST in version.aliases:
        raise RefusedError(f"{version.body.name}@{version.body.version} is the latest version.")
    if tags:
        raise RefusedError(
            f"{version.body.name}@{version.body.version} has the tag {tags[0]}.",
            remedy=f"take it away first: heptad data tag {tags[0]} --remove",
        )


def _artifacts(workspace: Workspace, version: Version) -> set[str]:
    """What was stored for a version; another one may need the same."""
    left = version.attributes.get(REMAINING)
    return {version.body.profile, as_it_is(workspace, version).profile, *([str(left)] if left else [])}


def _of_tables(workspace: Workspace, staying: Sequence[Version], going: Sequence[Version], act: _Act) -> Freed:
    """`act` on the files that no staying version names, in every table of the data sets of those that are going."""
    kept = _numbers(workspace, staying)
    files, size = 0, 0
    for folder in sorted({folder for one in going for folder in _folders(workspace, one)}):
        numbers = kept.get(folder.name)
        named = {path for one in sorted(numbers) for path in Table(folder).files(one)} if numbers else None
        stale = _stale(folder, named or ())
        files, size = files + len(stale), size + sum(path.stat().st_size for path in stale)
        act(folder, stale, named)
    return Freed(files=files, bytes=size)


def _numbers(workspace: Workspace, versions: Sequence[Version]) -> dict[str, set[int]]:
    """Table to the numbers of its commits that these versions name, as far as they have rows."""
    kept: dict[str, set[int]] = defaultdict(set)
    for one in with_rows(versions):
        body = as_it_is(workspace, one)
        kept[body.table].add(body.delta_version)
    return kept


def _shorten_logs(workspace: Workspace, versions: Sequence[Version]) -> None:
    for name, numbers in _numbers(workspace, versions).items():
        folder = workspace.tables / name
        if (folder / _LOG).is_dir():
            with writing(folder):
                # Tried before anything goes: of a log that is damaged nothing is deleted.
                shorten_log(folder, Table(folder).at(min(numbers)).version())


def _folders(workspace: Workspace, version: Version) -> list[Path]:
    """Where a version's rows may be: its table, and those that took its place in erasures."""
    name = version.body.table.partition(GENERATION)[0]
    found = [workspace.tables / name, *workspace.tables.glob(f"{name}{GENERATION}*")]
    return [folder for folder in found if (folder / _LOG).is_dir()]


def _stale(folder: Path, named: Collection[str]) -> list[Path]:
    """The files of rows in a table's folder that are not named."""
    relative = [path.relative_to(folder) for path in sorted(folder.rglob("*.parquet"))]
    return [folder / path for path in relative if _LOG not in path.parts and path.as_posix() not in named]


def _delete(folder: Path, stale: Sequence[Path], named: Collection[str] | None) -> None:
    with writing(folder):
        if named is None:
            boundary("pruning.before_delete")
            shutil.rmtree(folder)
            sync_folder(folder.parent)
            boundary("pruning.after_delete")
            return
        for path in stale:
            boundary("pruning.before_delete")
            path.unlink()
        for parent in {path.parent for path in stale}:
            sync_folder(parent)
        boundary("pruning.after_delete")
        _forget_limits(folder / _LOG, named)


def _forget_limits(log: Path, named: Collection[str]) -> None:
    """Take out of the log what it tells of the values in files that are gone: least, most, how many are missing.

    The log begins with a version that stays, so a checkpoint which mentions others can be made again from before it.
    """
    checkpoints = [path for path in log.glob("*.checkpoint.parquet") if not _mentions_only(path, named)]
    if checkpoints:
        (log / "_last_checkpoint").unlink(missing_ok=True)
        sync_folder(log)
        for path in checkpoints:
            path.unlink()
    for commit in sorted(log.glob("*.json")):
        lines = [msgspec.json.decode(line) for line in commit.read_bytes().splitlines()]
        told = [one["add"] for one in lines if "add" in one and unquote(one["add"]["path"]) not in named]
        if any(_LIMIT in add.get("stats", "") for add in told):
            written = commit.stat().st_mtime
            for add in told:
                stats = msgspec.json.decode(add.get("stats") or "{}")
                add["stats"] = msgspec.json.encode({"numRecords": stats.get("numRecords")}).decode()
            write_atomically(commit, b"".join(msgspec.json.encode(one) + b"\n" for one in lines))
            # By which other programs find a version by its time.
            os.utime(commit, (written, written))
    for path in sorted(checkpoints):
        DeltaTable(log.parent, version=int(path.name.partition(".")[0])).create_checkpoint()
    if checkpoints:
        sync_files(log, [*checkpoints, log / "_last_checkpoint"])
        sync_folder(log)


def _mentions_only(checkpoint: Path, named: Collection[str]) -> bool:
    paths = pl.scan_parquet(checkpoint, glob=False).select(pl.col("add").struct.field("path")).collect()["path"]
    return all(unquote(path) in named for path in paths.drop_nulls())
