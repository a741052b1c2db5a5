"""Locks between processes."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from heptad.serving.locks import exclusively, is_held


def test_one_holds_it_and_the_other_waits(tmp_path: Path) -> None:
    """Two blocks around one lock never run at the same time."""
    inside: list[str] = []

    def work(name: str) -> None:
        with exclusively(tmp_path / "lock"):
            inside.append(f"{name} in")
            time.sleep(0.02)
            inside.append(f"{name} out")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(inside[place].split()[0] == inside[place + 1].split()[0] for place in (0, 2, 4))


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    """The operating system frees a lock whose holder was killed."""
    lock = tmp_path / "lock"
    code = f"from pathlib import Path; from heptad.serving.locks import hold; hold(Path({str(lock)!r})); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    try:
        assert is_held_within(lock, 20)
    finally:
        holder.kill()
        holder.communicate()
    assert not is_held(lock)
    assert not is_held(tmp_path / "never made")


def is_held_within(lock: Path, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_held(lock):
            return True
        time.sleep(0.01)
    return False
