"""A process can be killed at any boundary between two durable acts, by number."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from heptad.core.faults import boundary
from heptad.core.files import write_atomically
for name in ("one", "two", "three"):
    write_atomically(Path(sys.argv[1]) / name, name.encode())
boundary("end")
print("done")
"""
NAMES = ["file.before_rename", "file.after_rename"] * 3 + ["end"]


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_the_boundaries_passed_are_written_down(tmp_path: Path) -> None:
    """With a log, the names of all boundaries are listed in order, each with its process."""
    log = tmp_path / "log"
    done = run(tmp_path, HEPTAD_FAULT_LOG=str(log))
    assert done.stdout == "done\n"
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [name for _, name in lines] == NAMES
    assert len({process for process, _ in lines}) == 1


@pytest.mark.parametrize("number", range(1, len(NAMES) + 2))
def test_the_process_dies_at_the_boundary_asked_for(tmp_path: Path, number: int) -> None:
    """At the n-th boundary it is killed with SIGKILL: everything before it is whole, nothing after it has happened."""
    folder, log = tmp_path / "files", tmp_path / "log"
    done = run(folder, HEPTAD_FAULT_KILL=str(number), HEPTAD_FAULT_LOG=str(log))
    if number > len(NAMES):
        assert (done.returncode, done.stdout) == (0, "done\n")
        return
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")
    assert [line.split()[1] for line in log.read_text().splitlines()] == NAMES[:number]
    whole = {name: (folder / name).read_text() for name in ("one", "two", "three") if (folder / name).exists()}
    assert whole == {name: name for name in ("one", "two", "three")[: number // 2]}


def test_without_a_wish_nothing_is_counted(tmp_path: Path) -> None:
    """Outside of tests a boundary is nothing."""
    assert run(tmp_path).stdout == "done\n"
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two", "three"}
