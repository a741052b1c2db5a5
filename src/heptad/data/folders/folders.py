"""The front door to versioned folders: add, compare, put in place, send, fetch, forget."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from heptad.core.artifacts import BlobStore
from heptad.core.errors import ConflictError, InputError, NotFoundError, RefusedError, UnavailableError
from heptad.core.reads import note_read
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data.folders import git, remotes, versions
from heptad.data.folders.changes import FolderChanges, changes_between
from heptad.data.folders.checkout import PlacedFolder, put_in_place, refuse_to_lose
from heptad.data.folders.packs import sizes
from heptad.data.folders.pointers import (
    SUFFIX,
    check_counts,
    find_pointers,
    is_pointer,
    named,
    place_of,
    pointer_of,
    read_pointer,
    resolve_pointers,
    write_pointer,
)
from heptad.data.folders.records import FolderVersion, Pointer
from heptad.data.folders.remotes import Moved
from heptad.data.folders.settings import RemoteSettings
from heptad.data.folders.status import FolderStatus, status_of
from heptad.data.folders.stored import Stored, packs_of, read_root, read_stored
from heptad.data.folders.storing import Tell, Working, silent, store, working
from heptad.data.folders.swapping import clear_leftovers
from heptad.data.folders.tree import clashes, counts
from heptad.data.hash_cache import HashCache

ATTEMPTS = 5
"""How often a folder is stored again because another process recorded a version first."""


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What adding came to."""

    version: Record[FolderVersion]
    pointer: str
    is_new: bool
    """Whether a version was recorded; not where the pointer's or the latest one says the same."""
    new_bytes: int
    """What had to be stored; also where no version is new, when bytes of one had been lost."""
    clashes: list[list[str]]
    """Paths that would be one on a file system that does not tell case apart."""


