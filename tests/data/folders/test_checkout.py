"""A version is put in place whole, and nothing that no version has is lost."""

import os
import time
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from tests.data.folders.conftest import LARGE, contents, fill

from heptad.core.errors import ConflictError, InputError, IntegrityError, RefusedError
from heptad.core.local_blobs import LocalBlobs, open_blobs
from heptad.data.folders import checkout
from heptad.data.folders.checkout import put_in_place, refuse_to_lose
from heptad.data.folders.stored import Stored
from heptad.data.folders.storing import scan, store, working
from heptad.data.folders.tree import Entry, Piece
from heptad.data.hash_cache import TICK, HashCache


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return open_blobs(f"file://{tmp_path / 'artifacts'}")


@pytest.fixture
def cache(tmp_path: Path) -> HashCache:
    return HashCache(tmp_path / "cache" / "files.db")


@pytest.fixture
def first(tmp_path: Path, blobs: LocalBlobs, cache: HashCache) -> Stored:
    """A version that is in place at `images`."""
    return store(fill(tmp_path / "images"), "images", blobs, cache, [])[0]


@pytest.fixture
def second(tmp_path: Path, blobs: LocalBlobs, cache: HashCache, first: Stored) -> Stored:
    """The version after it, which is not in place."""
    other = fill(tmp_path / "other", {"a.txt": b"new", "b/large.bin": LARGE[:2_000_000] + b"!", "b/c": b"now a file"})
    return store(other, "other", blobs, cache, [first])[0]


def put(place: Path, stored: Stored, blobs: LocalBlobs, cache: HashCache) -> checkout.PlacedFolder:
    before = working(place, "images", cache) if os.path.lexists(place) else None
    return put_in_place(place, "images", stored, blobs, cache, before)


def test_a_version_comes_back_as_it_was(tmp_path: Path, first: Stored, blobs: LocalBlobs, cache: HashCache) -> None:
    """Bytes, names of any kind, links, empty folders, and what may be executed; known without reading it."""
    expected = contents(tmp_path / "images")
    placed = put(tmp_path / "new" / "images", first, blobs, cache)
    assert contents(tmp_path / "new" / "images") == expected
    assert (placed.written, placed.kept, placed.removed) == (7, 0, 0)
    assert sorted(os.listdir(tmp_path / "new")) == ["images"]
    assert cache.placed("images") == first.digest


def test_from_one_version_to_another_and_back(
    tmp_path: Path, first: Stored, second: Stored, blobs: LocalBlobs, cache: HashCache
) -> None:
    """Only what differs is written; the rest stays the very same file."""
    place, before = tmp_path / "images", contents(tmp_path / "images")
    placed = put(place, second, blobs, cache)
    assert contents(place) == contents(tmp_path / "other")
    assert (placed.written, placed.kept, placed.removed) == (3, 0, 7)
    put(place, first, blobs, cache)
    assert contents(place) == before
    node = (place / "b" / "large.bin").stat().st_ino
    (place / "a.txt").write_bytes(b"changed")
    placed = put(place, first, blobs, cache)
    assert (placed.written, placed.kept, placed.removed) == (1, 6, 0)
    assert (place / "b" / "large.bin").stat().st_ino == node
    assert (place / "b" / "large.bin").stat().st_nlink == 1
    time.sleep(2 * TICK / 1e9)
    working(place, "images", cache)
    assert scan(place, "images", cache).seen.keys() == {one.path for one in first.entries if one.digest}


def test_what_somebody_closed_stays_closed(
    tmp_path: Path, first: Stored, second: Stored, blobs: LocalBlobs, cache: HashCache
) -> None:
    """Permissions are not kept in versions, so those of what was there before stay."""
    place = tmp_path / "images"
    place.chmod(0o2750)
    (place / "b").chmod(0o700)
    (place / "a.txt").chmod(0o600)
    put(place, second, blobs, cache)
    modes = [(place / name).stat().st_mode & 0o7777 for name in (".", "b", "a.txt", "b/c")]
    assert modes[:3] == [0o2750, 0o700, 0o600]
    assert modes[3] & 0o111 == 0
    put(place, first, blobs, cache)
    assert (place / "run.sh").stat().st_mode & 0o100


def test_a_file_and_a_folder_take_each_others_place(
    tmp_path: Path, first: Stored, blobs: LocalBlobs, cache: HashCache
) -> None:
    """One that is named like the other was."""
    (tmp_path / "one").write_bytes(LARGE)
    single = store(tmp_path / "one", "one", blobs, cache, [first])[0]
    put(tmp_path / "images", single, blobs, cache)
    assert (tmp_path / "images").read_bytes() == LARGE
    put(tmp_path / "images", first, blobs, cache)
    assert (tmp_path / "images" / "a.txt").read_bytes() == b"a"


def test_what_no_version_has_is_not_overwritten(
    tmp_path: Path, first: Stored, second: Stored, cache: HashCache
) -> None:
    """Each such file is named: changed, new, or a link; what some version has may go."""
    place = tmp_path / "images"
    held = {one.digest or one.target for one in first.entries}
    refuse_to_lose(place, working(place, "images", cache), second.entries, held.__contains__)
    (place / "a.txt").write_bytes(b"mine")
    (place / "note").write_bytes(b"mine too")
    (place / "shortcut").symlink_to("b/large.bin")
    (place / "a copy").write_bytes(b"a")
    with pytest.raises(RefusedError, match=r"would be lost: a\.txt, note, shortcut\."):
        refuse_to_lose(place, working(place, "images", cache), second.entries, held.__contains__)
    (place / "a.txt").write_bytes(b"new")
    with pytest.raises(RefusedError, match=r"would be lost: note, shortcut\."):
        refuse_to_lose(place, working(place, "images", cache), second.entries, held.__contains__)


