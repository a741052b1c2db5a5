"""The api process: `python -m heptad.api.server OPTIONS`, where OPTIONS is `ApiOptions` as JSON."""

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

from heptad.api.worker import THREADS, ApiOptions, start_worker
from heptad.core.errors import HeptadError
from heptad.serving import SupervisedServer, check_bind, connections, end_with_parent

PORT = 8320
"""Beside 8321, where the champion answers."""
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


def start_api(options: ApiOptions, log: Path) -> SupervisedServer:
    """The api process for a workspace, answering when this returns; it is started again when it dies."""
    check_bind(options.host)

    def command(port: int) -> list[str]:
        chosen = msgspec.structs.replace(options, port=port, parent=os.getpid())
        return [sys.executable, "-m", "heptad.api.server", msgspec.json.encode(chosen).decode()]

    return SupervisedServer(options.host, options.port, command, log, ready="/health")


if __name__ == "__main__":
    try:
        serve(msgspec.json.decode(sys.argv[1], type=ApiOptions))
    except HeptadError as error:
        sys.exit(f"{error.problem} {error.remedy}")
