"""Stores what is in a folder: reads what is new, keeps what lies in earlier versions where it lies."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from heptad.core.artifacts import BlobStore
from heptad.data.folders.cloning import WORTH
from heptad.data.folders.packs import PackWriter
from heptad.data.folders.reading import Reader, Take
from heptad.data.folders.stored import Stored, write_stored
from heptad.data.folders.tree import Entry, Piece, digest_of_tree
from heptad.data.folders.walking import Found, look_at
from heptad.data.hash_cache import HashCache, Seen, Stamp

Tell: TypeAlias = Callable[[str, int], None]
"""Told how many more of something are done."""


def silent(_what: str, _more: int) -> None:
    """Tells nobody."""


class Scanned(msgspec.Struct, frozen=True, kw_only=True):
    """A folder as it was found: its entries, and those of its files whose content nothing is known of yet."""

    found: list[Found]
    seen: dict[bytes, Seen]
    """Digests of files that were not touched since they were computed."""
    gone: list[bytes]
    """Paths that the cache knows and that are there no more."""


def scan(place: Path, folder: str, cache: HashCache) -> Scanned:
    """Look at a folder without reading a file."""
    found, remembered = look_at(place), cache.recall(folder)
    seen: dict[bytes, Seen] = {}
    for one in found:
        known = remembered.pop(one.path, None)
        if known is not None and known.stamp == one.stamp:
            seen[one.path] = known
    there = {one.path for one in found if one.path not in seen} if remembered else ()
    return Scanned(found=found, seen=seen, gone=[path for path in remembered if path not in there])


class Working(msgspec.Struct, frozen=True):
    """A folder as it is: its entries, of files without where their bytes lie, and the stamps of files by path."""

    entries: list[Entry]
    stamps: dict[bytes, Stamp]


def working(place: Path, folder: str, cache: HashCache, tell: Tell = silent) -> Working:
    """What is in a folder; files that were touched are read, and nothing is stored but their digests."""
    scanned = scan(place, folder, cache)
    reader = Reader(place)
    fresh: dict[bytes, Seen] = {}
    stamps: dict[bytes, Stamp] = {}
    entries: list[Entry] = []
    for one in scanned.found:
        if one.stamp is None:
            entries.append(one.as_entry())
            continue
        seen = scanned.seen.get(one.path)
        if seen is None:
            seen = fresh[one.path] = reader.digest(one)
            tell("bytes", seen.stamp.size)
        stamps[one.path] = seen.stamp
        entries.append(Entry(one.path, one.kind, seen.stamp.size, seen.digest))
    cache.remember(folder, fresh, scanned.gone)
    return Working(entries, stamps)


def store(
    place: Path, folder: str, blobs: BlobStore, cache: HashCache, bases: Sequence[Stored], tell: Tell = silent
) -> tuple[Stored, int]:
    """Store a folder, or a file by itself; answers the version and how many bytes were new.

    What `bases` hold is not stored again: whole files, also under other names, and pieces of files. The answer is one
    of `bases` where the folder is just what that one says.
    """
    scanned = scan(place, folder, cache)
    known = Known(bases)
    writer = PackWriter(blobs, max(known.packs, default=-1) + 1)
    fresh: dict[bytes, Seen] = {}
    try:
        storing = _Storing(Reader(place), writer, known)
        entries: list[Entry] = []
        for one in scanned.found:
            seen = scanned.seen.get(one.path)
            entry = known.entry(one, seen.digest if seen else b"")
            if entry is None:
                fresh[one.path], entry = storing.read(one)
                tell("bytes", entry.size)
            entries.append(entry)
        digest = digest_of_tree(entries)
        stored = next((base for base in bases if base.root.digest == digest), None)
        if stored is None:
            stored = write_stored(blobs, writer, digest, entries, known.packs, known.listing)
            new = writer.bytes
        else:
            new = 0
    finally:
        writer.abandon()
    cache.remember(folder, fresh, scanned.gone)
    return stored, new


class Known:
    """What earlier versions hold, under the numbers that packs have in the first of them."""

    def __init__(self, bases: Sequence[Stored]) -> None:
        self.packs: dict[int, bytes] = dict(bases[0].root.packs) if bases else {}
        self.listing = {one.digest: one for one in bases[0].root.listing} if bases else {}
        self._paths = {one.path: one for one in bases[0].entries} if bases else {}
        self._files: dict[bytes, tuple[Piece, ...]] = {}
        self._pieces: dict[bytes, Piece] = {}
        for base in bases:
            numbers = self._numbers(base)
            for one in base.entries:
                if one.digest and one.digest not in self._files:
                    self._files[one.digest] = _renumbered(one.pieces, numbers)
        self._has_pieces = False

    def entry(self, found: Found, digest: bytes) -> Entry | None:
        """The entry of what was found, where nothing needs to be read: no file, or one whose content lies here."""
        if found.stamp is None:
            return found.as_entry()
        before = self._paths.get(found.path)
        if before is not None and before.digest == digest and before.kind == found.kind:
            return before
        pieces = self._files.get(digest)
        if pieces is None:
            return None
        return Entry(found.path, found.kind, found.stamp.size, digest, pieces=pieces)

    def piece(self, digest: bytes) -> Piece | None:
        """Where a piece lies, if it does."""
        if not self._has_pieces:
            # Only needed where a file is read.
            for name, pieces in self._files.items():
                self._pieces |= {one.digest or name: one for one in pieces}
            self._has_pieces = True
        return self._pieces.get(digest)

    def learn(self, digest: bytes, piece: Piece) -> None:
        self._pieces[digest] = piece

    def _numbers(self, base: Stored) -> dict[int, int]:
        """The numbers of packs in a version to those here; packs that are new get the next ones."""
        known = {digest: number for number, digest in self.packs.items()}
        for digest in base.root.packs.values():
            if digest not in known:
                known[digest] = max(self.packs, default=-1) + 1
                self.packs[known[digest]] = digest
        return {number: known[digest] for number, digest in base.root.packs.items()}


class _Storing:
    """Reads files and hands what is new to the writer."""

    def __init__(self, reader: Reader, writer: PackWriter, known: Known) -> None:
        self._reader = reader
        self._writer = writer
        self._known = known
        self._pieces: list[Piece] = []
        self._offset, self._shares = 0, False

    def read(self, found: Found) -> tuple[Seen, Entry]:
        self._shares = found.stamp is not None and found.stamp.size >= WORTH
        seen = self._reader.read(found, self._begin, self._writer.flush)
        pieces = self._pieces
        if len(pieces) == 1:
            # The digest of the file says it already.
            pieces = [msgspec.structs.replace(pieces[0], digest=b"")]
        return seen, Entry(found.path, found.kind, seen.stamp.size, seen.digest, pieces=tuple(pieces))

    def _begin(self) -> Take:
        self._pieces, self._offset = [], 0
        return self._take

    def _take(self, data: bytes | memoryview, digest: bytes) -> None:
        piece = self._known.piece(digest)
        if piece is None:
            number, start = self._writer.add(data, self._offset if self._shares else None)
            piece = Piece(number, start, len(data), digest)
            self._known.learn(digest, piece)
        elif piece.digest != digest:
            piece = msgspec.structs.replace(piece, digest=digest)
        self._pieces.append(piece)
        self._offset += len(data)


def _renumbered(pieces: tuple[Piece, ...], numbers: Mapping[int, int]) -> tuple[Piece, ...]:
    if all(numbers[one.pack] == one.pack for one in pieces):
        return pieces
    return tuple(msgspec.structs.replace(one, pack=numbers[one.pack]) for one in pieces)