def test_what_is_written_meanwhile_is_kept_beside(
    tmp_path: Path, second: Stored, blobs: LocalBlobs, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes a file between the look and the exchange; the error says where it is now."""
    place = tmp_path / "images"
    before = working(place, "images", cache)
    write = checkout.sync_files

    def write_meanwhile(folder: Path, files: list[Path]) -> None:
        (place / "a.txt").write_bytes(b"in the last moment")
        write(folder, files)

    monkeypatch.setattr(checkout, "sync_files", write_meanwhile)
    with pytest.raises(ConflictError, match=r"Somebody wrote into .* while it was replaced") as error:
        put_in_place(place, "images", second, blobs, cache, before)
    (kept,) = tmp_path.glob("images.before-checkout-*")
    assert kept.name in error.value.problem
    assert (kept / "a.txt").read_bytes() == b"in the last moment"
    assert contents(place) == contents(tmp_path / "other")


def test_what_somebody_else_puts_there_meanwhile_is_kept_too(
    tmp_path: Path, first: Stored, blobs: LocalBlobs, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was when it was looked at."""
    place = tmp_path / "new" / "images"
    monkeypatch.setattr(checkout, "sync_files", lambda *_: fill(place, {"theirs": b"x"}))
    with pytest.raises(ConflictError, match="Somebody wrote into"):
        put_in_place(place, "images", first, blobs, cache, None)
    (kept,) = place.parent.glob("images.before-checkout-*")
    assert contents(kept) == {b"theirs": (b"x", False)}


@pytest.mark.parametrize("there", [False, True])
def test_two_that_put_the_same_in_place_leave_nothing_beside_it(
    tmp_path: Path, first: Stored, second: Stored, blobs: LocalBlobs, cache: HashCache, there: bool
) -> None:
    """Both looked before either began, at nothing or at an older version; the slower one finds what it wants."""
    place = tmp_path / ("images" if there else "new/images")
    before = working(place, "images", cache) if there else None
    put_in_place(place, "images", second, blobs, cache, before)
    put_in_place(place, "images", second, blobs, cache, before)
    assert contents(place) == contents(tmp_path / "other")
    assert [one.name for one in place.parent.iterdir() if "images" in one.name] == ["images"]


def test_a_damaged_version_changes_nothing(tmp_path: Path, first: Stored, blobs: LocalBlobs, cache: HashCache) -> None:
    """A pack that was altered; afterwards all is as it was, and nothing lies about."""
    place = tmp_path / "elsewhere" / "images"
    fill(place, {"mine": b"x"})
    pack = next(iter(first.root.packs.values())).hex()
    path = blobs.root / pack[:2] / pack[2:]
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"?")
    with pytest.raises(IntegrityError, match="is damaged"):
        put(place, first, blobs, cache)
    assert os.listdir(place.parent) == ["images"]
    assert contents(place) == {b"mine": (b"x", False)}


def test_pieces_that_make_up_another_file_are_found(
    tmp_path: Path, first: Stored, blobs: LocalBlobs, cache: HashCache
) -> None:
    """Each piece is whole, and the remote that it came from lies about which make up the file."""
    large = next(one for one in first.entries if one.digest == blake3(LARGE).digest())
    whole, half = large.pieces[0], len(LARGE) // 2
    cut = (
        Piece(whole.pack, whole.start, half, blake3(LARGE[:half]).digest()),
        Piece(whole.pack, whole.start + half, len(LARGE) - half, blake3(LARGE[half:]).digest()),
    )
    for pieces in (cut[::-1], cut[:-1]):
        lie = msgspec.structs.replace(first, entries=[msgspec.structs.replace(large, pieces=pieces)])
        with pytest.raises(IntegrityError, match="do not make up the file"):
            put(tmp_path / "new", lie, blobs, cache)
    lie = msgspec.structs.replace(first, entries=[Entry(b"a", "f", 0, blake3(b"x").digest())])
    with pytest.raises(IntegrityError, match="do not make up the file"):
        put(tmp_path / "new", lie, blobs, cache)
    assert not (tmp_path / "new").exists()


def test_names_that_the_file_system_takes_for_one_are_told(
    tmp_path: Path, blobs: LocalBlobs, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS; the system's calls are made to answer as they do there."""
    stored = store(fill(tmp_path / "x", {"README": b"a", "readme": b"b"}), "x", blobs, cache, [])[0]
    lower = checkout._Builder._at
    monkeypatch.setattr(checkout._Builder, "_at", lambda self, path: lower(self, path.lower()))
    with pytest.raises(InputError, match="takes their names for one"):
        put(tmp_path / "new", stored, blobs, cache)


def test_without_second_names_files_are_copied(
    tmp_path: Path, first: Stored, blobs: LocalBlobs, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems have no hard links."""
    expected = contents(tmp_path / "images")
    (tmp_path / "images" / "a.txt").write_bytes(b"changed")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(checkout.os, "link", refused)
    put(tmp_path / "images", first, blobs, cache)
    assert contents(tmp_path / "images") == expected
