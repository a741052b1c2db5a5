"""Folders from adding to forgetting, with real Git, a remote folder, and processes that are killed."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.data.folders.conftest import LARGE, contents, fill

from heptad.core.errors import InputError, NotFoundError, RefusedError, WorkspaceError
from heptad.core.garbage import collect_garbage
from heptad.core.local_blobs import open_blobs
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data.folders.folders import Folders
from heptad.data.folders.pointers import read_pointer
from heptad.data.folders.settings import RemoteSettings
from heptad.data.folders.storing import working
from heptad.data.hash_cache import TICK

ROOT = Path(__file__).parent.parent.parent.parent


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True
    ).stdout


def opened(root: Path) -> Folders:
    return Folders(open_workspace(root, "clone", StoreSettings()), RemoteSettings())


def test_adding_again_finds_what_is_there(folders: Folders, images: Path, workspace: Workspace) -> None:
    """The same is one version; a change is the next, linked to the one before; the event tells who."""
    (first,) = folders.add([images])
    assert (first.is_new, first.version.body.version, first.version.body.files) == (True, 1, 7)
    (again,) = folders.add([images])
    assert (again.is_new, again.new_bytes, again.version.id) == (False, 0, first.version.id)
    (images / "a.txt").write_bytes(b"b")
    (second,) = folders.add([images])
    assert (second.is_new, second.version.body.version) == (True, 2)
    assert second.new_bytes < 5_000
    assert [link.target for link in workspace.store.trace([second.version.id], "out")] == [first.version.id]
    assert [event.kind for event in workspace.store.follow(0)] == ["data.folder_added"] * 2
    assert read_pointer(images.with_name("images.heptad")).digest == second.version.body.digest


def test_a_project_that_was_renamed_builds_on_what_it_has(folders: Folders, images: Path, workspace: Workspace) -> None:
    """Its versions are counted anew, and their bytes are not stored again; another's artifacts are not looked for."""
    folders.add([images])
    (images / "a.txt").write_bytes(b"b")
    renamed = replace(workspace, name="renamed")
    (first,) = Folders(renamed, RemoteSettings()).add([images])
    assert (first.version.body.version, first.new_bytes < 5_000) == (1, True)
    (images / "a.txt").write_bytes(b"c")
    elsewhere = replace(workspace, name="other", blobs=open_blobs(f"file://{workspace.root / 'elsewhere'}"))
    (third,) = Folders(elsewhere, RemoteSettings()).add([images])
    assert third.new_bytes > len(LARGE)
    assert len(Folders(elsewhere, RemoteSettings()).entries(third.version).entries) == 9


def test_versions_are_found_and_compared(folders: Folders, images: Path, tmp_path: Path) -> None:
    """By number, digest, name and id; and written elsewhere."""
    before = contents(images)
    folders.add([images])
    (images / "b" / "large.bin").rename(images / "moved.bin")
    (images / "a.txt").unlink()
    (second,) = folders.add([images])
    one, two = folders.find("images@1"), folders.find("images")
    assert one is not None
    assert two is not None
    assert two.id == second.version.id
    found = [folders.find(ref) for ref in (f"images@{one.body.digest[:8]}", one.id)]
    assert [record and record.id for record in found] == [one.id] * 2
    assert folders.diff(one, two).lines() == ["removed  a.txt", "renamed  b/large.bin -> moved.bin"]
    folders.get(one, tmp_path / "elsewhere")
    assert contents(tmp_path / "elsewhere") == before
    with pytest.raises(InputError, match="exists already"):
        folders.get(one, tmp_path / "elsewhere")
    assert folders.find("others") is None
    with pytest.raises(NotFoundError, match="images@7"):
        folders.find("images@7")
    assert folders.names() == ["images"]
    folders.add([fill(images.with_name("others@2"), {"a": b"a"})])
    odd = folders.find("others@2")
    assert odd is not None
    assert (odd.body.name, odd.body.version) == ("others@2", 1)


