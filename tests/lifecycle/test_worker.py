"""The worker: turns the loop again and again, one worker at a time, and survives a turn that fails."""

import threading
from datetime import timedelta

import pytest

from heptad.core.errors import UnavailableError
from heptad.core.leases import held
from heptad.core.workspace import Workspace
from heptad.lifecycle import Watcher, Worker


class CountingLifecycle:
    """Counts its turns; the first `failures` of them fail."""

    def __init__(self, failures: int = 0) -> None:
        self.turns = 0
        self._failures = failures
        self.turned = threading.Event()

    def turn(self, watch: Watcher) -> None:
        self.turns += 1
        if self.turns <= self._failures:
            raise UnavailableError("The store did not answer.", remedy="wait")
        if self.turns > self._failures + 1:
            self.turned.set()


def worker_of(workspace: Workspace, lifecycle: CountingLifecycle) -> Worker:
    return Worker(workspace.store, "rides", lifecycle, timedelta(milliseconds=10))  # type: ignore[arg-type]  # a double


def test_it_turns_until_it_is_stopped(workspace: Workspace) -> None:
    """Turns follow each other; stopping ends the thread."""
    lifecycle = CountingLifecycle()
    worker = worker_of(workspace, lifecycle)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert lifecycle.turned.wait(60)
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_a_turn_that_fails_is_logged_and_tried_again(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """The remedy is in the log, and the next turn is done."""
    worker = worker_of(workspace, CountingLifecycle(failures=1))
    assert not worker.turn()
    assert "Remedy: wait" in caplog.text
    assert worker.turn()


def test_a_bug_does_not_end_the_worker(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody foresaw is logged with its place, once however often it comes, and the server stays up."""

    class Broken(CountingLifecycle):
        def turn(self, watch: Watcher) -> None:
            raise ZeroDivisionError("by nothing")

    worker = worker_of(workspace, Broken())
    assert not worker.turn()
    assert not worker.turn()
    assert len(caplog.records) == 1
    assert "Traceback" in caplog.text


def test_only_one_worker_turns_at_a_time(workspace: Workspace) -> None:
    """While another holds the lease, a turn is left to it."""
    lifecycle = CountingLifecycle()
    with held(workspace.store, "worker:rides", "turn", timedelta(seconds=30)):
        assert not worker_of(workspace, lifecycle).turn()
    assert lifecycle.turns == 0
