"""What is stored of a folder, and what is not stored twice."""

import os
import random
import time
from pathlib import Path

import pytest
from blake3 import blake3
from tests.data.folders.conftest import FILES, LARGE, fill

from heptad.core.local_blobs import LocalBlobs, open_blobs
from heptad.data.folders import storing
from heptad.data.folders.packs import read_pieces
from heptad.data.folders.reading import Reader
from heptad.data.folders.stored import Stored, pieces_by_pack, read_stored
from heptad.data.folders.storing import store, working
from heptad.data.folders.tree import digest_of_tree
from heptad.data.hash_cache import TICK, HashCache


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return open_blobs(f"file://{tmp_path / 'artifacts'}")


@pytest.fixture
def cache(tmp_path: Path) -> HashCache:
    return HashCache(tmp_path / "cache" / "files.db")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    place = fill(tmp_path / "images")
    time.sleep(2 * TICK / 1e9)
    return place


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The paths that are read."""
    paths: list[bytes] = []
    whole = Reader.read

    def noted(self: Reader, found: object, *rest: object) -> object:
        paths.append(found.path)  # type: ignore[attr-defined]
        return whole(self, found, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(storing.Reader, "read", noted)
    return paths


def test_a_folder_is_stored_once(images: Path, blobs: LocalBlobs, cache: HashCache, read: list[bytes]) -> None:
    """The same bytes in two files lie there once; again, nothing is read and nothing stored."""
    first, new = store(images, "images", blobs, cache, [])
    small = sum(len(data) for data in FILES.values()) - len(LARGE)
    assert len(LARGE) < new < small + 2_000
    assert len(read) == 7
    again, more = store(images, "images", blobs, cache, [first])
    assert (again, more, len(read)) == (first, 0, 7)
    assert digest_of_tree(working(images, "images", cache).entries) == first.root.digest
    assert len(read) == 7


def test_a_small_edit_of_a_large_file_stores_little(images: Path, blobs: LocalBlobs, cache: HashCache) -> None:
    """Bytes put into the middle: the pieces around them, and not the two megabytes behind."""
    first, _ = store(images, "images", blobs, cache, [])
    (images / "b" / "large.bin").write_bytes(LARGE[:1_000_000] + b"hello" + LARGE[1_000_000:])
    second, new = store(images, "images", blobs, cache, [read_stored(blobs, first.digest)])
    assert 5 < new < 1_200_000
    assert set(first.root.packs.items()) <= set(second.root.packs.items())


def test_what_moved_is_not_stored_again(images: Path, blobs: LocalBlobs, cache: HashCache) -> None:
    """Renamed and copied files, files of another version, and one that became executable."""
    first, _ = store(images, "images", blobs, cache, [])
    other = fill(images.parent / "other", {"z": os.urandom(300_000), "y": os.urandom(50)})
    second, _ = store(other, "other", blobs, cache, [])
    (images / "b" / "large.bin").rename(images / "moved")
    (images / "run.sh").chmod(0o644)
    (images / "z").write_bytes((other / "z").read_bytes())
    (images / "y").write_bytes((other / "y").read_bytes())
    third, new = store(images, "images", blobs, cache, [first, second])
    assert new < 3_000  # the list of paths
    by_path = {one.path: one for one in third.entries}
    assert by_path[b"run.sh"].kind == "f"
    assert by_path[b"z"].digest == blake3((other / "z").read_bytes()).digest()
    assert read_stored(blobs, third.digest) == third


def test_the_digest_is_the_same_on_every_machine(
    images: Path, blobs: LocalBlobs, cache: HashCache, tmp_path: Path
) -> None:
    """Whatever was stored before, and however."""
    first, _ = store(images, "images", blobs, cache, [])
    elsewhere = open_blobs(f"file://{tmp_path / 'elsewhere'}")
    base, _ = store(fill(tmp_path / "x", {"b": LARGE}), "x", elsewhere, HashCache(tmp_path / "other.db"), [])
    second, _ = store(images, "images", elsewhere, HashCache(tmp_path / "third.db"), [base])
    assert second.root.digest == first.root.digest
    assert second.digest != first.digest


def test_only_what_was_touched_is_read(images: Path, blobs: LocalBlobs, cache: HashCache, read: list[bytes]) -> None:
    """And what is gone is forgotten; a copy of the whole folder is another folder."""
    first, _ = store(images, "images", blobs, cache, [])
    read.clear()
    (images / "a.txt").write_bytes(b"b")
    (images / "empty.txt").unlink()
    (images / "run.sh").touch()
    working(images, "images", cache)
    assert sorted(read) == [b"a.txt", b"run.sh"]
    assert b"empty.txt" not in cache.recall("images")
    assert first.root.entries == 9


def test_a_file_by_itself(blobs: LocalBlobs, cache: HashCache, tmp_path: Path) -> None:
    """Its tree has one path, which is empty."""
    (tmp_path / "large.bin").write_bytes(LARGE)
    stored, new = store(tmp_path / "large.bin", "large.bin", blobs, cache, [])
    assert [one.path for one in stored.entries] == [b""]
    assert new > len(LARGE)
    assert store(tmp_path / "large.bin", "large.bin", blobs, cache, [stored]) == (stored, 0)


HUGE = random.Random(12).randbytes(40_000_000)
EDITS: dict[str, tuple[bytes, int]] = {
    "put in": (HUGE[:20_000_000] + b"hello" + HUGE[20_000_000:], 1_200_000),
    "taken out": (HUGE[:20_000_000] + HUGE[20_000_007:], 1_200_000),
    "overwritten": (HUGE[:20_000_000] + bytes(100) + HUGE[20_000_100:], 1_200_000),
    "at the beginning": (b"hello" + HUGE, 1_200_000),
    "at the end": (HUGE + b"hello", 1_200_000),
    "a megabyte and more put in": (HUGE[:5_000_000] + HUGE[:1_500_000][::-1] + HUGE[5_000_000:], 4_000_000),
    "half of it": (HUGE[:20_000_000], 1_200_000),
    "twice in one part": (HUGE[:20_000_000] + b"x" + HUGE[20_000_000:21_000_000] + b"y" + HUGE[21_000_000:], 2_400_000),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_a_huge_file_stores_what_lies_around_it(
    tmp_path: Path, blobs: LocalBlobs, cache: HashCache, edit: str
) -> None:
    """It was stored in parts, which are cut only now; the edit of the edit, and what it was before, too."""
    place = tmp_path / "x"
    place.write_bytes(HUGE)
    first, new = store(place, "x", blobs, cache, [])
    assert len(HUGE) <= new < len(HUGE) + 1_000
    edited, most = EDITS[edit]
    place.write_bytes(edited)
    second, new = store(place, "x", blobs, cache, [first])
    assert new < most
    assert content(blobs, second) == edited
    again = edited[:9_500_000] + b"again" + edited[9_500_000:]
    place.write_bytes(again)
    third, new = store(place, "x", blobs, cache, [read_stored(blobs, second.digest), first])
    assert new < 2_400_000
    assert content(blobs, third) == again
    place.write_bytes(HUGE)
    assert store(place, "x", blobs, cache, [third, second, first])[0].root.digest == first.root.digest


def test_a_file_that_grew_beyond_a_part_stores_what_is_new(tmp_path: Path, blobs: LocalBlobs, cache: HashCache) -> None:
    """It was one piece."""
    place = tmp_path / "x"
    place.write_bytes(HUGE[:7_000_000])
    first, _ = store(place, "x", blobs, cache, [])
    place.write_bytes(HUGE[:20_000_000])
    second, new = store(place, "x", blobs, cache, [first])
    assert new < 14_000_000
    assert content(blobs, second) == HUGE[:20_000_000]


def test_parts_that_are_not_here_teach_nothing(tmp_path: Path, blobs: LocalBlobs, cache: HashCache) -> None:
    """As in a clone that was given the lists, and not the files: what was edited is stored whole."""
    place = tmp_path / "x"
    place.write_bytes(HUGE[:20_000_000])
    first, _ = store(place, "x", blobs, cache, [])
    blobs.delete(one.hex() for one in first.root.packs.values())
    place.write_bytes(HUGE[:3_000_000] + HUGE[3_000_001:20_000_000])
    second, new = store(place, "x", blobs, cache, [first])
    assert 8_000_000 < new < 12_000_000
    assert second.root.entries == 1


def content(blobs: LocalBlobs, stored: Stored) -> bytes:
    """The file of a version that is one, put together from its pieces."""
    parts: dict[int, bytes] = {}
    for pack, wanted in pieces_by_pack(stored.root, stored.entries):
        found = read_pieces(blobs, pack, [piece for _, _, piece in wanted])
        parts |= {at: data for (_, at, _), data in zip(wanted, found, strict=True)}
    return b"".join(parts[at] for at in sorted(parts))
