"""The api process from the outside."""

import os
import sys
from pathlib import Path

import msgspec

from heptad.api.settings import ApiOptions
from heptad.serving import SupervisedServer, check_bind


def start_api(options: ApiOptions, log: Path) -> SupervisedServer:
    """The api process for a workspace, answering when this returns; it is started again when it dies."""
    check_bind(options.host)

    def command(port: int) -> list[str]:
        chosen = msgspec.structs.replace(options, port=port, parent=os.getpid())
        return [sys.executable, "-m", "heptad.api.server", msgspec.json.encode(chosen).decode()]

    return SupervisedServer(options.host, options.port, command, log, ready="/health")
