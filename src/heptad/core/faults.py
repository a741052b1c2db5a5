"""Named boundaries between durable acts, where a test may kill the process.

Every mechanism that makes something durable (a store transaction, an artifact, a table commit, a
file replaced) calls `boundary` just before and just after. Outside tests this costs one comparison.
`HEPTAD_FAULT_LOG=FILE` appends the names passed; `HEPTAD_FAULT_KILL=N` kills this process with
SIGKILL at the N-th boundary, counted from 1; so the table of faults writes itself, and a new step
that uses these mechanisms is covered without asking.
"""

import os
import signal
import threading
from pathlib import Path

_LOG = os.environ.get("HEPTAD_FAULT_LOG", "")
_KILL = int(os.environ.get("HEPTAD_FAULT_KILL", "0"))
_ACTIVE = bool(_LOG or _KILL)
_passed = 0
_lock = threading.Lock()


def boundary(name: str) -> None:
    """Mark a point between two durable acts, for example `artifact.before_rename`."""
    if _ACTIVE:
        _pass(name)


def _pass(name: str) -> None:
    global _passed  # noqa: PLW0603 - one count for the whole process is the point
    with _lock:
        _passed += 1
        if _LOG:
            with Path(_LOG).open("a", encoding="utf-8") as log:
                log.write(f"{os.getpid()} {name}\n")
        if _passed == _KILL:
            os.kill(os.getpid(), signal.SIGKILL)