class Folders:
    """Versioned folders and files of one project. Paths are relative to the present folder, or absolute."""

    def __init__(self, workspace: Workspace, remote: RemoteSettings) -> None:
        self.workspace = workspace
        self._remote = remote
        self._blobs: BlobStore = workspace.blobs
        self._cache = HashCache(workspace.folder / "cache" / "folders" / "files.db")

    def add(self, paths: Sequence[Path], tell: Tell = silent) -> list[Added]:
        """Keep each folder or file as a version, and write its pointer beside it.

        What earlier versions hold is neither read nor stored again, unless bytes of theirs are lost. In a Git
        repository `.gitignore` gets a line.
        Raises `InputError` with all that cannot be kept; what was added before stays.
        """
        return [self._add(path, tell) for path in paths]

    def status(self, paths: Sequence[Path] = (), tell: Tell = silent) -> list[FolderStatus]:
        """How what is in place differs from what the pointers say; of all pointers, or of some."""
        return [
            status_of(self._name(pointer), place_of(pointer), read_pointer(pointer), self._blobs, self._cache, tell)
            for pointer in resolve_pointers(self.workspace.root, list(paths))
        ]

    def checkout(self, paths: Sequence[Path] = (), *, force: bool = False, tell: Tell = silent) -> list[PlacedFolder]:
        """Put the versions in place that the pointers name: of all of them, or of some.

        Raises `RefusedError` where that would lose what no version has, unless `force` says to; `NotFoundError` where
        the bytes are not in this workspace. Then nothing was changed.
        """
        wanted: list[tuple[str, Path, Stored, Working | None]] = []
        for pointer in resolve_pointers(self.workspace.root, list(paths)):
            name, place, said = self._name(pointer), place_of(pointer), read_pointer(pointer)
            stored = self._read(pointer, said)
            before = working(place, name, self._cache, tell) if os.path.lexists(place) else None
            if before and not force:
                refuse_to_lose(place, before, stored.entries, self._keeper(name))
            wanted.append((name, place, stored, before))
        placed: list[PlacedFolder] = []
        for name, place, stored, before in wanted:
            if before and not changes_between(before.entries, stored.entries):
                clear_leftovers(place, self._cache.locks)
                self._cache.place(name, stored.digest)
                placed.append(PlacedFolder(name=name, kept=len(before.stamps)))
                continue
            git.ignore(place, self.workspace.folder)
            with _told(name):
                placed.append(put_in_place(place, name, stored, self._blobs, self._cache, before, tell))
        return placed

    def push(
        self, paths: Sequence[Path] = (), remote: str = "", *, everything: bool = False, tell: Tell = silent
    ) -> Moved:
        """Send the versions that the pointers name to the remote; with `everything`, all that were not forgotten."""
        if everything:
            there = [one for name in self.names() for one in versions.existing(self.log(name))]
            wanted = {versions.stored_of(one): one.body.name for one in there}
        else:
            pointers = resolve_pointers(self.workspace.root, list(paths))
            wanted = {read_pointer(one).stored: self._name(one) for one in pointers}
        target = remotes.open_remote(self._remote, self.workspace.root, remote)
        moved = Moved()
        for stored, name in wanted.items():
            with _told(name):
                moved = remotes.total(moved, remotes.push(self._blobs, target, stored, tell))
        return moved

    def pull(
        self, paths: Sequence[Path] = (), remote: str = "", *, force: bool = False, tell: Tell = silent
    ) -> tuple[Moved, list[PlacedFolder]]:
        """Fetch the versions that the pointers name, and put them in place. A clone of a repository needs no more."""
        pointers = resolve_pointers(self.workspace.root, list(paths))
        source = remotes.open_remote(self._remote, self.workspace.root, remote)
        moved = Moved()
        for pointer in pointers:
            said = read_pointer(pointer)
            try:
                moved = remotes.total(moved, remotes.pull(self._blobs, source, said.stored, tell))
            except NotFoundError as error:
                raise NotFoundError(
                    "version in the remote for", pointer.name, remedy="heptad data push, where it was added"
                ) from error
            self._record_pulled(pointer, said, remote or self._remote.uri)
        return moved, self.checkout(pointers, force=force, tell=tell)

    def names(self) -> list[str]:
        """Every folder that has a version here."""
        return versions.names(self.workspace)

    def log(self, name: str) -> list[Record[FolderVersion]]:
        """The versions of a folder, newest first."""
        return versions.log(self.workspace, name)

    def find(self, ref: str) -> Record[FolderVersion] | None:
        """A version by `NAME@NUMBER`, `NAME@DIGEST`, `NAME` or its id; `None` where no folder is called so."""
        return versions.find_folder_version(self.workspace, ref)

    def entries(self, version: Record[FolderVersion]) -> Stored:
        """What is in a version; raises `NotFoundError` where it was forgotten."""
        stored = versions.stored_of(version)
        with _told(version.body.name):
            return read_stored(self._blobs, stored, version.body.digest)

    def diff(self, old: Record[FolderVersion], new: Record[FolderVersion]) -> FolderChanges:
        """What changed from one version to another."""
        return changes_between(self.entries(old).entries, self.entries(new).entries)

    def get(self, version: Record[FolderVersion], target: Path, tell: Tell = silent) -> PlacedFolder:
        """Write a version to a path that does not exist yet."""
        if os.path.lexists(target):
            raise InputError(f"{target} exists already.", allowed="a path that does not exist yet")
        note_read(self.workspace, version.id)
        stored = self.entries(version)
        with _told(version.body.name):
            return put_in_place(target, "", stored, self._blobs, self._cache, None, tell)

    def forget(self, version: Record[FolderVersion], reason: str) -> None:
        """Give up the bytes of a version, for `heptad gc` to free; raises `RefusedError` where a pointer names it."""
        stored = versions.stored_of(version)
        for pointer in find_pointers(self.workspace.root):
            if read_pointer(pointer).stored == stored:
                raise RefusedError(
                    f"{pointer.name} names this version of {version.body.name}.",
                    remedy="add what is to follow it, or remove the pointer",
                )
        versions.forget(self.workspace, version, reason)

    def _add(self, path: Path, tell: Tell) -> Added:
        place = path.absolute()
        name, pointer = named(place, self.workspace.root), pointer_of(place)
        if is_pointer(place.name) and place.is_file():
            data = name.removesuffix(SUFFIX)
            raise InputError(f"{name} is the pointer of {data}.", remedy=f"heptad data add {data}")
        for above in place.parents:
            if above.is_relative_to(self.workspace.root) and pointer_of(above).is_file():
                raise InputError(
                    f"{name} is inside of {above.name}, which {pointer_of(above).name} is the pointer of.",
                    remedy=f"heptad data add {above.name}",
                )
        git.refuse_tracked(place)
        for _ in range(ATTEMPTS):
            try:
                version, stored, is_new, new_bytes = self._recorded(place, name, pointer, tell)
                break
            except ConflictError:
                continue
        else:
            raise UnavailableError(
                f"Other processes kept recording versions of {name} first.", remedy="do it again when they are done"
            )
        write_pointer(pointer, _pointer_to(version, versions.stored_of(version)))
        git.ignore(place, self.workspace.folder)
        self._cache.place(name, versions.stored_of(version))
        return Added(
            version=version,
            pointer=str(pointer),
            is_new=is_new,
            new_bytes=new_bytes,
            clashes=clashes(stored.entries),
        )

    def _recorded(
        self, place: Path, name: str, pointer: Path, tell: Tell
    ) -> tuple[Record[FolderVersion], Stored, bool, int]:
        latest = versions.latest(self.workspace, name)
        pointed = versions.by_stored(self.workspace, read_pointer(pointer).stored) if pointer.is_file() else None
        known = {versions.stored_of(one): one for one in (pointed, latest) if one}
        bases = [self.entries(one) for stored, one in known.items() if self._is_whole(stored)]
        stored, new_bytes = store(place, name, self._blobs, self._cache, bases, tell)
        same = known.get(stored.digest)
        if same is not None and same.scope == versions.scope_of(self.workspace, name):
            return same, stored, False, new_bytes
        again = versions.by_digest(self.workspace, name, stored.root.digest)
        if again is not None and self._is_whole(versions.stored_of(again)):
            # Two ways to store the same would be two pointers for the same.
            stored = self.entries(again)
        body = _version_of(name, stored, place.is_dir(), new_bytes)
        made = versions.record_version(self.workspace, body, stored, list(known.values()))
        return made, stored, True, new_bytes

    def _record_pulled(self, pointer: Path, said: Pointer, remote: str) -> None:
        """Note what was fetched, so that it is found, and not taken for garbage."""
        name = self._name(pointer)
        for _ in range(ATTEMPTS):
            known = versions.by_stored(self.workspace, said.stored)
            if known is not None and known.body.name == name:
                return
            stored = read_stored(self._blobs, said.stored, said.digest)
            body = _version_of(name, stored, said.what == "folder", 0, remote)
            latest = versions.latest(self.workspace, name)
            try:
                versions.record_version(self.workspace, body, stored, [latest] if latest else [])
            except ConflictError:
                continue
            return
        raise UnavailableError(
            f"Other processes kept recording versions of {name} first.", remedy="do it again when they are done"
        )

    def _is_whole(self, stored: str) -> bool:
        """Whether all its bytes are here: some may be lost, and projects may share a store and not their artifacts.

        They are not read, so those that are damaged are not found.
        """
        try:
            return sizes(self._blobs, [stored, *packs_of(read_root(self._blobs, stored))]) > 0
        except NotFoundError:
            return False

    def _name(self, pointer: Path) -> str:
        return named(place_of(pointer.absolute()), self.workspace.root)

    def _read(self, pointer: Path, said: Pointer) -> Stored:
        try:
            stored = read_stored(self._blobs, said.stored, said.digest)
        except NotFoundError as error:
            raise NotFoundError(
                "data in this workspace for", pointer.name, remedy="fetch it: heptad data pull"
            ) from error
        check_counts(self._name(pointer), said, stored.entries)
        return stored

    def _keeper(self, name: str) -> Callable[[bytes], bool]:
        """Whether some version holds a content, or a link to it; the one that was in place is asked first."""
        kept: set[bytes] = set()
        waiting = [self._cache.placed(name), *map(versions.stored_of, versions.existing(self.log(name)))]
        waiting = [one for one in dict.fromkeys(waiting) if one]

        def is_kept(content: bytes) -> bool:
            while content not in kept and waiting:
                try:
                    entries = read_stored(self._blobs, waiting.pop(0)).entries
                except NotFoundError:
                    continue
                kept.update(one.digest or one.target for one in entries)
            return content in kept

        return is_kept


@contextmanager
def _told(name: str) -> Generator[None]:
    """Say of an artifact that is lost whose it is, and how it comes back."""
    try:
        yield
    except NotFoundError as error:
        if error.what != "artifact":
            raise
        raise NotFoundError(
            f"artifact of {name} in this workspace called",
            error.name,
            remedy=f"heptad data add {name}, where its files are in place; else heptad data pull, or heptad restore",
        ) from error


def _version_of(name: str, stored: Stored, is_folder: bool, new_bytes: int, remote: str = "") -> FolderVersion:
    files, size = counts(stored.entries)
    return FolderVersion(
        name=name,
        version=0,
        what="folder" if is_folder else "file",
        digest=stored.root.digest,
        files=files,
        bytes=size,
        new_bytes=new_bytes,
        fetched_from=remote,
    )


def _pointer_to(version: Record[FolderVersion], stored: str) -> Pointer:
    body = version.body
    return Pointer(what=body.what, digest=body.digest, stored=stored, files=body.files, bytes=body.bytes)
