"""Files are replaced whole or not at all, and what the file system refuses is said in words."""

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core import files
from heptad.core.errors import InputError, RefusedError, WorkspaceError
from heptad.core.files import confined, make_folder, one_process, sync_files, write_atomically, writing


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new bytes take the place of the old, in folders that are made, and nothing else is left."""
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new and longer", mode=0o600)
    assert path.read_bytes() == b"new and longer"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", ".", "..", "dd", "dd/", "dd/..", "/"])
def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The path is named as it was given; an empty one, of a variable that is not set, means the folder it is run in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dd").mkdir()
    with pytest.raises(InputError) as caught:
        write_atomically(Path(name), b"new")
    assert caught.value.problem == f"{Path(name)} is a folder, and a file is to be written."
    assert [path.name for path in tmp_path.rglob("*")] == ["dd"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Where the disk refuses, the old file stays as it was and no temporary one is left."""
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((files.os, "fsync", full) if step == "fsync" else (Path, "replace", full)))
    with pytest.raises(WorkspaceError, match="is full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "is read-only"),
        (errno.EACCES, "may not be written by this user"),
        (errno.EIO, "cannot be written: Input/output error"),
    ],
)
def test_refusals_are_told_in_words(tmp_path: Path, number: int, words: str) -> None:
    """Each way of saying no names the place and what is the matter."""
    with pytest.raises(WorkspaceError, match=words) as caught, writing(tmp_path):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path) in caught.value.problem


def test_folders_are_made_with_all_above_them(tmp_path: Path) -> None:
    """Making a folder makes what is missing above it; making it again changes nothing."""
    make_folder(tmp_path / "a" / "b" / "c")
    make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError), writing(tmp_path):
        make_folder(tmp_path / "file" / "d")


@pytest.mark.parametrize("has_syncfs", [True, False])
def test_many_files_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_syncfs: bool) -> None:
    """With the system's sync of a whole file system or one by one, the call ends without an error."""
    paths = [tmp_path / str(number) for number in range(40)]
    for path in paths:
        path.write_text("x")
    if not has_syncfs:
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    sync_files(tmp_path, paths)
    sync_files(tmp_path, paths[:2])
    with pytest.raises(FileNotFoundError):
        sync_files(tmp_path, [tmp_path / "gone"])


def test_a_failed_sync_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system says that not everything was written, so do we."""

    class Libc:
        @staticmethod
        def syncfs(_: int) -> int:
            ctypes.set_errno(errno.EIO)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc)
    with pytest.raises(OSError, match="Input/output error"):
        sync_files(tmp_path, [tmp_path] * 100)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", ".", "", "link/x"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    """Absolute names, `..` and links do not leave the folder."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads outside"):
        confined(inside, name)


@given(st.lists(st.sampled_from(["a", "b", "..", ".", "c.txt"]), min_size=1, max_size=6))
def test_what_is_let_through_is_inside(parts: list[str]) -> None:
    """Whatever the name, the path is inside of the folder or refused."""
    folder = Path("/somewhere/inside")
    try:
        path = confined(folder, "/".join(parts))
    except InputError:
        return
    assert path.is_relative_to(folder)
    assert path != folder


def test_one_process_is_alone_until_it_ends_or_is_killed(tmp_path: Path) -> None:
    """The second is told who holds the lock; after `kill -9` nothing has to be cleared away."""
    path = tmp_path / "new" / "its.lock"
    script = (
        "import sys, time; from pathlib import Path; from heptad.core.files import one_process\n"
        "with one_process(Path(sys.argv[1]), 'counting'): print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(RefusedError, match=f"process {other.pid} is counting in"), one_process(path, "counting"):
            pass
        other.kill()
    for _ in range(2):
        with one_process(path, "counting"):
            assert path.read_text() == str(os.getpid())
