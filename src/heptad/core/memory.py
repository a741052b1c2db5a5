"""How much memory a process may use and has needed; spilling beyond it, and giving back what was freed."""

import atexit
import ctypes
import os
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from heptad.core.settings import size

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Numbers of glibc's `mallopt`, see `man 3 mallopt`."""
_LARGE = 128 * 1024

SHARE = 0.25
"""What tables may take of what a process may use: beside them are the program and what is being computed."""
_BUDGET, _SPILL = "POLARS_OOC_MEMORY_BUDGET_MB", "POLARS_OOC_SPILL_DIR"
_ALLOCATOR = "_RJEM_MALLOC_CONF"
_MIB = 1 << 20
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


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


def allowance() -> int:
    """The bytes that this process may use: the least of its `ulimit`s, its control groups and the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_ulimits(), *_group_limits()])


def budget() -> int:
    """The bytes that one operation on a table may hold before it works in parts or on disk."""
    given = os.environ.get(_BUDGET, "")
    return int(given) * _MIB if given.isdecimal() else int(SHARE * allowance())


def spill_folder() -> Path | None:
    """Where this process may put what it does not hold; `None`: wherever the system keeps temporary files."""
    given = os.environ.get(_SPILL, "")
    return Path(given) / str(os.getpid()) if given else None


def limit_memory(given: str, spill: Path) -> None:
    """Have tables take their share of the memory that there is, and what is more spilled into the folder `spill`.

    `given` is `[execute] memory`; empty: what this process may use. Processes started afterwards do the same. What
    somebody set in the environment stays, unless the settings say otherwise. To be called before Polars is first used:
    only then can it also give address space back, where a `ulimit` counts that.
    """
    wanted: dict[str, str] = {}
    if given or _BUDGET not in os.environ:
        wanted[_BUDGET] = f"{max(1, int(SHARE * (size(given) if given else allowance())) // _MIB)}"
    if _SPILL not in os.environ:
        wanted[_SPILL] = str(spill)
        atexit.register(_remove_spilled, spill, os.getpid())
    if _ulimits():
        return_freed_memory()
        wanted.setdefault(_ALLOCATOR, os.environ.get(_ALLOCATOR, "retain:false,muzzy_decay_ms:0"))
    os.environ |= wanted
    polars = sys.modules.get("polars")
    if polars is not None and wanted:
        # Polars has read its environment when it was imported.
        polars.Config.load(msgspec.json.encode({"environment": wanted}).decode())


def _ulimits() -> list[int]:
    limits = (resource.getrlimit(one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return [one for one in limits if one != resource.RLIM_INFINITY]


def _group_limits() -> Iterator[int]:
    """The limits of this process's control groups, of both versions, and of the groups around them."""
    try:
        lines = _OWN_CGROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, name = _CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = _CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = top / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if not folder.is_relative_to(top):
                break
            try:
                text = (folder / name).read_text(encoding="ascii").strip()
            except OSError:
                continue
            if text.isdecimal():
                yield int(text)


def _remove_spilled(folder: Path, pid: int) -> None:
    """Polars clears away what killed processes spilled when it spills again, but leaves its own empty folder behind."""
    if os.getpid() == pid:
        shutil.rmtree(folder / str(pid), ignore_errors=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
