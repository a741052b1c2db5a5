"""What every server process of the house runs: workers of Granian on one port, which end with the process."""

import logging
import os
import resource
import signal
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from heptad.core.parent import end_with_parent

MOST_CONNECTIONS, OWN_DESCRIPTORS = 1024, 64
DRAIN_SECONDS = 10
"""How long a worker may finish what it is answering when it is told to stop."""


class Listening(Protocol):
    """The options of a server that say where it listens, and with how many workers."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def workers(self) -> int: ...


Options = TypeVar("Options", bound=Listening)


def run_workers(module: str, start: Callable[[Options, int], Any], options: Options, threads: int) -> None:
    """Answer until SIGTERM or SIGINT; a worker that dies is replaced.

    `start(options, server)` makes a worker's WSGI application, in the worker's own process; `server` is this one's id.
    `module` is where `start` is; each worker has as many `threads` that answer.
    """
    server = Server(
        module,
        address="127.0.0.1" if options.host == "localhost" else options.host,  # Granian wants a number
        port=options.port,
        interface=Interfaces.WSGI,
        blocking_threads=threads,
        backpressure=connections(options.workers, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        workers=options.workers,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=DRAIN_SECONDS,
    )
    # The main thread starts the workers and waits: they end with it.
    server.serve(target_loader=partial(start, options, os.getpid()), wrap_loader=False)


def begin_worker(server: int) -> None:
    """What a worker does first, in a process that the process `server` has just started for it."""
    # The handler that a new process inherits from Granian's main process would swallow a signal to stop.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent(server)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")


def connections(workers: int, descriptors: int) -> int:
    """How many connections a worker accepts: more than it has descriptors for would leave none to read a package."""
    return max(8, min(MOST_CONNECTIONS // workers, descriptors - OWN_DESCRIPTORS))
