"""How much memory a process has needed, and freed memory given back to the machine."""

import ctypes
import os
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Numbers of glibc's `mallopt`, see `man 3 mallopt`."""
_LARGE = 128 * 1024


def peak_rss_mb(pid: int | None = None) -> float:
    """The largest resident size of a process so far, in MiB (default: this one); 0 where it cannot be read."""
    path = Path(f"/proc/{pid or os.getpid()}/status")
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def return_freed_memory() -> bool:
    """Have the C library give freed memory back at once; answers whether it can be told so.

    By default glibc keeps an arena a thread, and learns to keep large blocks: after a few trainings in threads it
    held twice of what was in use. To be called before threads are started; other C libraries have no such habit.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is None:
        return False
    choices = {_ARENA_MAX: 1, _TRIM_THRESHOLD: _LARGE, _MMAP_THRESHOLD: _LARGE}
    return all(tell(number, value) == 1 for number, value in choices.items())
