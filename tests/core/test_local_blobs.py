"""Artifacts in a folder, with the file system's refusals and processes that are killed."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from heptad.core import local_blobs
from heptad.core.errors import InputError, WorkspaceError
from heptad.core.local_blobs import LocalBlobs, open_blobs
from heptad.testing.blobs_contract import LARGE, BlobStoreContract, Damage

IS_ROOT = os.geteuid() == 0


def file_of(blobs: LocalBlobs, digest: str) -> Path:
    return blobs.root / digest[:2] / digest[2:]


class TestLocalBlobs(BlobStoreContract):
    """A folder of this machine keeps the promises of `BlobStore`."""

    @pytest.fixture
    def blobs(self, tmp_path: Path) -> LocalBlobs:
        return open_blobs(f"file://{tmp_path / 'artifacts'}")

    @pytest.fixture
    def damage(self, blobs: LocalBlobs) -> Damage:
        def flip_the_last_byte(digest: str) -> None:
            path = file_of(blobs, digest)
            path.chmod(0o644)
            with path.open("r+b") as file:
                file.seek(-1, os.SEEK_END)
                last = file.read(1)
                file.seek(-1, os.SEEK_END)
                file.write(bytes([last[0] ^ 1]))

        return flip_the_last_byte

    def test_opening_makes_nothing(self, blobs: LocalBlobs) -> None:
        """A store that is only looked at leaves no trace, so that a read-only workspace can be read."""
        assert list(blobs.digests()) == []
        assert blobs.delete([]) == 0
        assert not blobs.root.exists()

    def test_a_cut_off_file_is_damaged(self, blobs: LocalBlobs) -> None:
        """A file that lost its end is found as one that was altered."""
        digest = blobs.put(LARGE)
        os.truncate(file_of(blobs, digest), 0)
        with pytest.raises(local_blobs.IntegrityError), blobs.open(digest) as stream:
            stream.read()
        assert blobs.put(LARGE) == digest
        assert blobs.get(digest) == LARGE

    def test_many_files_take_one_sync(self, blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A hundred files become durable by one sync, before the first gets its name; a second makes the names so."""
        synced = []

        def count(folder: Path, files: list[Path]) -> None:
            synced.append((len(files), len(list(blobs.digests()))))

        monkeypatch.setattr(local_blobs, "sync_files", count)
        files = [tmp_path / str(number) for number in range(100)]
        for file in files:
            file.write_text(file.name)
        blobs.put_many(files)
        assert synced[0] == (100, 0)
        assert [named for _, named in synced[1:]] == [100]

    def test_age_counts_from_the_last_put(self, blobs: LocalBlobs) -> None:
        """An old artifact that is put again is young: somebody is about to refer to it."""
        digest = blobs.put(b"old")
        last_week = time.time() - 7 * 86_400
        os.utime(file_of(blobs, digest), (last_week, last_week))
        assert list(blobs.digests(timedelta(days=1))) == [digest]
        blobs.put(b"old")
        assert list(blobs.digests(timedelta(days=1))) == []
        assert blobs.delete([digest], timedelta(days=1)) == 0

    def test_a_file_of_the_future_is_not_old(self, blobs: LocalBlobs) -> None:
        """Where the machine's clock went backwards, artifacts are spared rather than taken."""
        digest = blobs.put(b"later")
        tomorrow = time.time() + 86_400
        os.utime(file_of(blobs, digest), (tomorrow, tomorrow))
        assert blobs.delete([digest], timedelta(seconds=1)) == 0

    def test_what_failed_leaves_nothing_behind(self, blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
        """An error in the middle of a put removes the temporary file."""

        def fail(*_: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(local_blobs, "sync_files", fail)
        with pytest.raises(WorkspaceError, match="Input/output error"):
            blobs.put(LARGE)
        assert list((blobs.root / "incoming").iterdir()) == []
        assert list(blobs.digests()) == []


@pytest.mark.parametrize("url", ["s3://bucket", "file://relative/path", "/a/path", ""])
def test_other_urls_are_refused(url: str) -> None:
    """Only `file:///absolute/path` names a folder of artifacts."""
    with pytest.raises(InputError, match="not a place"):
        open_blobs(url)


KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from heptad.core.local_blobs import open_blobs
class Endless:
    parts = 0
    def read(self, size):
        self.parts += 1
        if self.parts == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return bytes(size)
open_blobs(sys.argv[1]).put(Endless())
"""


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """A process killed while it writes leaves no artifact; its temporary file goes when the store is opened again."""
    url = f"file://{tmp_path / 'artifacts'}"
    done = subprocess.run([sys.executable, "-c", KILLED_IN_THE_MIDDLE, url], check=False)
    assert done.returncode == -signal.SIGKILL
    incoming = tmp_path / "artifacts" / "incoming"
    assert len(list(incoming.iterdir())) == 1
    blobs = open_blobs(url)
    assert list(incoming.iterdir()) == []
    assert list(blobs.digests()) == []


def test_what_somebody_is_writing_is_left_alone(tmp_path: Path) -> None:
    """Opening the store beside a writer does not take away the file that is being written."""
    url = f"file://{tmp_path / 'artifacts'}"
    seen: list[int] = []

    class Slow:
        parts = [LARGE[: 4 << 20], b"the rest", b""]

        def read(self, _: int) -> bytes:
            if len(self.parts) < 3:
                open_blobs(url)
                seen.append(len(list((tmp_path / "artifacts" / "incoming").iterdir())))
            return self.parts.pop(0)

    blobs = open_blobs(url)
    digest = blobs.put(Slow())  # type: ignore[arg-type]
    assert seen == [1, 1]
    assert blobs.get(digest) == LARGE[: 4 << 20] + b"the rest"


def test_a_child_forked_during_a_put_does_not_keep_the_lock(tmp_path: Path) -> None:
    """Whoever deletes need not wait for a child that was started meanwhile and lives on."""
    blobs = LocalBlobs(tmp_path)
    child = 0

    class Forking:
        parts = [b"some bytes", b""]

        def read(self, _: int) -> bytes:
            nonlocal child
            if not child:
                child = os.fork()
                if child == 0:
                    time.sleep(30)
                    os._exit(0)
            return self.parts.pop(0)

    digest = blobs.put(Forking())  # type: ignore[arg-type]
    assert child > 0
    done = threading.Event()
    threading.Thread(target=lambda: (blobs.delete([digest]), done.set()), daemon=True).start()
    try:
        assert done.wait(60)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.skipif(IS_ROOT, reason="permissions do not bind root; the test below makes a read-only mount")
def test_a_closed_folder_is_a_workspace_error(tmp_path: Path) -> None:
    """A folder that this user may not write is named, and reading goes on."""
    blobs = LocalBlobs(tmp_path)
    digest = blobs.put(b"before")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WorkspaceError, match="may not be written"):
            blobs.put(b"after")
        assert blobs.get(digest) == b"before"
    finally:
        tmp_path.chmod(0o700)


def test_the_disk_begins_with_a_large_file_while_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the end waits for little: each byte once, in order."""
    monkeypatch.setattr(local_blobs, "BEGUN", local_blobs.CHUNK)
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _file, start, size, _advice: begun.append((start, size)))
    blobs = open_blobs(f"file://{tmp_path}/blobs")
    data = os.urandom(2 * local_blobs.CHUNK + 1)
    assert blobs.get(blobs.put(data)) == data
    assert begun == [(0, local_blobs.CHUNK), (local_blobs.CHUNK, local_blobs.CHUNK), (2 * local_blobs.CHUNK, 1)]


def test_a_sync_that_fails_fails_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is left."""
    blobs = open_blobs(f"file://{tmp_path}/blobs")
    data = os.urandom(2 * local_blobs.CHUNK + 1)

    def failing(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(local_blobs, "sync_files", failing)
        with pytest.raises(WorkspaceError, match="Input/output error"):
            blobs.put(data)
    assert list(blobs.digests()) == []
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []
    assert blobs.get(blobs.put(data)) == data


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_a_workspace_error(small_disk: Path, tmp_path: Path) -> None:
    """What does not fit leaves nothing behind, and what was stored before is whole."""
    blobs = LocalBlobs(small_disk)
    digest = blobs.put(b"before")
    files = [tmp_path / str(number) for number in range(40)]
    for file in files:
        file.write_bytes(os.urandom(50_000))
    for store in (lambda: blobs.put(os.urandom(2_000_000)), lambda: blobs.put_many(files)):
        with pytest.raises(WorkspaceError, match="is full"):
            store()
        assert list((small_disk / "incoming").iterdir()) == []
        assert list(blobs.digests()) == [digest]
    assert blobs.get(digest) == b"before"
    blobs.put(b"x" * 100_000)


def test_a_read_only_disk_can_be_read(small_disk: Path) -> None:
    """On a read-only file system artifacts are read, and storing says why it cannot be."""
    digest = LocalBlobs(small_disk).put(b"before")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    blobs = open_blobs(f"file://{small_disk}")
    assert blobs.get(digest) == b"before"
    with pytest.raises(WorkspaceError, match="read-only"):
        blobs.put(b"after")
    with pytest.raises(WorkspaceError, match="read-only"):
        blobs.delete([digest])
