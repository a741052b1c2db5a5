"""Damage and want: full disks, read-only folders, altered files, two runs at once; each is told in plain words."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from heptad.core.errors import HeptadError, IntegrityError, WorkspaceError
from heptad.core.events import verify
from heptad.project import open_project
from tests.lifecycle.rides import make_rides

ROOT = Path(__file__).parent.parent.parent


def heptad(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("heptad")
    return subprocess.run(
        [program, *arguments, "--project", str(folder)], capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that was run."""
    folder = make_rides(tmp_path_factory.mktemp("done") / "rides", days=56, a_day=24)
    assert open_project(folder).run().version is not None
    return folder


@pytest.fixture
def copied(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "rides"))


def test_two_runs_at_once_come_to_one_result(tmp_path: Path) -> None:
    """Two `heptad run` of one project share the work: one version of the data, one candidate, one model version."""
    folder = make_rides(tmp_path / "rides", days=56, a_day=24)
    program = Path(sys.executable).with_name("heptad")
    command = [str(program), "run", "--json", "--project", str(folder)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    project = open_project(folder)
    assert len(project.data.log()) == 1
    assert len(project.training.candidates()) == 1
    assert [one.body.version for one in project.release.list()] == [1]
    assert verify(project.workspace.store) > 0


def test_an_altered_event_is_found(copied: Path) -> None:
    """One changed byte in the log is named by `heptad events --verify`, with its position."""
    with sqlite3.connect(copied / ".heptad" / "heptad.db") as database:
        database.execute("UPDATE event SET actor = 'somebody' WHERE position = 2")
    database.close()
    told = heptad(copied, "events", "--verify")
    assert told.returncode == 1
    assert "position 2" in told.stderr


def test_an_altered_package_is_refused(copied: Path) -> None:
    """A package whose bytes were changed is neither opened nor served."""
    project = open_project(copied)
    champion = project.release.champion()
    assert champion is not None
    for path in (copied / ".heptad" / "artifacts").rglob(f"*{champion.body.package[-8:]}*"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.chmod(0o644)
        path.write_bytes(bytes(data))
    with pytest.raises(IntegrityError):
        project.release.package(champion)


def test_settings_that_cannot_be_read_are_named_and_nothing_changes(copied: Path) -> None:
    """A broken heptad.toml stops every command with exit code 2 and the line."""
    (copied / "heptad.toml").write_text("[data\n", encoding="utf-8")
    told = heptad(copied, "run")
    assert told.returncode == 2
    assert "line 1" in told.stderr
    assert "Remedy" in told.stderr


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk can only be made by root")
def test_a_full_disk_leaves_nothing_half_done(tmp_path: Path) -> None:
    """On a disk that fills up a run fails in plain words; with more room it is completed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be made here: {mounted.stderr.decode().strip()}")
    try:
        folder = make_rides(disk / "rides", days=56, a_day=24)
        told = heptad(folder, "run")
        assert told.returncode == 1, told.stderr
        assert "Traceback" not in told.stderr
        assert "full" in told.stderr or "space" in told.stderr
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        project = open_project(folder)
        assert project.run().version is not None
        assert verify(project.workspace.store) > 0
        assert len(project.release.list()) == 1
        del project
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_folder_that_cannot_be_written_is_told_in_plain_words(done: Path, tmp_path: Path) -> None:
    """A workspace that cannot be made names the place and the remedy instead of a traceback."""
    folder = make_rides(tmp_path / "rides", days=3)
    (folder / ".heptad").write_text("a file where the workspace should be", encoding="utf-8")
    with pytest.raises(HeptadError) as caught:
        open_project(folder)
    assert isinstance(caught.value, WorkspaceError)
    assert str(folder) in str(caught.value)
