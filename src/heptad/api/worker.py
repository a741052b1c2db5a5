"""One worker of the api process: opens the workspace, and answers until it is told to stop."""

import gc
import threading
from pathlib import Path

from heptad.api.http import App
from heptad.api.mlflow.protocol import Context
from heptad.api.mlflow.routes import Router
from heptad.api.settings import ApiOptions
from heptad.api.shipping import Shipping
from heptad.experiments import adopt_runs
from heptad.project import open_root
from heptad.serving import begin_worker

THREADS = 64
"""Requests that all workers answer at once; others wait. PostgreSQL takes a hundred connections, as it comes."""


def threads_of(workers: int) -> int:
    """How many requests each of some workers answers at once: so many connections to the store it may have.

    >>> threads_of(1), threads_of(3), threads_of(16)
    (64, 21, 8)
    """
    return max(8, THREADS // workers)


def start_worker(options: ApiOptions, server: int) -> App:
    """The application of a worker, in a process that the process `server` has just started for it."""
    begin_worker(server)
    workspace = open_root(Path(options.root), Path(options.clock) if options.clock else None)
    adopt_runs(workspace)
    app = App(Router(Context(workspace)), Shipping(workspace))
    threading.Thread(target=_load_what_searches_need, name="load", daemon=True).start()
    gc.collect()
    gc.freeze()
    return app


def _load_what_searches_need() -> None:
    """The first search would wait half a second for it, and the start should not."""
    import heptad.core.sql_paging  # noqa: F401, PLC0415
