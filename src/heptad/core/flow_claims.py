"""Who computes which step: of several processes that want the same one, one does and the others wait.

A claim is a lease in the store. The holder's name says where it runs, so that on the same machine a claim whose
process is dead is taken over at once; one of another machine, when its lease has expired.
"""

import os
import threading
from collections.abc import Collection, Iterable
from datetime import timedelta
from pathlib import Path

import msgspec

from heptad.core.errors import ConflictError
from heptad.core.records import AliasMove, Change
from heptad.core.store import Store

LEASE = timedelta(seconds=30)


class Claims:
    """The claims of one run of a flow. Safe to use from two threads."""

    def __init__(self, store: Store, scope: str) -> None:
        self._store = store
        self._scope = scope
        self._holder = f"{whereabouts()} {os.urandom(6).hex()}"
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in self._held

    def take_all(self, names: Collection[str]) -> bool:
        """Claim many at once; answers whether that worked: where somebody else has one of them, none is taken."""
        return self._taken(names, [self._move(name, LEASE) for name in names]) is None

    def take(self, name: str) -> bool:
        """Claim one, also from a process of this machine that is dead; answers whether it is ours."""
        move = self._move(name, LEASE)
        conflict = self._taken([name], [move])
        if conflict is not None and is_dead(conflict.current):
            # Of two who find it dead, one takes it: the other does not know the version any more.
            conflict = self._taken([name], [msgspec.structs.replace(move, expected=conflict.version)])
        return conflict is None

    def renew(self) -> None:
        """Hold all claims for a whole lease from now on; ones that were lost meanwhile are forgotten."""
        with self._lock:
            names = sorted(self._held)
        if names and not self.take_all(names):
            for name in names:
                if not self.take_all([name]):
                    self.forget([name])

    def releases(self, names: Iterable[str]) -> list[AliasMove]:
        """To be written together with the results: lets whoever waits go on."""
        return [self._move(name, timedelta()) for name in names if name in self]

    def forget(self, names: Iterable[str]) -> None:
        """These are released, or lost."""
        with self._lock:
            self._held.difference_update(names)

    def release_all(self) -> None:
        """Give up what is still held, because the run ends before it came to these steps."""
        with self._lock:
            names, self._held = sorted(self._held), set()
        moves = [self._move(name, timedelta()) for name in names]
        if moves and self._taken([], moves) is not None:
            for move in moves:
                # Where this fails somebody else holds it by now.
                self._taken([], [move])

    def _move(self, name: str, lease: timedelta) -> AliasMove:
        return AliasMove(scope=self._scope, name=name, target=self._holder, lease=lease)

    def _taken(self, names: Collection[str], moves: list[AliasMove]) -> ConflictError | None:
        """Write the moves, after which the names are held; answers what stood in the way."""
        try:
            self._store.write(Change(aliases=moves))
        except ConflictError as conflict:
            return conflict
        with self._lock:
            self._held.update(names)
        return None


def whereabouts() -> str:
    """Where this process runs, as another can check it: machine and namespace, number, time of its start."""
    return f"process {_machine()} {os.getpid()} {_started(os.getpid())}"


def is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that has ended; of other machines nothing is known."""
    words = holder.split()
    if len(words) != 5 or words[0] != "process" or words[1] != _machine() or words[1] == _UNKNOWN:
        return False
    return _started(int(words[2])) != words[3]


_UNKNOWN = "unknown"


def _machine() -> str:
    """The machine since it was started, and the space in which process numbers count (a container has its own)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        # Not Linux: claims of dead processes are waited out.
        return _UNKNOWN


def _started(process: int) -> str:
    """When a process started, in ticks since the machine did: numbers are used again, these not. Gone: `-`."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "-"
    state, *fields = status.rpartition(")")[2].split()
    return "-" if state == "Z" else fields[18]
