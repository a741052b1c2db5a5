"""Puts a version in place: beside what is there, whole, then with one exchange of names."""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import msgspec
from blake3 import blake3

from heptad.core.artifacts import BlobStore
from heptad.core.errors import ConflictError, InputError, IntegrityError, RefusedError
from heptad.core.files import sync_files
from heptad.data.folders.changes import changes_between
from heptad.data.folders.cloning import Cloner, write_all
from heptad.data.folders.packs import BLOCK, read_pieces
from heptad.data.folders.stored import Stored, pieces_by_pack
from heptad.data.folders.storing import Tell, Working, silent, working
from heptad.data.folders.swapping import remove, replacing_tree
from heptad.data.folders.tree import Entry, shown_path
from heptad.data.folders.walking import look_at
from heptad.data.hash_cache import HashCache, Seen, Stamp

_MOST_NAMED = 10
_EMPTY = blake3(b"").digest()


class PlacedFolder(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkout did: files that were written, those that stayed, and paths that went."""

    name: str
    written: int = 0
    kept: int = 0
    removed: int = 0
    bytes: int = 0
    """How many were written."""
    shared: int = 0
    """How many of them share their blocks on the disk with the workspace, until either is changed."""
    copied_because: str = ""
    """Why none could be shared; empty where some were, or there was nothing to share."""


def refuse_to_lose(place: Path, before: Working, after: Sequence[Entry], is_kept: Callable[[bytes], bool]) -> None:
    """Raises `RefusedError` with the files that would be overwritten or removed and that no version holds."""
    wanted = {one.path: one for one in after}
    contents = {one.digest for one in after if one.digest}
    lost = [
        shown_path(one.path) or place.name
        for one in before.entries
        if one.kind != "d"
        and not ((there := wanted.get(one.path)) and there.digest == one.digest and there.target == one.target)
        and not (one.digest and (one.digest in contents or is_kept(one.digest)))
        and not (one.kind == "l" and is_kept(one.target))
    ]
    if lost:
        more = f", and {len(lost) - _MOST_NAMED:,} more" if len(lost) > _MOST_NAMED else ""
        raise RefusedError(
            f"{place} holds what no version has, and it would be lost: {', '.join(lost[:_MOST_NAMED])}{more}.",
            remedy="keep it as a version with heptad data add, move it elsewhere, or let it go with --force",
        )


def put_in_place(
    place: Path,
    folder: str,
    stored: Stored,
    blobs: BlobStore,
    cache: HashCache,
    before: Working | None,
    tell: Tell = silent,
) -> PlacedFolder:
    """Make the folder or file at `place` what a version says; `before` is what is there, as it was looked at.

    Files that stay the same are not written again. What was written is remembered under the name `folder`, unless that
    is empty. Raises `ConflictError` where somebody wrote there meanwhile; then
    what was there lies beside it under the name that the error gives. `IntegrityError` and `NotFoundError` where the
    version is not whole: then nothing has changed.
    """
    old = {one.path: one for one in before.entries} if before else {}
    staying = [one for one in stored.entries if one.kind != "d" and _stays(one, old.get(one.path))]
    fresh = [one for one in stored.entries if one.kind == "d" or not _stays(one, old.get(one.path))]
    with replacing_tree(place, cache.locks) as new:
        builder = _Builder(os.fsencode(new), os.fsencode(place), is_file=any(one.path == b"" for one in stored.entries))
        for one in staying:
            builder.link(os.path.join(os.fsencode(place), one.path) if one.path else os.fsencode(place), one)
        builder.write(stored, blobs, fresh, tell)
        sync_files(new, [Path(os.fsdecode(one)) for one in builder.made])
        # Before anybody else can write to them.
        seen = {one.path: _seen(new, one) for one in fresh if one.kind in {"f", "x"}}
    if os.path.lexists(new):
        if not _is_as_before(new, before) and changes_between(working(new, folder, cache).entries, stored.entries):
            raise _kept_beside(place, new)
        remove(new)
    if folder:
        now = {one.path: _seen(place, one) for one in staying}
        seen |= {path: one for path, one in now.items() if before and _alike(one.stamp, before.stamps[path])}
        cache.remember(folder, seen)
        cache.place(folder, stored.digest)
    files = [one for one in fresh if one.kind in {"f", "x"}]
    return PlacedFolder(
        name=folder,
        written=len(files),
        kept=sum(one.kind in {"f", "x"} for one in staying),
        removed=len(old.keys() - {one.path for one in stored.entries}),
        bytes=sum(one.size for one in files),
        shared=builder.cloner.bytes,
        copied_because=builder.cloner.refused,
    )


def _stays(wanted: Entry, there: Entry | None) -> bool:
    return there is not None and wanted.kind in {"f", "x"} and wanted.is_like(there)


class _Builder:
    """Makes a tree at a new path."""

    def __init__(self, top: bytes, before: bytes, *, is_file: bool) -> None:
        self._top = top
        self._before = before
        self.made: list[bytes] = []
        """What has to be made durable: files and folders."""
        self.cloner = Cloner()
        self._folders: set[bytes] = set()
        if not is_file:
            self._make_folder(b"")

    def link(self, source: bytes, entry: Entry) -> None:
        """Take over a file that stays as it is; where the file system knows no second names, a copy of it."""
        target = self._place(entry.path)
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            raise _clash(entry.path) from None
        except OSError:
            copied = _copy_checked(source, target, entry)
            self.made.append(copied)

    def write(self, stored: Stored, blobs: BlobStore, entries: Iterable[Entry], tell: Tell) -> None:
        """Write files pack by pack, each piece to its place; then links and empty folders."""
        files: list[Entry] = []
        for one in entries:
            if one.kind == "d":
                self._make_folder(one.path)
            elif one.kind == "l":
                os.symlink(one.target, self._place(one.path))
            else:
                self._create(one)
                files.append(one)
        for pack, wanted in pieces_by_pack(stored.root, files):
            pieces = read_pieces(blobs, pack, [piece for _, _, piece in wanted])
            sharing = any(self.cloner.may_share(piece.start, offset, piece.size) for _, offset, piece in wanted)
            with blobs.open(pack) if sharing else nullcontext() as source:
                # Each is verified before it is shared.
                for (entry, offset, piece), data in zip(wanted, pieces, strict=True):
                    self._write(entry, offset, data, source, piece.start)
                    tell("bytes", piece.size)
        for one in files:
            self._verify(one)

    def _create(self, entry: Entry) -> None:
        target = self._place(entry.path)
        mode = 0o777 if entry.kind == "x" else 0o666
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise _clash(entry.path) from None
        try:
            there = self._mode_before(entry.path, stat.S_IFREG)
            if there is not None:
                os.fchmod(descriptor, 0o777 & (there | (there & 0o444) >> 2) if entry.kind == "x" else there & 0o666)
        finally:
            os.close(descriptor)
        self.made.append(target)

    def _write(self, entry: Entry, offset: int, data: bytes, pack: BinaryIO | None, start: int) -> None:
        descriptor = os.open(self._at(entry.path), os.O_WRONLY | os.O_NOFOLLOW)
        try:
            first, end = (
                (offset, offset) if pack is None else self.cloner.share(pack, start, descriptor, offset, len(data))
            )
            write_all(descriptor, data[: first - offset], offset)
            write_all(descriptor, data[end - offset :], end)
        finally:
            os.close(descriptor)

    def _verify(self, entry: Entry) -> None:
        """A file of one piece was verified with it; one of several could have been put together otherwise."""
        if len(entry.pieces) == 1 and entry.pieces[0].size == entry.size:
            return
        found = _digest_of(self._at(entry.path)) if entry.pieces else _EMPTY
        if found != entry.digest or sum(one.size for one in entry.pieces) != entry.size:
            raise IntegrityError(
                f"The pieces of {shown_path(entry.path) or 'the file'} do not make up the file that the version names.",
                remedy="Somebody made or altered the version by other means than heptad; do not use it.",
            )

    def _place(self, path: bytes) -> bytes:
        """Where a path is to be, the folders above it made."""
        if b"/" in path:
            self._make_folder(path.rpartition(b"/")[0])
        return self._at(path)

    def _make_folder(self, path: bytes) -> None:
        missing: list[bytes] = []
        while path not in self._folders:
            missing.append(path)
            if not path:
                break
            path = path.rpartition(b"/")[0]
        for one in reversed(missing):
            try:
                os.mkdir(self._at(one))
            except FileExistsError:
                raise _clash(one) from None
            there = self._mode_before(one, stat.S_IFDIR)
            if there is not None:
                os.chmod(self._at(one), there)
            self._folders.add(one)
            self.made.append(self._at(one))

    def _mode_before(self, path: bytes, kind: int) -> int | None:
        """The permissions of what was there under this name: who had closed something finds it closed again."""
        try:
            mode = os.lstat(os.path.join(self._before, path) if path else self._before).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        return stat.S_IMODE(mode) if stat.S_IFMT(mode) == kind else None

    def _at(self, path: bytes) -> bytes:
        return os.path.join(self._top, path) if path else self._top


def _copy_checked(source: bytes, target: bytes, entry: Entry) -> bytes:
    mode = 0o777 if entry.kind == "x" else 0o666
    hasher = blake3()
    with open(source, "rb") as reading, open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as copy:
        while part := reading.read(BLOCK):
            hasher.update(part)
            copy.write(part)
    if hasher.digest() != entry.digest:
        raise ConflictError(f"{shown_path(source)} was written to meanwhile.", remedy="do it again")
    return target


def _digest_of(path: bytes) -> bytes:
    hasher = blake3(max_threads=blake3.AUTO)
    with open(path, "rb", buffering=0) as file:
        while part := file.read(BLOCK):
            hasher.update(part)
    return hasher.digest()


def _clash(path: bytes) -> InputError:
    return InputError(
        f"{shown_path(path)} cannot be put beside another path of the same version: "
        "this file system takes their names for one.",
        allowed="a file system that tells case apart",
        remedy="rename one of them where the folder was added, and add it again",
    )


def _is_as_before(old: Path, before: Working | None) -> bool:
    """Whether what was replaced is what was looked at. Else somebody wrote there, or put the same version in place."""
    if before is None:
        return False
    now = {one.path: one.stamp for one in look_at(old) if one.stamp is not None}
    return now.keys() == before.stamps.keys() and all(_alike(now[one], stamp) for one, stamp in before.stamps.items())


def _kept_beside(place: Path, old: Path) -> ConflictError:
    """What was replaced, and holds what nobody looked at, under a name of its own."""
    kept = place.with_name(f"{place.name}.before-checkout-{os.urandom(3).hex()}")
    old.rename(kept)
    return ConflictError(
        f"Somebody wrote into {place} while it was replaced; what it held then is in {kept.name}.",
        remedy=f"compare the two, keep what you need, and remove {kept.name}",
    )


def _alike(one: Stamp | None, other: Stamp) -> bool:
    # Names that were added to a file change when it was "changed", and not what is in it.
    return one is not None and (one.inode, one.size, one.written) == (other.inode, other.size, other.written)


def _seen(top: Path, entry: Entry) -> Seen:
    path = os.fsencode(top)
    return Seen(Stamp.of(os.lstat(os.path.join(path, entry.path) if entry.path else path)), entry.digest)