def test_going_back_and_adding_again_gives_the_pointer_of_then(folders: Folders, images: Path) -> None:
    """One content has one pointer, however one comes to it."""
    folders.add([images])
    pointer = images.with_name("images.heptad")
    first = pointer.read_bytes()
    (images / "a.txt").write_bytes(b"b")
    folders.add([images])
    (images / "a.txt").write_bytes(b"a")
    (third,) = folders.add([images])
    assert pointer.read_bytes() == first
    assert third.version.body.version == 3


def test_status_says_what_to_do(folders: Folders, images: Path) -> None:
    """For each of the ways in which data and pointer can differ."""
    folders.add([images])
    pointer = images.with_name("images.heptad")
    first = pointer.read_bytes()
    assert [(one.state, one.next) for one in folders.status()] == [("same", "")]
    (images / "a.txt").write_bytes(b"b")
    (changed,) = folders.status()
    assert (changed.state, changed.changes.lines(), changed.next) == (
        "changed",
        ["changed  a.txt"],
        "heptad data add images",
    )
    folders.add([images])
    pointer.write_bytes(first)
    (moved,) = folders.status()
    assert (moved.state, moved.next) == ("pointer moved", "heptad data checkout")
    images.rename(images.with_name("away"))
    assert [one.state for one in folders.status()] == ["missing"]
    pointer.write_text(first.decode().replace('stored = "', 'stored = "0')[:-10].replace("files", "#"))
    with pytest.raises(InputError):
        folders.status()


def test_a_pointer_that_contradicts_itself_is_told(folders: Folders, images: Path) -> None:
    """The numbers that people read in it are those of the data; adding writes them again."""
    folders.add([images])
    pointer = images.with_name("images.heptad")
    whole = pointer.read_text()
    pointer.write_text(whole.replace("files = 7", "files = 999"))
    for fails in (folders.status, folders.checkout):
        with pytest.raises(InputError, match="files = 999") as error:
            fails()
        assert "files = 7" in error.value.allowed
    folders.add([images])
    assert pointer.read_text() == whole


def test_a_clone_needs_the_pointer_and_the_remote(
    tmp_path: Path, folders: Folders, images: Path, workspace: Workspace
) -> None:
    """`git clone`, pull: the files are there; then `git checkout` and checkout go from commit to commit."""
    root, remote = workspace.root, tmp_path / "remote"
    git(root, "init", "-q")
    one = contents(images)
    folders.add([images])
    git(root, "add", "images.heptad", ".gitignore")
    git(root, "commit", "-q", "-m", "one")
    (images / "a.txt").write_bytes(b"b")
    (images / "b" / "large.bin").write_bytes(LARGE + b"more")
    two = contents(images)
    folders.add([images])
    git(root, "commit", "-q", "-a", "-m", "two")
    assert git(root, "status", "--short", "--", "images") == ""
    sent = folders.push(remote=str(remote), everything=True)
    assert sent.packs > 2
    assert folders.push(remote=str(remote)).packs == 0

    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(root), str(clone))
    there = opened(clone)
    assert [state.state for state in there.status()] == ["elsewhere"]
    with pytest.raises(NotFoundError, match="heptad data pull"):
        there.checkout()
    moved, _ = there.pull(remote=str(remote))
    assert moved.packs == 3
    assert contents(clone / "images") == two
    assert git(clone, "status", "--short") == ""
    assert [state.state for state in there.status()] == ["same"]
    git(clone, "checkout", "-q", "HEAD~1")
    assert [state.state for state in there.status()] == ["elsewhere"]
    there.pull(remote=str(remote))
    assert contents(clone / "images") == one
    git(clone, "checkout", "-q", "-")
    assert [state.state for state in there.status()] == ["pointer moved"]
    assert there.checkout()[0].written == 2
    assert contents(clone / "images") == two
    (clone / "images" / "a.txt").write_bytes(b"mine")
    git(clone, "checkout", "-q", "HEAD~1")
    with pytest.raises(RefusedError, match=r"would be lost: a\.txt"):
        there.checkout()
    there.checkout(force=True)
    assert contents(clone / "images") == one
    assert collect_garbage(open_workspace(clone, "clone", StoreSettings()), older_than=timedelta()).digests == []
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(root), str(other))
    with pytest.raises(NotFoundError, match=r"images\.heptad"):
        opened(other).pull(remote=str(tmp_path / "empty"))
    assert not (other / "images").exists()


