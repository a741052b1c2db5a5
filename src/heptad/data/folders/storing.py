"""Stores what is in a folder: reads what is new, keeps what lies in earlier versions where it lies."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TypeAlias

import msgspec
from blake3 import blake3

from heptad.core.artifacts import BlobStore
from heptad.core.errors import NotFoundError
from heptad.data.folders.cloning import WORTH, padding, shares_blocks
from heptad.data.folders.packs import PackWriter, read_pieces
from heptad.data.folders.reading import Reader, Take
from heptad.data.folders.sizes import PARTS, PIECES
from heptad.data.folders.stored import Stored, with_digests, write_stored
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
        storing = _Storing(Reader(place), writer, blobs, known, sharing=shares_blocks(cache.locks))
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
        for base in bases:
            numbers = self._numbers(base)
            for one in base.entries:
                if one.digest and one.digest not in self._files:
                    self._files[one.digest] = _renumbered(one.pieces, numbers)

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

    @cached_property
    def pieces(self) -> dict[bytes, Piece]:
        """Where pieces lie, by digest, each with its digest; only needed where a file is read."""
        files = self._files.items()
        return {one.digest: one for digest, pieces in files for one in with_digests(self.packs, digest, pieces)}

    @cached_property
    def has_parts(self) -> bool:
        """Whether a part of a large file can be one that is known."""
        return any(one.size >= PARTS.smallest for one in self.pieces.values())

    def learn_pieces(self, blobs: BlobStore, part: Piece) -> set[bytes]:
        """Cut a part that was stored whole; answers the digest of its last piece.

        There is none where the part is not here: a clone may have the lists without the packs.
        """
        try:
            data = next(read_pieces(blobs, self.packs[part.pack].hex(), [part]))
        except NotFoundError:
            return set()
        start, digest = part.start, b""
        for one, digest in _cut(data):
            self.pieces.setdefault(digest, Piece(part.pack, start, len(one), digest))
            start += len(one)
        return {digest}

    def before(self, path: bytes) -> list[Piece]:
        """What a file was made of in the first of the versions, each with its digest."""
        found = self._paths.get(path)
        return with_digests(self.packs, found.digest, found.pieces) if found else []

    def _numbers(self, base: Stored) -> dict[int, int]:
        """The numbers of packs in a version to those here; packs that are new get the next ones."""
        known = {digest: number for number, digest in self.packs.items()}
        for digest in base.root.packs.values():
            if digest not in known:
                known[digest] = max(self.packs, default=-1) + 1
                self.packs[known[digest]] = digest
        return {number: known[digest] for number, digest in base.root.packs.items()}


class _Storing:
    """Reads files and hands what is new to the writer.

    A part of a file that nobody knows is stored whole, unless the file was here before: then it is cut, and so are the
    parts that lay about there, and what both have is not stored again. So only what lies around an edit is cut.
    """

    def __init__(
        self, reader: Reader, writer: PackWriter, blobs: BlobStore, known: Known, *, sharing: bool = False
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._blobs = blobs
        self._known = known
        self._sharing = sharing
        """Whether files can share their blocks with packs: then pieces lie in packs as they lie in their files."""
        self._pieces: list[Piece] = []
        self._before: dict[tuple[int, int], tuple[int, Piece]] = {}
        """By where they lie: the pieces of the file as it was before, each with its place in it."""
        self._ends: set[bytes] = set()
        """Pieces behind which a part began: where one of them comes, one begins again, and is like it was."""
        self._offset = 0
        """How far into the file its pieces reach."""
        self._at = 0
        """The place in the file as it was that the next part is likely to come from."""

    def read(self, found: Found) -> tuple[Seen, Entry]:
        seen = self._reader.read(found, lambda: self._begin(found.path))
        pieces = self._pieces
        if len(pieces) == 1:
            # The digest of the file says it already.
            pieces = [msgspec.structs.replace(pieces[0], digest=b"")]
        return seen, Entry(found.path, found.kind, seen.stamp.size, seen.digest, pieces=tuple(pieces))

    def _begin(self, path: bytes) -> Take:
        before = self._known.before(path)
        places = accumulate((one.size for one in before), initial=0)
        self._before = {(one.pack, one.start): (at, one) for at, one in zip(places, before, strict=False)}
        self._ends = {
            one.digest for one, other in pairwise(before) if one.size < PIECES.largest and other.size > PIECES.largest
        }
        self._pieces, self._at, self._offset = [], 0, 0
        return self._take

    def _take(self, part: Sequence[bytes | memoryview], digest: bytes) -> int:
        size = sum(map(len, part))
        if size >= PARTS.smallest and not self._before and not self._known.has_parts:
            self._append(self._store_part(part))
            return size
        digest = digest or _digest(part)
        piece = self._known.pieces.get(digest)
        if piece is not None:
            self._at, _ = self._before.get((piece.pack, piece.start), (self._at, piece))
            self._append(piece)
        elif self._before and size > PIECES.largest:
            size = self._take_edited(b"".join(part))
        elif size >= PARTS.smallest:
            self._append(self._store_part(part, digest))
        else:
            self._append(self._store(part, digest))
        self._at += size
        return size

    def _take_edited(self, part: bytes) -> int:
        """What is new in a part; answers how many bytes of it come before one that is not new at all."""
        for place, piece in list(self._before.values()):
            if abs(place - self._at) < PARTS.largest and piece.size > PIECES.largest:
                del self._before[piece.pack, piece.start]
                self._ends |= self._known.learn_pieces(self._blobs, piece)
        size = 0
        for data, digest in _cut(part):
            self._append(self._known.pieces.get(digest) or self._store([data], digest))
            size += len(data)
            if digest in self._ends:
                self._ends.remove(digest)
                break
        return size

    def _append(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self._offset += piece.size

    def _store_part(self, part: Sequence[bytes | memoryview], digest: bytes = b"") -> Piece:
        """Store a part by itself, unless it would lie in a pack otherwise than in its file, and that counts."""
        if self._sharing and padding(0, self._offset):
            return self._store(part, digest or _digest(part))
        return self._store_pack(part)

    def _store(self, blocks: Sequence[bytes | memoryview], digest: bytes) -> Piece:
        size = sum(map(len, blocks))
        aligned = self._sharing and (self._offset > 0 or size >= WORTH)
        piece = Piece(*self._writer.add(*blocks, offset=self._offset if aligned else None), size, digest)
        self._known.pieces[digest] = piece
        return piece

    def _store_pack(self, blocks: Sequence[bytes | memoryview]) -> Piece:
        """Store a part as a pack, whose digest the store computes: so it is not computed twice."""
        self._writer.end_pack()
        piece = Piece(*self._writer.add(*blocks), sum(map(len, blocks)), b"")
        self._writer.end_pack()
        return piece


def _cut(data: bytes) -> list[tuple[bytes, bytes]]:
    """Pieces of a part, and their digests."""
    from heptad.data.folders.chunks import cut  # noqa: PLC0415 - only who stores a large file again needs numpy

    return [(one, blake3(one).digest()) for one in cut(data, PIECES)]


def _digest(blocks: Sequence[bytes | memoryview]) -> bytes:
    hasher = blake3()
    for block in blocks:
        hasher.update(block)
    return hasher.digest()


def _renumbered(pieces: tuple[Piece, ...], numbers: Mapping[int, int]) -> tuple[Piece, ...]:
    if all(numbers[one.pack] == one.pack for one in pieces):
        return pieces
    return tuple(msgspec.structs.replace(one, pack=numbers[one.pack]) for one in pieces)
