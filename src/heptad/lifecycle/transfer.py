"""Backs up a workspace, restores it, and moves it to another folder or database; what arrives is checked."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import msgspec
from blake3 import blake3

from heptad.core import events, sql_writer
from heptad.core.artifacts import BlobStore
from heptad.core.errors import InputError, IntegrityError, NotFoundError, RefusedError, WorkspaceError
from heptad.core.files import confined, make_folder, sync_files, sync_folder, write_atomically, writing
from heptad.core.local_blobs import open_blobs
from heptad.core.sql_copy import Sum, Watch, copy_store, sql_store, sums_of
from heptad.core.sql_store import SqlStore, open_store
from heptad.core.workspace import CACHE, FOLDER, Workspace
from heptad.data import collecting, is_landing
from heptad.serving import serve_folder

MANIFEST = "backup.json"
STORE = "heptad.db"
ARTIFACTS = "artifacts"
CHUNK = 1 << 20
_DAMAGED = "Take an older backup, or make a new one."


class CopiedFile(msgspec.Struct, frozen=True):
    """One file of a backup: its size in bytes and the BLAKE3 of its bytes."""

    size: int
    digest: str


Files: TypeAlias = dict[str, CopiedFile]
"""Files by their paths inside the workspace."""


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. It is written into it as `backup.json`, last: half a backup has none."""

    name: str
    at: datetime
    events: int
    """Length of the chain of events, which was verified."""
    tables: dict[str, Sum]
    """Each table of the store: how many rows, and a digest over them."""
    artifacts: int
    files: Files
    """Every file beside the store and the artifacts."""

    @property
    def records(self) -> int:
        return self.tables["record"].rows


def silent(part: str, done: int) -> None:
    """A `Watch` that tells nobody."""


def backup(workspace: Workspace, folder: Path, watch: Watch = silent) -> Backup:
    """Copy a workspace that may be in use to a new folder, which could itself be the `.heptad` of a project.

    The store is copied first, as it was at one moment; what it refers to was durable before, so the artifacts
    and tables that are copied after it hold all of that, and perhaps a little more. Private keys stay where they
    are: a restored workspace makes its own, and trusts what the old one signed. Errors: `InputError` for a folder
    that is not empty, `IntegrityError` where something is damaged; then nothing is left behind.
    """
    # Rows that the store names must not be pruned or erased before they are copied; collections go on.
    with collecting(workspace):
        return _copied(workspace, folder, watch, keys=False)


def _copied(workspace: Workspace, folder: Path, watch: Watch, *, keys: bool) -> Backup:
    with _new_folder(folder) as part:
        with _opened(f"sqlite:///{part / STORE}") as store:
            made = Backup(
                name=workspace.name,
                at=workspace.clock.now(),
                tables=copy_store(sql_store(workspace.store), store, watch),
                events=events.verify(store),
                artifacts=_copy_artifacts(workspace.blobs, part, watch),
                files=_copy_live_files(workspace.folder, part, watch, keys=keys),
            )
        write_atomically(part / MANIFEST, msgspec.json.encode(made))
    return made


def restore(folder: Path, root: Path, store_url: str = "", watch: Watch = silent) -> Backup:
    """Make the workspace of the project at `root` from a backup; with a URL, its store goes into that database.

    Everything is compared with what the backup says of itself; `IntegrityError` names the part that differs,
    `InputError` says that `folder` holds no backup or `root` has a workspace already.
    """
    kept = read_backup(folder)
    with _new_folder(root / FOLDER) as part:
        copied = _copy_files(folder, part, watch)
        for path in sorted(kept.files.keys() | copied.keys()):
            if kept.files.get(path) != copied.get(path):
                raise IntegrityError(f"The file {path} of the backup {folder} is not what it was.", remedy=_DAMAGED)
        artifacts = _copy_artifacts(open_blobs(f"file://{folder / ARTIFACTS}"), part, watch)
        if artifacts != kept.artifacts:
            raise IntegrityError(
                f"The backup {folder} holds {artifacts} artifacts instead of {kept.artifacts}.", remedy=_DAMAGED
            )
        with _opened(f"sqlite:///{folder / STORE}") as store:
            _compare(store, kept, folder)
            # Last, since a database elsewhere would not disappear with this folder.
            with _opened(store_url or f"sqlite:///{part / STORE}") as target:
                copy_store(store, target, watch)
    return kept