def test_forgetting_frees_what_no_other_version_needs(folders: Folders, images: Path, workspace: Workspace) -> None:
    """Garbage collection keeps what live versions need, and says how many bytes it freed."""
    (first,) = folders.add([images])
    (images / "b" / "large.bin").write_bytes(os.urandom(1_000_000))
    (images / "b" / "copy.bin").unlink()
    (second,) = folders.add([images])
    assert collect_garbage(workspace, older_than=timedelta()).digests == []
    with pytest.raises(RefusedError, match=r"images\.heptad names this version"):
        folders.forget(second.version, "no use")
    now = contents(images)
    images.rename(images.with_name("away"))
    (images / "a").mkdir(parents=True)
    (third,) = folders.add([images])
    folders.forget(second.version, "it was a test")
    freed = collect_garbage(workspace, older_than=timedelta())
    assert freed.bytes > 1_000_000
    record = folders.find("images@2")
    assert record is not None
    with pytest.raises(NotFoundError, match="it was a test"):
        folders.entries(record)
    folders.forget(first.version, "that as well")
    assert collect_garbage(workspace, older_than=timedelta()).bytes > len(LARGE)
    assert folders.entries(third.version).entries[0].path == b"a"
    images.rename(images.with_name("away2"))
    images.with_name("away").rename(images)
    (fourth,) = folders.add([images])
    assert fourth.version.body.version == 4
    assert contents(images) == now
    folders.checkout()


def test_what_was_lost_is_stored_again(folders: Folders, images: Path, workspace: Workspace, tmp_path: Path) -> None:
    """By adding what is in place: any artifact of the version, the root too; until then the error says so."""
    (first,) = folders.add([images])
    for lost in str(first.version.attributes["artifacts"]).split():
        workspace.blobs.delete([lost])
        for fails in (
            lambda: folders.get(first.version, tmp_path / "elsewhere"),
            lambda: folders.push(remote=str(tmp_path / "remote")),
        ):
            with pytest.raises(NotFoundError, match=f"images.*{lost}") as error:
                fails()
            assert "heptad data add images" in error.value.remedy
        (again,) = folders.add([images])
        assert (again.is_new, again.new_bytes > 0, again.version.id) == (False, True, first.version.id)
        assert workspace.blobs.size(lost) > 0
    folders.get(first.version, tmp_path / "elsewhere")
    assert contents(tmp_path / "elsewhere") == contents(images)


def test_what_was_lost_of_a_later_version_makes_a_new_one(
    folders: Folders, images: Path, workspace: Workspace, tmp_path: Path
) -> None:
    """It was built on another one, so its packs would be others; the pointer names what is whole."""
    folders.add([images])
    (images / "a.txt").write_bytes(b"b")
    (second,) = folders.add([images])
    workspace.blobs.delete(str(second.version.attributes["artifacts"]).split()[1:])
    (third,) = folders.add([images])
    assert (third.version.body.version, third.version.body.digest) == (3, second.version.body.digest)
    folders.get(third.version, tmp_path / "elsewhere")
    assert contents(tmp_path / "elsewhere") == contents(images)
    (again,) = folders.add([images])
    assert (again.is_new, again.new_bytes) == (False, 0)


def test_what_cannot_be_data_is_refused(folders: Folders, images: Path, workspace: Workspace) -> None:
    """The project itself, data inside of data, what Git keeps; then nothing was written."""
    folders.add([images])
    with pytest.raises(InputError, match=r"b is inside of images, which images\.heptad is the pointer of"):
        folders.add([images / "b"])
    with pytest.raises(InputError, match=r"images\.heptad is the pointer of images") as refused:
        folders.add([images.with_name("images.heptad")])
    assert refused.value.remedy == "heptad data add images"
    with pytest.raises(InputError, match="holds the project itself"):
        folders.add([workspace.root])
    fill(workspace.root / "outer", {"x.heptad": b"x"})
    with pytest.raises(InputError, match="is the pointer of other data"):
        folders.add([workspace.root / "outer"])
    git(workspace.root, "init", "-q")
    fill(workspace.root / "kept", {"x": b"x"})
    git(workspace.root, "add", "kept")
    with pytest.raises(InputError, match="Git keeps kept itself"):
        folders.add([workspace.root / "kept"])
    assert sorted(one.name for one in workspace.root.glob("*.heptad")) == [".heptad", "images.heptad"]


