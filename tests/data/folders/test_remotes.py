"""Versions travel between places: whole, verified, and nothing twice."""

from pathlib import Path
from typing import BinaryIO

import pytest
from tests.data.folders.conftest import LARGE, fill

from heptad.core.errors import IntegrityError, NotFoundError, SettingsError, UnavailableError
from heptad.core.local_blobs import LocalBlobs, open_blobs
from heptad.data.folders.remotes import open_remote, pull, push
from heptad.data.folders.settings import RemoteSettings
from heptad.data.folders.stored import Stored, packs_of, read_stored
from heptad.data.folders.storing import store
from heptad.data.hash_cache import HashCache


@pytest.fixture
def here(tmp_path: Path) -> LocalBlobs:
    return open_blobs(f"file://{tmp_path / 'here'}")


@pytest.fixture
def remote(tmp_path: Path) -> LocalBlobs:
    return open_blobs(f"file://{tmp_path / 'remote'}")


@pytest.fixture
def stored(tmp_path: Path, here: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> Stored:
    """A version of several packs."""
    monkeypatch.setattr("heptad.data.folders.packs.PACK", 1 << 20)
    return store(fill(tmp_path / "images"), "images", here, HashCache(tmp_path / "files.db"), [])[0]


def test_only_what_is_missing_is_sent_and_fetched(
    tmp_path: Path, here: LocalBlobs, remote: LocalBlobs, stored: Stored
) -> None:
    """And it is the same version there."""
    sent = push(here, remote, stored.digest)
    assert (sent.packs, sent.there) == (len(stored.root.packs) + 1, 0)
    assert sent.bytes > len(LARGE)
    remote.delete([packs_of(stored.root)[1]])
    again = push(here, remote, stored.digest)
    assert (again.packs, again.there) == (1, len(stored.root.packs))
    there = open_blobs(f"file://{tmp_path / 'there'}")
    assert pull(there, remote, stored.digest).packs == sent.packs
    assert read_stored(there, stored.digest) == stored
    assert pull(there, remote, stored.digest).packs == 0


class Breaking(LocalBlobs):
    """A remote whose line breaks after some packs."""

    left = 2

    def put(self, data: bytes | Path | BinaryIO) -> str:
        if self.left == 0:
            raise UnavailableError("the line broke.")
        self.left -= 1
        return super().put(data)


def test_a_broken_line_loses_nothing(tmp_path: Path, here: LocalBlobs, remote: LocalBlobs, stored: Stored) -> None:
    """The root is sent last, so half a version is none; what was sent is not sent again."""
    with pytest.raises(UnavailableError, match="the line broke"):
        push(here, Breaking(remote.root), stored.digest)
    assert len(list(remote.digests())) == 2
    with pytest.raises(NotFoundError):
        pull(open_blobs(f"file://{tmp_path / 'there'}"), remote, stored.digest)
    assert push(here, remote, stored.digest).there == 2


def test_what_arrives_damaged_is_not_taken(
    tmp_path: Path, here: LocalBlobs, remote: LocalBlobs, stored: Stored
) -> None:
    push(here, remote, stored.digest)
    pack = packs_of(stored.root)[0]
    path = remote.root / pack[:2] / pack[2:]
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"?")
    there = open_blobs(f"file://{tmp_path / 'there'}")
    with pytest.raises(IntegrityError, match=f"The artifact {pack} is damaged"):
        pull(there, remote, stored.digest)
    assert pack not in set(there.digests())


def test_where_the_remote_is(tmp_path: Path) -> None:
    """A setting or an option; a path is relative to the project, and no secret stands in either."""
    assert open_remote(RemoteSettings(uri="../r"), tmp_path / "project").put(b"x")  # type: ignore[func-returns-value]
    assert (tmp_path / "r").is_dir()
    assert open_remote(RemoteSettings(uri="../r"), tmp_path / "project", str(tmp_path / "other")).put(b"x")
    assert (tmp_path / "other").is_dir()
    with pytest.raises(SettingsError, match="Nothing says where"):
        open_remote(RemoteSettings(), tmp_path)
    with pytest.raises(SettingsError, match="uri holds the password"):
        open_remote(RemoteSettings(uri="s3://me:sesame@bucket/x"), tmp_path)
    with pytest.raises(NotFoundError, match="adapter for blobs 'ftp'"):
        open_remote(RemoteSettings(uri="ftp://host/x"), tmp_path)