def move(workspace: Workspace, root: Path, watch: Watch = silent) -> Backup:
    """Move a workspace to the project at `root`: the old one stays, to be read only, until somebody deletes it.

    Writers wait meanwhile. Where this process dies, the old place is still in use; moving again completes it.
    `RefusedError` while a server answers from the workspace, or a stream lands in it.
    """
    _refuse_under_a_server(workspace)
    _refuse_under_streams(workspace)
    source, folder = sql_store(workspace.store), root / FOLDER
    with collecting(workspace), source.database.writing() as transaction:
        sql_writer.stop_writers(transaction)
        # Where an earlier move was killed at its last step, the copy is complete.
        is_there = (folder / MANIFEST).exists() and read_backup(folder).tables == sums_of(source)
        moved = read_backup(folder) if is_there else _copied(workspace, folder, watch, keys=True)
        sql_writer.seal(transaction, str(folder))
    return moved


def move_store(workspace: Workspace, url: str, watch: Watch = silent) -> dict[str, Sum]:
    """Move the store alone into an empty database, for example from SQLite to PostgreSQL; otherwise like `move`.

    The project uses it when `[store] url` in heptad.toml names it. Answers what each table holds, on both sides.
    """
    _refuse_under_a_server(workspace)
    source = sql_store(workspace.store)
    with _opened(url) as target, source.database.writing() as transaction:
        if source.database.where == target.database.where:
            raise InputError(f"The store is at {target.database.where} already.")
        sql_writer.stop_writers(transaction)
        events.verify(source)
        sums = sums_of(source)
        if sums_of(target) != sums:
            copy_store(source, target, watch)
        sql_writer.seal(transaction, target.database.where)
    return sums


def refuse_moved(workspace: Workspace) -> None:
    """Raises `WorkspaceError` where the store was moved away: whatever is done here from now on stays behind."""
    if not isinstance(workspace.store, SqlStore):
        return  # nothing of ours moves it
    with workspace.store.database.reading() as transaction:
        where = transaction.value("SELECT value FROM meta WHERE key = 'moved'")
    if where is not None:
        raise WorkspaceError(
            f"The workspace {workspace.folder} was moved to {where}: here it can be read only.",
            remedy="go on there: --project for a folder, [store] url in heptad.toml for a database",
        )


def _refuse_under_a_server(workspace: Workspace) -> None:
    pids = serve_folder(workspace).pids()
    if pids:
        raise RefusedError(
            f"A server answers from this workspace (process {pids[0]}); what it logs from now on would stay behind.",
            remedy="stop it, and do this again",
        )


def _refuse_under_streams(workspace: Workspace) -> None:
    landing = next((one.name for one in sorted(workspace.tables.glob("stream-*")) if is_landing(one)), None)
    if landing:
        raise RefusedError(
            f"A process lands a stream in {workspace.tables / landing}; what the broker sends it would stay behind.",
            remedy="stop heptad up, or heptad data stream land, and do this again",
        )


