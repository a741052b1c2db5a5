"""A process and whatever it starts: they are counted together, and end together."""

import contextlib
import os
import resource
import signal
import threading
from collections.abc import Iterator
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any


def lead_group() -> None:
    """Let this process, which another one started, lead a group of its own, and end the group when the other ends."""
    os.setsid()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), name="heptad-parent", daemon=True).start()


def end_group(leader: int | None) -> None:
    """Kill a process that leads a group, with all of the group; nothing where there is none."""
    if leader is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter on macOS, of processes that ended
            os.killpg(leader, signal.SIGKILL)


def resident(process: int) -> int:
    """Bytes of a process in memory, shared ones too; 0 where it is gone, or the system does not tell."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def is_larger(leader: int, most: int) -> bool:
    """Whether all of a group takes more memory; what several of them share counts once."""
    members = list(_members(leader))
    # What each takes of its own is slow to tell, and is asked where it can matter.
    return sum(map(resident, members)) > most and sum(map(_proportional, members)) > most


def _members(leader: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if status.rpartition(")")[2].split()[2] == str(leader):
            yield int(folder.name)


def _proportional(process: int) -> int:
    """Bytes of a process in memory, with its share of what others have, too."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return resident(process)
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _watch(sentinel: Any) -> None:
    wait([sentinel])
    os.killpg(0, signal.SIGKILL)
