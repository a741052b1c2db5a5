"""Of several who want to act, one does, and a dead one is replaced."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from heptad.core.errors import ConflictError, NotFoundError
from heptad.core.leases import acquire, held
from heptad.core.records import Change
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import record

LONG = timedelta(minutes=1)
SHORT = timedelta(milliseconds=60)


def test_a_lease_is_for_one_holder(store: SqlStore) -> None:
    """The other is told who has it; other names are free."""
    acquire(store, "jobs", "nightly", LONG, "worker 1")
    with pytest.raises(ConflictError) as caught:
        acquire(store, "jobs", "nightly", LONG, "worker 1")
    assert caught.value.current.startswith("worker 1:")
    acquire(store, "jobs", "hourly", LONG)
    acquire(store, "other", "nightly", LONG)


def test_a_released_lease_is_free_at_once(store: SqlStore) -> None:
    """Releasing again, or what is lost, answers that it was not ours."""
    first = acquire(store, "jobs", "nightly", LONG)
    assert first.release()
    second = acquire(store, "jobs", "nightly", LONG)
    assert not first.release()
    second.renew()


def test_an_expired_lease_is_taken_and_its_old_holder_cannot_write(store: SqlStore) -> None:
    """The outcome of the slow one is refused as a whole."""
    slow = acquire(store, "jobs", "nightly", SHORT)
    time.sleep(0.1)
    quick = acquire(store, "jobs", "nightly", LONG)
    with pytest.raises(ConflictError):
        store.write(Change(records=[record("slow")], aliases=[slow.move()]))
    with pytest.raises(NotFoundError):
        store.get(["slow"])
    store.write(Change(records=[record("quick")], aliases=[quick.move()]))


def test_a_held_lease_outlives_its_duration(store: SqlStore) -> None:
    """A thread renews it for as long as the block takes; then it is free."""
    duration = timedelta(seconds=0.6)
    with held(store, "jobs", "nightly", duration):
        time.sleep(1.0)
        with pytest.raises(ConflictError):
            acquire(store, "jobs", "nightly", LONG)
    acquire(store, "jobs", "nightly", LONG)


def test_the_lease_of_a_killed_process_expires(store: SqlStore) -> None:
    """Nobody has to clean up after it."""
    code = """
import os, sys
from datetime import timedelta
from heptad.core.leases import held
from heptad.core.sql_store import open_store
with held(open_store(sys.argv[1]), "jobs", "nightly", timedelta(seconds=1)):
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code, store.url], check=False).returncode == 9
    with pytest.raises(ConflictError):
        acquire(store, "jobs", "nightly", LONG)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            acquire(store, "jobs", "nightly", LONG)
        except ConflictError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the lease did not expire")


def test_whoever_overslept_cannot_write_after_another_has_finished(store: SqlStore) -> None:
    """Also where the other has released the lease: the right to act is not what it was."""
    slow = acquire(store, "jobs", "nightly", SHORT)
    time.sleep(0.1)
    assert acquire(store, "jobs", "nightly", LONG).release()
    with pytest.raises(ConflictError):
        store.write(Change(records=[record("slow")], aliases=[slow.move()]))
    with pytest.raises(ConflictError):
        slow.renew()
    assert not slow.release()


def test_whoever_overslept_alone_goes_on(store: SqlStore) -> None:
    """Where nobody else had the lease in between, it can be held again."""
    slow = acquire(store, "jobs", "nightly", SHORT)
    time.sleep(0.1)
    slow.renew()
    assert slow.release()


def test_a_lease_begins_when_it_is_written(store: SqlStore) -> None:
    """However long its writer waited for others: none of its time is lost."""
    with ThreadPoolExecutor(1) as beside:
        with store.database.writing() as transaction:
            transaction.rows("SELECT * FROM tail FOR UPDATE")
            taken = beside.submit(acquire, store, "jobs", "nightly", timedelta(seconds=1))
            time.sleep(1.2)
        taken.result()
    with pytest.raises(ConflictError):
        acquire(store, "jobs", "nightly", LONG)
