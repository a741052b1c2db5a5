"""One worker of a server: opens the serve folder, loads the models, and answers until it is told to stop."""

import asyncio
import gc
import logging
import signal
import threading
from pathlib import Path

import msgspec

from heptad.core.clock import open_clock
from heptad.serving.durability import Syncer
from heptad.serving.http import App, Exchange, Limits, Scope
from heptad.serving.journal import Journal
from heptad.serving.parent import end_with_parent
from heptad.serving.runtime import Runtime
from heptad.serving.snapshot import ServeFolder


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """All that a server process is told."""

    folder: str
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
    """What Granian runs in each worker process."""

    def __init__(self, options: ServerOptions) -> None:
        folder = ServeFolder(Path(options.folder))
        self._runtime = Runtime(folder)
        self._runtime.refresh()
        self._journal = Journal(folder.journal)
        clock = open_clock(Path(options.clock) if options.clock else None)
        self._app = App(options.endpoint, self._runtime, self._journal, clock, options.limits)
        self._stop = threading.Event()
        self._syncer = Syncer(self._journal)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called before the worker listens: whoever reaches it finds it ready."""
        self._app.begin(loop)
        self._syncer.start()
        threading.Thread(target=self._runtime.watch, args=(self._stop,), name="watch", daemon=True).start()

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        await self._app.__rsgi__(scope, exchange)

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._stop.set()
        self._app.end()
        self._syncer.stop()
        self._journal.close()


def start_worker(options: ServerOptions, server: int) -> Worker:
    """A worker in a process that the process `server` has just started for it."""
    # The handler that a new process inherits from Granian's main process would swallow a signal to stop.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent(server)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    worker = Worker(options)
    # What lives as long as the process need not be looked through again and again.
    gc.collect()
    gc.freeze()
    return worker
