"""One worker of the api process: opens the workspace, and answers until it is told to stop."""

import gc
import logging
import signal
import threading
from pathlib import Path

import msgspec

from heptad.api.http import App
from heptad.api.mlflow.protocol import Context
from heptad.api.mlflow.routes import Router
from heptad.config import read_folder_config
from heptad.core.workspace import Workspace, open_workspace
from heptad.experiments import adopt_runs
from heptad.serving import end_with_parent

THREADS = 64
"""Requests that a worker answers at once."""


class ApiOptions(msgspec.Struct, frozen=True, kw_only=True):
    """All that the api process is told."""

    root: str
    """Folder of the project, or of a workspace without one."""
    host: str = "127.0.0.1"
    port: int
    workers: int = 1
    parent: int = 0
    """Process that the server must not outlive; 0: it stands alone."""
    clock: str = ""
    """File of a shared clock; empty: the machine's clock."""


def open_root(root: Path, clock: str = "") -> Workspace:
    """The workspace in a folder, with or without heptad.toml; made where there is none yet."""
    config = read_folder_config(root)
    name = config.project.name or root.name or "runs"
    return open_workspace(root, name, config.store, Path(clock) if clock else None)


def start_worker(options: ApiOptions, server: int) -> App:
    """The application of a worker, in a process that the process `server` has just started for it."""
    # The handler that a new process inherits from Granian's main process would swallow a signal to stop.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent(server)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    workspace = open_root(Path(options.root), options.clock)
    adopt_runs(workspace)
    app = App(Router(Context(workspace)))
    threading.Thread(target=_load_what_searches_need, name="load", daemon=True).start()
    gc.collect()
    gc.freeze()
    return app


def _load_what_searches_need() -> None:
    """The first search would wait half a second for it, and the start should not."""
    import heptad.core.sql_paging  # noqa: F401, PLC0415
