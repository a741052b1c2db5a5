"""A version as it lies in the artifacts."""

from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from heptad.core.errors import HeptadError, IntegrityError, NotFoundError
from heptad.core.local_blobs import LocalBlobs, open_blobs
from heptad.data.folders.packs import PackWriter
from heptad.data.folders.stored import Root, Stored, packs_of, pieces_by_pack, read_root, read_stored, write_stored
from heptad.data.folders.tree import Entry, Piece, digest_of_tree


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return open_blobs(f"file://{tmp_path / 'artifacts'}")


def write(blobs: LocalBlobs, entries: list[Entry], base: Stored | None = None) -> tuple[Stored, int]:
    """A version, and how many bytes it took; files lie nowhere."""
    writer = PackWriter(blobs, max(base.root.packs, default=-1) + 1 if base else 0)
    packs = base.root.packs if base else {}
    known = {one.digest: one for one in base.root.listing} if base else {}
    return write_stored(blobs, writer, digest_of_tree(entries), entries, packs, known), writer.bytes


def many(count: int) -> list[Entry]:
    return [
        Entry(b"file %06d" % n, "f", n, blake3(b"%d" % n).digest(), b"", (Piece(0, n, n, b""),)) for n in range(count)
    ]


def test_a_version_is_read_as_it_was_written(blobs: LocalBlobs) -> None:
    """Whatever the names and kinds; the root and its packs are all that it needs."""
    entries = sorted(
        [Entry(b"\xff", "d"), Entry(b"l", "l", target=b"x\n"), Entry(b"e", "x", 0, b"d")], key=lambda one: one.path
    )
    stored, _ = write(blobs, entries)
    assert read_stored(blobs, stored.digest, digest_of_tree(entries)) == stored
    assert sorted(blobs.digests()) == sorted(stored.artifacts())
    nothing, _ = write(blobs, [])
    assert read_stored(blobs, nothing.digest).entries == []


def test_one_change_among_many_paths_stores_a_few_of_their_lines(blobs: LocalBlobs) -> None:
    """The list of paths is cut like files are."""
    entries = many(20_000)
    blobs_entries = [msgspec.structs.replace(one, pieces=()) for one in entries]
    first, size = write(blobs, blobs_entries)
    assert size > 1_000_000
    blobs_entries[7_000] = Entry(b"file 007000", "f", 3, blake3(b"new").digest())
    second, more = write(blobs, blobs_entries, first)
    assert more < 60_000
    assert blobs.size(second.digest) < 10_000
    assert read_stored(blobs, second.digest).entries == blobs_entries
    assert set(packs_of(first.root)) < set(packs_of(second.root))


def test_pieces_are_given_pack_by_pack_with_their_places() -> None:
    file = Entry(b"f", "f", 5, b"whole", b"", (Piece(2, 4, 3, b"p"), Piece(1, 0, 2, b"q")))
    single = Entry(b"g", "f", 1, b"digest", b"", (Piece(2, 0, 1, b""),))
    root = Root(1, "", 2, {1: b"\x01", 2: b"\x02"}, [])
    assert list(pieces_by_pack(root, [file, single])) == [
        ("02", [(single, 0, Piece(2, 0, 1, b"digest")), (file, 0, Piece(2, 4, 3, b"p"))]),
        ("01", [(file, 3, Piece(1, 0, 2, b"q"))]),
    ]
    with pytest.raises(IntegrityError, match="needs a pack that it does not name"):
        list(pieces_by_pack(Root(1, "", 1, {}, []), [file]))


def test_what_is_not_what_its_pointer_says_is_not_used(blobs: LocalBlobs) -> None:
    """Another tree, an altered root, one that leads elsewhere, one of a later format, no root at all."""
    stored, _ = write(blobs, [Entry(b"a", "d")])
    with pytest.raises(IntegrityError, match="is not what its pointer says"):
        read_stored(blobs, stored.digest, "0" * 64)
    root = stored.root
    lies = {
        "is not what its pointer says": msgspec.structs.replace(root, digest="0" * 64),
        "cannot be read": msgspec.structs.replace(root, entries=2),
        "of format 2": msgspec.structs.replace(root, format=2),
    }
    for words, lie in lies.items():
        with pytest.raises(IntegrityError, match=words):
            read_stored(blobs, blobs.put(msgspec.msgpack.encode(lie)))
    with pytest.raises(IntegrityError, match="is no version of a folder"):
        read_root(blobs, blobs.put(b"something else"))
    outside, _ = write(blobs, [Entry(b"../../etc/passwd", "d")])
    with pytest.raises(IntegrityError, match="cannot be in a folder"):
        read_stored(blobs, outside.digest)
    with pytest.raises(NotFoundError):
        read_root(blobs, "0" * 64)


def test_any_bytes_for_a_root_are_an_error_of_ours(blobs: LocalBlobs) -> None:
    """Cut off, or with a bit turned, at every place."""
    stored, _ = write(blobs, [Entry(b"a", "d")])
    data = blobs.get(stored.digest)
    for place in range(len(data)):
        for lie in (data[:place], data[:place] + bytes([data[place] ^ 0x11]) + data[place + 1 :]):
            with pytest.raises(HeptadError):
                read_stored(blobs, blobs.put(lie), stored.root.digest + "x")
