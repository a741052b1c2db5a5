"""The process that serves what is deployed, from the outside."""

import os
import sys
from pathlib import Path

import msgspec

from heptad.serving.snapshot import ServeFolder
from heptad.serving.supervised import SupervisedServer
from heptad.serving.worker import ServerOptions


class ServerProcess(SupervisedServer):
    """A running server for what is deployed; see `SupervisedServer`."""

    def __init__(self, options: ServerOptions) -> None:
        self._folder = ServeFolder(Path(options.folder))

        def command(port: int) -> list[str]:
            chosen = msgspec.structs.replace(options, port=port, parent=os.getpid())
            return [sys.executable, "-m", "heptad.serving.server", msgspec.json.encode(chosen).decode()]

        super().__init__(options.host, options.port, command, self._folder.path / "server.log")

    @property
    def pids(self) -> list[int]:
        """The server's process, then its workers."""
        server = self.pid
        if server is None:
            return []
        return [server, *(one.pid for one in self._folder.workers() if one.server == server)]
