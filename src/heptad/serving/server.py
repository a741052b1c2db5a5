"""The server process: `python -m heptad.serving.server OPTIONS`, where OPTIONS is `ServerOptions` as JSON."""

import os
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from heptad.core.errors import HeptadError
from heptad.core.parent import end_with_parent
from heptad.serving.access import check_bind
from heptad.serving.capacity import connections
from heptad.serving.journal import create_journal
from heptad.serving.snapshot import ServeFolder
from heptad.serving.worker import THREADS, ServerOptions, start_worker

DRAIN_SECONDS = 10
"""How long a worker may finish what it is answering when it is told to stop."""


def serve(options: ServerOptions) -> None:
    """Answer until SIGTERM or SIGINT; a worker that dies is replaced."""
    check_bind(options.host)
    if options.parent:
        end_with_parent(options.parent)
    create_journal(ServeFolder(Path(options.folder)).journal)
    server = Server(
        "heptad.serving.worker",
        address="127.0.0.1" if options.host == "localhost" else options.host,  # Granian wants a number
        port=options.port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
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
    loader: Callable[..., Any] = partial(start_worker, options, os.getpid())
    server.serve(target_loader=loader, wrap_loader=False)


if __name__ == "__main__":
    try:
        serve(msgspec.json.decode(sys.argv[1], type=ServerOptions))
    except HeptadError as error:
        sys.exit(f"{error.problem} {error.remedy}")
