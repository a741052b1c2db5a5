"""A child does not outlive its parent."""

import signal
import subprocess
import sys
import time
from pathlib import Path

CHILD = """
import os, time
from heptad.core.parent import end_with_parent
end_with_parent(os.getppid())
print("on", flush=True)
time.sleep(60)
"""
PARENT = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdout=subprocess.PIPE);"
    "child.stdout.readline(); print(child.pid, flush=True); child.wait()"
)


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # it has ended, and nobody has asked how
            return True
        time.sleep(0.01)
    return False


def test_a_killed_parent_takes_its_child_along() -> None:
    """SIGKILL leaves the parent no moment to tidy up; the kernel does."""
    above = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    assert above.stdout is not None
    child = int(above.stdout.readline())
    above.kill()
    above.communicate()
    assert gone_within(child, 5)


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    """Between the start of a child and its first line, the parent may die."""
    code = "from heptad.core.parent import end_with_parent; end_with_parent(1_000_000_000)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL


def test_where_the_kernel_does_not_help_a_thread_looks() -> None:
    """The loop returns to kill the process when it has another parent."""
    code = (
        "import os; from heptad.core import parent;"
        "parent._POLL_SECONDS = 0.01; answers = iter([7, 7, 1]); os.getppid = lambda: next(answers); parent._watch(7)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
