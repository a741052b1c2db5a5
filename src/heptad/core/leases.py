"""Leases: who may do a thing now, so that of several processes one does it and a dead one is replaced."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import msgspec

from heptad.core.errors import ConflictError, HeptadError
from heptad.core.records import AliasMove, Change
from heptad.core.store import Store


class Lease(msgspec.Struct, frozen=True):
    """A named right that one holder has until it expires; made by `acquire`.

    Time is the machine's, not the workspace's: a lease guards processes, not history. To act only while
    the lease is held, put `move()` into the change that holds the outcome: it fails with `ConflictError`
    where somebody else has taken over, even if they are done by now, and then nothing of the change is written.
    """

    scope: str
    name: str
    holder: str
    duration: timedelta
    store: Store

    def move(self) -> AliasMove:
        """Holds the lease for its whole duration from now on, together with whatever else is in the change."""
        return AliasMove(scope=self.scope, name=self.name, target=self.holder, lease=self.duration, renews=True)

    def renew(self) -> None:
        """Start the duration anew; raises `ConflictError` where somebody else has held the lease since."""
        self.store.write(Change(aliases=[self.move()]))

    def release(self) -> bool:
        """Let the next one in at once; answers whether the lease was still ours."""
        gone = msgspec.structs.replace(self.move(), lease=timedelta())
        try:
            self.store.write(Change(aliases=[gone]))
        except ConflictError:
            return False
        return True


def acquire(store: Store, scope: str, name: str, duration: timedelta, holder: str = "") -> Lease:
    """Take the lease, or raise `ConflictError`, whose `current` names the holder.

    `holder` says who it is, in words; each acquisition is its own holder, also in the same process.
    """
    lease = Lease(scope, name, f"{holder or 'lease'}:{os.urandom(8).hex()}", duration, store)
    store.write(Change(aliases=[msgspec.structs.replace(lease.move(), renews=False)]))
    return lease


@contextmanager
def held(store: Store, scope: str, name: str, duration: timedelta, holder: str = "") -> Generator[Lease]:
    """Hold a lease for as long as the block takes; a thread renews it three times in each duration.

    Raises `ConflictError` at the start where somebody else holds it. Losing it inside the block (this machine
    slept, or the store did not answer in time) is seen by the change that carries `lease.move()`.
    """
    lease = acquire(store, scope, name, duration, holder)
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lease, done), name=f"heptad-lease-{name}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        done.set()
        keeper.join()
        lease.release()


def _keep(lease: Lease, done: threading.Event) -> None:
    while not done.wait(lease.duration.total_seconds() / 3):
        try:
            lease.renew()
        except ConflictError:
            return
        except HeptadError:
            # The database is busy or its disk full; there is a second chance, and where that fails somebody takes over.
            continue
