"""How data differs from its pointer."""

from pathlib import Path

import pytest
from tests.data.folders.conftest import fill

from heptad.core.local_blobs import LocalBlobs, open_blobs
from heptad.data.folders.records import Pointer
from heptad.data.folders.status import FolderStatus, status_of
from heptad.data.folders.stored import Stored
from heptad.data.folders.storing import store
from heptad.data.folders.tree import counts
from heptad.data.hash_cache import HashCache


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return open_blobs(f"file://{tmp_path / 'artifacts'}")


def pointer_to(stored: Stored) -> Pointer:
    files, size = counts(stored.entries)
    return Pointer(what="folder", digest=stored.root.digest, stored=stored.digest, files=files, bytes=size)


def test_every_state_is_told_apart(tmp_path: Path, blobs: LocalBlobs) -> None:
    """The same, changed, put in place for another pointer, missing, not in this workspace."""
    cache = HashCache(tmp_path / "files.db")
    place = fill(tmp_path / "images")

    def status(stored: Stored, pieces: LocalBlobs = blobs) -> FolderStatus:
        return status_of("images", place, pointer_to(stored), pieces, cache)

    first = store(place, "images", blobs, cache, [])[0]
    assert status(first).state == "same"
    (place / "a.txt").write_bytes(b"b")
    assert (status(first).state, status(first).changes.changed) == ("changed", ["a.txt"])
    second = store(place, "images", blobs, cache, [first])[0]
    cache.place("images", second.digest)
    assert status(first).state == "pointer moved"
    (place / "a.txt").write_bytes(b"c")
    assert status(first).state == "changed"
    assert status(first, open_blobs(f"file://{tmp_path / 'none'}")).state == "elsewhere"
    place.rename(tmp_path / "away")
    missing = status(first)
    assert (missing.state, missing.next, len(missing.changes.removed)) == ("missing", "heptad data checkout", 9)


def test_data_that_is_in_place_needs_no_bytes_to_be_known(tmp_path: Path, blobs: LocalBlobs) -> None:
    """The digest of the tree in the pointer is enough."""
    cache = HashCache(tmp_path / "files.db")
    place = fill(tmp_path / "images")
    first = store(place, "images", blobs, cache, [])[0]
    assert (
        status_of("images", place, pointer_to(first), open_blobs(f"file://{tmp_path / 'none'}"), cache).state == "same"
    )
