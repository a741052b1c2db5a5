"""Pieces are put together to packs, and come back out of them verified."""

import os
import random
from pathlib import Path

import pytest
from blake3 import blake3

from heptad.core.errors import IntegrityError, WorkspaceError
from heptad.core.local_blobs import LocalBlobs, open_blobs
from heptad.data.folders.packs import BLOCK, GROUP, JOINED, PACK, PackWriter, in_order, read_pieces
from heptad.data.folders.tree import Piece


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return open_blobs(f"file://{tmp_path / 'artifacts'}")


def put(blobs: LocalBlobs, pieces: list[bytes], first: int = 0) -> tuple[list[Piece], dict[int, bytes]]:
    writer = PackWriter(blobs, first)
    placed = [Piece(*writer.add(one), len(one), blake3(one).digest()) for one in pieces]
    return placed, writer.close()


def test_pieces_come_back_from_their_packs(blobs: LocalBlobs) -> None:
    """In packs of at most 16 MiB, numbered from where the last version stopped."""
    chance = random.Random(5)
    pieces = [chance.randbytes(chance.choice([1, 700, BLOCK // 5, 1 << 20])) for _ in range(90)]
    placed, packs = put(blobs, pieces, first=7)
    assert list(packs) == list(range(7, 7 + len(packs)))
    assert len(packs) > 1
    for number, digest in packs.items():
        assert blobs.size(digest.hex()) <= PACK
        mine = [(piece, data) for piece, data in zip(placed, pieces, strict=True) if piece.pack == number]
        assert list(read_pieces(blobs, digest.hex(), [one for one, _ in mine])) == [data for _, data in mine]
        some = in_order([*[one for one, _ in mine][::3], mine[0][0]])
        held = {one.start: data for one, data in mine}
        assert list(read_pieces(blobs, digest.hex(), some)) == [held[one.start] for one in some]


def test_a_piece_may_lie_in_blocks_and_have_a_pack_for_itself(blobs: LocalBlobs) -> None:
    """Small blocks and large ones, in the order in which they were given."""
    chance = random.Random(8)
    blocks = [chance.randbytes(size) for size in (10, JOINED, 7, JOINED - 1, 3 * JOINED)]
    writer = PackWriter(blobs, 0)
    assert writer.add(b"before") == (0, 0)
    writer.end_pack()
    writer.end_pack()
    assert writer.add(*map(memoryview, blocks)) == (1, 0)
    writer.end_pack()
    assert writer.add(b"behind") == (2, 0)
    packs = writer.close()
    assert packs[1] == blake3(b"".join(blocks)).digest()
    assert blobs.get(packs[1].hex()) == b"".join(blocks)
    assert [blobs.get(packs[number].hex()) for number in (0, 2)] == [b"before", b"behind"]


def test_nothing_makes_no_pack(blobs: LocalBlobs) -> None:
    assert put(blobs, []) == ([], {})
    assert list(blobs.digests()) == []


def test_equal_pieces_make_equal_packs(blobs: LocalBlobs) -> None:
    """What a killed process stored is found again by the one that does the same."""
    chance = random.Random(6)
    pieces = [chance.randbytes(1 << 20) for _ in range(40)]
    assert put(blobs, pieces) == put(blobs, pieces)
    assert len(list(blobs.digests())) == 3


def test_more_packs_than_are_made_durable_together(blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heptad.data.folders.packs.PACK", 100)
    pieces = [b"%099d" % number for number in range(2 * GROUP + 1)]
    placed, packs = put(blobs, pieces)
    assert len(packs) == 2 * GROUP + 1
    assert list(read_pieces(blobs, packs[2 * GROUP].hex(), [placed[-1]])) == [pieces[-1]]


def test_what_is_abandoned_leaves_nothing(blobs: LocalBlobs) -> None:
    writer = PackWriter(blobs, 0)
    for _ in range(30):
        writer.add(os.urandom(1 << 20))
    writer.abandon()
    assert list(blobs.digests()) == []
    assert list((blobs.root / "incoming").iterdir()) == []


def test_an_error_of_the_store_reaches_whoever_adds(blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """While adding or at the end, and nobody waits for ever."""

    def full(sources: object) -> list[str]:
        raise WorkspaceError("the disk is full.")

    monkeypatch.setattr(blobs, "put_many", full)
    writer = PackWriter(blobs, 0)

    def add_all() -> None:
        for _ in range(60):
            writer.add(os.urandom(1 << 20))
        writer.close()

    with pytest.raises(WorkspaceError, match="full"):
        add_all()
    writer.abandon()
    with pytest.raises(WorkspaceError, match="full"):
        put(blobs, [b"x"])


def test_damage_and_lies_are_found(blobs: LocalBlobs) -> None:
    """A pack that was altered, a piece that is not where it is said to be, one larger than any is."""
    (piece, other), packs = put(blobs, [b"one piece", b"another"])
    pack = packs[0].hex()
    for lie in (Piece(0, 1, 9, piece.digest), Piece(0, 9, 99, other.digest), Piece(0, 0, 1 << 40, piece.digest)):
        with pytest.raises(IntegrityError, match="does not hold what a version says of it"):
            list(read_pieces(blobs, pack, [lie]))
    path = blobs.root / pack[:2] / pack[2:]
    path.chmod(0o644)
    path.write_bytes(b"onE pieceanother")
    with pytest.raises(IntegrityError, match=f"The artifact {pack} is damaged"):
        list(read_pieces(blobs, pack, [piece]))
