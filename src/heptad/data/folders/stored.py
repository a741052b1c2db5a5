"""A version as it lies in the artifacts: a root that names the packs, and in them the pieces of the list of paths."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import pack
from typing import Annotated

import msgspec
from blake3 import blake3

from heptad.core.artifacts import BlobStore
from heptad.core.errors import IntegrityError
from heptad.data.folders.packs import PackWriter, in_order, place_of, read_pieces
from heptad.data.folders.sizes import LISTINGS
from heptad.data.folders.tree import Entry, Piece, digest_of_tree, refuse_dangerous

FORMAT = 1


class Root(msgspec.Struct, frozen=True, array_like=True):
    """The artifact that a pointer names. Numbers of packs stay from version to version, so that lists stay alike."""

    format: int
    digest: str
    """Of the tree, whichever way it is stored."""
    entries: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    packs: dict[int, bytes]
    """Number to digest of every pack that the version needs."""
    listing: list[Piece]
    """The list of paths, `Entry` after `Entry`, cut into pieces."""


class Stored(msgspec.Struct, frozen=True):
    """A version that was read: its root, the artifact's digest, and what is in the tree."""

    digest: str
    root: Root
    entries: list[Entry]

    def artifacts(self) -> list[str]:
        """All that has to stay for the version to be whole: the root and its packs."""
        return [self.digest, *packs_of(self.root)]


def packs_of(root: Root) -> list[str]:
    return [digest.hex() for digest in root.packs.values()]


def read_root(blobs: BlobStore, digest: str) -> Root:
    """Raises `NotFoundError` where the version is not here, `IntegrityError` where it is damaged or none."""
    try:
        root = msgspec.msgpack.decode(blobs.get(digest), type=Root)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"The artifact {digest} is no version of a folder.", remedy=_REMEDY) from error
    if root.format != FORMAT:
        raise IntegrityError(
            f"The version {digest} is of format {root.format}, and this program knows {FORMAT}.",
            remedy="update heptad",
        )
    return root


_REMEDY = "Somebody altered the pointer, or made it by other means than heptad."


def read_stored(blobs: BlobStore, digest: str, expected: str = "") -> Stored:
    """The version with its paths, checked: they are those of the digest of the tree, and lead nowhere else.

    `expected` is the digest of the tree that the pointer gives.
    """
    root = read_root(blobs, digest)
    by_pack: dict[int, list[Piece]] = {}
    for one in root.listing:
        by_pack.setdefault(one.pack, []).append(one)
    parts: dict[tuple[int, int], bytes] = {}
    for number, pieces in by_pack.items():
        wanted = in_order(pieces)
        for one, data in zip(wanted, read_pieces(blobs, _pack(root, number), wanted), strict=True):
            parts[number, one.start] = data
    try:
        # The head of a list of so many, which `listing_of` leaves out: it would differ with every path.
        text = b"\xdd" + pack(">I", root.entries) + b"".join(parts[one.pack, one.start] for one in root.listing)
        entries = msgspec.msgpack.decode(text, type=list[Entry])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"The version {digest} cannot be read: {error}.", remedy=_REMEDY) from error
    if digest_of_tree(entries) != root.digest or (expected and expected != root.digest):
        raise IntegrityError(f"The version {digest} is not what its pointer says.", remedy=_REMEDY)
    refuse_dangerous(entries)
    return Stored(digest, root, entries)


def write_stored(
    blobs: BlobStore,
    writer: PackWriter,
    tree: str,
    entries: Sequence[Entry],
    packs: Mapping[int, bytes],
    known: Mapping[bytes, Piece],
) -> Stored:
    """Store the list of paths, then all that `writer` has taken, then the root; `tree` is the digest of `entries`.

    `packs` are those that were there before, and `known` the pieces of their lists, which are not stored again.
    """
    from heptad.data.folders.chunks import cut  # noqa: PLC0415 - only who writes a version needs numpy

    listing: list[Piece] = []
    for data in cut(listing_of(entries), LISTINGS):
        digest = blake3(data).digest()
        piece = known.get(digest)
        if piece is None:
            piece = Piece(*writer.add(data), len(data), digest)
        listing.append(piece)
    packs = {**packs, **writer.close()}
    used = {piece.pack for one in entries for piece in one.pieces} | {one.pack for one in listing}
    root = Root(FORMAT, tree, len(entries), {one: packs[one] for one in sorted(used)}, listing)
    return Stored(blobs.put(msgspec.msgpack.encode(root)), root, list(entries))


def listing_of(entries: Iterable[Entry]) -> bytes:
    encoder, buffer = msgspec.msgpack.Encoder(), bytearray()
    for one in entries:
        encoder.encode_into(one, buffer, -1)
    return bytes(buffer)


def pieces_by_pack(root: Root, entries: Iterable[Entry]) -> Iterator[tuple[str, list[tuple[Entry, int, Piece]]]]:
    """Pack by pack all pieces of files, in the order of their starts, each with where in its file it belongs."""
    found: dict[int, list[tuple[Entry, int, Piece]]] = {}
    for entry in entries:
        offset = 0
        for one in with_digests(root.packs, entry.digest, entry.pieces):
            found.setdefault(one.pack, []).append((entry, offset, one))
            offset += one.size
    for number, wanted in found.items():
        yield _pack(root, number), sorted(wanted, key=lambda one: place_of(one[2]))


def with_digests(packs: Mapping[int, bytes], digest: bytes, pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of a file of that digest, each with its own, which it leaves out where it is the file or a pack."""
    return [
        one
        if one.digest
        else msgspec.structs.replace(one, digest=digest if len(pieces) == 1 else packs.get(one.pack, b""))
        for one in pieces
    ]


def _pack(root: Root, number: int) -> str:
    packs: Mapping[int, bytes] = root.packs
    if number not in packs:
        raise IntegrityError(f"The version {root.digest} needs a pack that it does not name.", remedy=_REMEDY)
    return packs[number].hex()