def read_backup(folder: Path) -> Backup:
    """What a backup says of itself; raises `InputError` where there is none."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Backup)
    except FileNotFoundError:
        raise InputError(
            f"{folder} holds no backup: there is no {MANIFEST} in it.", remedy="heptad backup FOLDER makes one."
        ) from None
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"{folder / MANIFEST} is damaged: {error}.", remedy=_DAMAGED) from error


def _compare(store: SqlStore, kept: Backup, folder: Path) -> None:
    found = sums_of(store)
    for table, expected in kept.tables.items():
        if found[table] != expected:
            raise IntegrityError(
                f"The table {table} in {folder / STORE} holds {found[table].rows} rows instead of {expected.rows}, "
                "or one of them was changed.",
                remedy=_DAMAGED,
            )
    events.verify(store)


@contextmanager
def _opened(url: str) -> Generator[SqlStore]:
    """A store that is closed before its folder gets another name."""
    store = open_store(url)
    try:
        yield store
    finally:
        store.database.close()


@contextmanager
def _new_folder(folder: Path) -> Generator[Path]:
    """A folder to fill, which gets its name when the block has ended well, and disappears where it has not."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not empty.", remedy="Choose a new folder: nothing is overwritten.")
    part = folder.with_name(f"{folder.name}.part")
    with writing(folder.parent):
        shutil.rmtree(part, ignore_errors=True)
        make_folder(part)
        try:
            yield part
            sync_files(part, [part, *part.rglob("*")])
            part.replace(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        sync_folder(folder.parent)


def _copy_artifacts(source: BlobStore, part: Path, watch: Watch) -> int:
    target = open_blobs(f"file://{part / ARTIFACTS}")
    count = 0
    for digest in source.digests():
        try:
            stream = source.open(digest)
        except NotFoundError:
            # Nothing referred to it, and it was collected meanwhile.
            continue
        with stream:
            target.put(stream)
        count += 1
        watch(ARTIFACTS, 1)
    return count


def _copy_files(source: Path, part: Path, watch: Watch) -> Files:
    """Copy every file beside the store and the artifacts, as it is."""
    copied: Files = {}
    for path in sorted(_files_of(source)):
        copied[path] = _copy_file(source / path, confined(part, path))
        watch("files", 1)
    return copied


def _copy_live_files(source: Path, part: Path, watch: Watch, *, keys: bool) -> Files:
    """The same while others write: what lets go of something, or refers to it, is copied before what holds it.

    A journal lets go of entries when their table has them; the log of a table names its data files.
    """
    copied: Files = {}
    for turn in range(len(_TURNS)):
        for path in sorted(_files_of(source)):  # anew each time: files come meanwhile
            name = path if keys else _name_of(source, path)
            if _turn_of(path) != turn or name is None:
                continue
            copy = _copy_database if path.endswith(_DATABASE) else _copy_file
            try:
                copied[name] = copy(source / path, confined(part, name))
            except FileNotFoundError:
                # It was somebody's temporary file.
                continue
            watch("files", 1)
    return copied


_DATABASE, _BESIDE_IT = ".db", (".db-wal", ".db-shm")
_KEYS, _PUBLIC, _TRUSTED = "keys", ".pub", "keys/trusted"
_TURNS: tuple[Callable[[str], bool], ...] = (
    lambda path: path.endswith(_DATABASE),
    lambda path: path.endswith("_delta_log/_last_checkpoint"),
    lambda path: "_delta_log" in Path(path).parts,
    lambda _: True,
)


def _turn_of(path: str) -> int:
    return next(turn for turn, takes in enumerate(_TURNS) if takes(path))


def _name_of(source: Path, path: str) -> str | None:
    """Where a backup keeps a file: a private key nowhere, and its public half among those that are trusted.

    What else lies with the keys is private too: who was erased, and who is being erased.
    """
    if Path(path).parts[0] != _KEYS or str(Path(path).parent) == _TRUSTED:
        return path
    if str(Path(path).parent) != _KEYS or not path.endswith(_PUBLIC):
        return None
    return f"{_TRUSTED}/{blake3((source / path).read_bytes()).hexdigest()[:16]}{_PUBLIC}"


def _files_of(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        if Path(place) == folder:
            folders[:] = [one for one in folders if one not in {ARTIFACTS, CACHE}]
            names[:] = [
                one for one in names if one != MANIFEST and not one.startswith(STORE) and not one.endswith(".lock")
            ]
        for one in names:
            path = Path(place, one)
            if not one.endswith(_BESIDE_IT) and stat.S_ISREG(path.lstat().st_mode):
                yield str(path.relative_to(folder))


def _copy_database(source: Path, target: Path) -> CopiedFile:
    """Copy an SQLite file that may be in use, as it was at one moment, with what is still beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    opened = sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)
    with closing(opened) as reading, closing(sqlite3.connect(target)) as copy:
        reading.backup(copy)
    return CopiedFile(target.stat().st_size, blake3().update_mmap(target).hexdigest())


def _copy_file(source: Path, target: Path) -> CopiedFile:
    size, hasher = 0, blake3()
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reading, target.open("wb") as copy:
        # Before a byte is in it: some of these are keys.
        os.fchmod(copy.fileno(), stat.S_IMODE(os.fstat(reading.fileno()).st_mode))
        while part := reading.read(CHUNK):
            size += len(part)
            hasher.update(part)
            copy.write(part)
    return CopiedFile(size, hasher.hexdigest())
