"""One worker of a server: opens the serve folder, loads the models, and answers until it is told to stop."""

import gc
import logging
import os
import signal
import threading
from functools import cached_property
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from heptad.core.clock import open_clock
from heptad.serving.commits import Commits
from heptad.serving.durability import Syncer
from heptad.serving.http import App, Limits
from heptad.serving.journal import Journal
from heptad.serving.runtime import Runtime
from heptad.serving.snapshot import ServeFolder
from heptad.serving.workers import begin_worker

if TYPE_CHECKING:
    from heptad.data import PublishedFeatures

THREADS = 256
"""Requests that a worker has under way at most; it starts a thread only when one is needed."""
READ_SECONDS = 20.0
"""A client that takes longer to send a body is no longer waited for, where there are many such."""

_log = logging.getLogger("heptad.serving")


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """All that a server process is told."""

    workspace: str
    """The workspace's folder."""
    folder: str
    """The serve folder."""
    endpoint: str
    host: str
    port: int
    workers: int
    limits: Limits
    clock: str = ""
    """File of a shared clock; empty: the machine's clock."""
    parent: int = 0
    """Process that the server must not outlive; 0: it stands alone."""


class Worker:
    """What lives in a worker process besides the threads that answer."""

    def __init__(self, options: ServerOptions) -> None:
        folder = ServeFolder(Path(options.folder))
        self._runtime = Runtime(folder)
        self._runtime.refresh()
        self._journal = Journal(folder.journal)
        self._syncer = Syncer(self._journal)
        self._stop = threading.Event()
        clock = open_clock(Path(options.clock) if options.clock else None)
        self._options = options
        self._clock = clock
        commits = Commits(self._journal)
        self.app = App(options.endpoint, self._runtime, commits, clock, options.limits, lambda: self._features)

    @cached_property
    def _features(self) -> "PublishedFeatures":
        from heptad.data import PublishedFeatures  # noqa: PLC0415 - servers of which nobody asks any do without

        return PublishedFeatures(Path(self._options.workspace), self._clock)

    def begin(self) -> None:
        """Start what goes on beside the requests."""
        self._syncer.start()
        threading.Thread(target=self._runtime.watch, args=(self._stop,), name="watch", daemon=True).start()
        threading.Thread(target=self._watch_clients, name="watch-clients", daemon=True).start()

    def end(self) -> None:
        """Everything that was answered is on the disk when this returns."""
        self._stop.set()
        self._syncer.stop()
        self._journal.close()

    def _watch_clients(self) -> None:
        """Make room for other clients where those who never send what they announced hold half of the threads.

        Nothing but the end of the process takes a thread from them. Another worker takes its place at once; clients
        that are cut off by it ask again.
        """
        while not self._stop.wait(1.0):
            stuck = self.app.read_for(READ_SECONDS)
            if stuck >= THREADS // 2:
                _log.error("%d clients have not sent their bodies for %g s: this worker ends", stuck, READ_SECONDS)
                os.kill(os.getpid(), signal.SIGKILL)


def start_worker(options: ServerOptions, server: int) -> App:
    """The application of a worker, in a process that the process `server` has just started for it."""
    begin_worker(server)
    worker = Worker(options)
    worker.begin()
    Finalize(None, worker.end, exitpriority=0)
    # What lives as long as the process need not be looked through again and again.
    gc.collect()
    gc.freeze()
    return worker.app
