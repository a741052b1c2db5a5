"""Lock files of workers."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from heptad.core.errors import WorkspaceError
from heptad.serving.locks import clear, hold

HOLD = """
import sys; from pathlib import Path; from heptad.serving.locks import hold
hold(Path(sys.argv[1])); print("held", flush=True); input()
"""


def test_a_lock_is_cleared_away_once_its_holder_is_dead(tmp_path: Path) -> None:
    """The operating system frees a lock whose holder was killed; before that, it cannot be removed."""
    lock = tmp_path / "lock"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], **pipes)  # type: ignore[call-overload]
    assert holder.stdout.readline() == b"held\n"
    assert not clear(lock)
    assert lock.exists()
    holder.kill()
    holder.communicate()
    assert clear(lock)
    assert not lock.exists()
    assert clear(lock)


def test_a_lock_that_is_being_taken_is_not_cleared_away(tmp_path: Path) -> None:
    """Whoever clears while others take their locks leaves each of them a file that he holds."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            for lock in tmp_path.glob("*.lock"):
                clear(lock)

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        for number in range(300):
            hold(tmp_path / f"{number}.lock")
    finally:
        stop.set()
        thread.join()
    assert len(list(tmp_path.glob("*.lock"))) == 300


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A lock in a place that is no folder is told in plain words."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WorkspaceError, match="file"):
        hold(tmp_path / "file" / "lock")
