"""The api process: `python -m heptad.api.server OPTIONS`, where OPTIONS is `ApiOptions` as JSON."""

import os
import resource
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from heptad.api.settings import ApiOptions
from heptad.api.worker import THREADS, start_worker
from heptad.core.errors import HeptadError
from heptad.core.parent import end_with_parent
from heptad.serving import check_bind, connections

DRAIN_SECONDS = 10


def serve(options: ApiOptions) -> None:
    """Answer until SIGTERM or SIGINT; a worker that dies is replaced."""
    check_bind(options.host)
    if options.parent:
        end_with_parent(options.parent)
    server = Server(
        "heptad.api.worker",
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
        serve(msgspec.json.decode(sys.argv[1], type=ApiOptions))
    except HeptadError as error:
        sys.exit(f"{error.problem} {error.remedy}")