def test_two_who_add_at_once_are_numbered(workspace: Workspace) -> None:
    """Each version is there once, whole, and the pointer is that of one of them."""
    place = fill(workspace.root / "images", {f"{n}": b"%d" % n for n in range(50)})
    errors: list[Exception] = []

    def add(number: int) -> None:
        try:
            mine = Folders(workspace, RemoteSettings())
            (place / f"mine {number}").write_bytes(b"%d" % number)
            mine.add([place])
        except Exception as error:  # noqa: BLE001 - it is looked at below
            errors.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    folders = Folders(workspace, RemoteSettings())
    numbers = [one.body.version for one in folders.log("images")]
    assert numbers == sorted(set(numbers), reverse=True)
    folders.add([place])
    assert [one.state for one in folders.status()] == ["same"]


def test_a_lost_cache_costs_time_and_nothing_else(folders: Folders, images: Path, workspace: Workspace) -> None:
    """What is in place is compared with every version before it may be replaced."""
    folders.add([images])
    pointer = images.with_name("images.heptad").read_bytes()
    (images / "a.txt").write_bytes(b"b")
    folders.add([images])
    images.with_name("images.heptad").write_bytes(pointer)
    for one in (workspace.folder / "cache" / "folders").glob("files.db*"):
        one.unlink()
    folders.checkout()
    assert (images / "a.txt").read_bytes() == b"a"


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, images: Path, workspace: Workspace) -> None:
    """While adding, and while putting in place."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(small)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("only root can mount a file system")
    try:
        (small / "images").mkdir()
        elsewhere = replace(open_workspace(small, "small", StoreSettings()), clock=workspace.clock)
        full = Folders(elsewhere, RemoteSettings())
        (small / "images" / "a").write_bytes(os.urandom(3_500_000))
        with pytest.raises(WorkspaceError, match="is full"):
            full.add([small / "images"])
        assert list(elsewhere.blobs.digests()) == []
        assert full.log("images") == []
        assert not (small / "images.heptad").exists()
        (small / "images" / "a").write_bytes(os.urandom(2_400_000))
        full.add([small / "images"])
        before = contents(small / "images")
        other = full.find("images@1")
        assert other is not None
        with pytest.raises(WorkspaceError, match="is full"):
            full.get(other, small / "again")
        assert contents(small / "images") == before
        assert sorted(one.name for one in small.iterdir()) == [".heptad", "images", "images.heptad"]
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


@pytest.mark.slow
def test_nothing_is_lost_whenever_a_process_is_killed() -> None:
    """`kill -9` at each place of adding, sending, fetching and putting in place; done again, all is as without."""
    # In memory where there is such a place: a process that is killed takes no more with it than it would elsewhere.
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        _kill_everywhere(folder)


def _kill_everywhere(folder: str) -> None:
    command = [sys.executable, "-m", "tests.data.folders.killing", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["different"] == []
    assert min(answer["killed"].values()) >= 2
    assert sum(answer["killed"].values()) > 20


def test_twenty_thousand_files_are_known_without_reading_them(folders: Folders, workspace: Workspace) -> None:
    """Their digests come from the cache: the files could as well not be readable."""
    place = fill(workspace.root / "images", {f"{n // 100}/{n}": b"%d" % n for n in range(2_000)})
    time.sleep(2 * TICK / 1e9)
    folders.add([place])
    cache = folders._cache
    assert len(cache.recall("images")) == 2_000
    assert len(working(place, "images", cache).entries) == 2_000
