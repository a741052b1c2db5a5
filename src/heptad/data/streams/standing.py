"""Processes that land streams all the time: each started again when it dies, and stopped with whoever started it."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from heptad.core.files import make_folder

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before one that ended is started again; twice as long each time that it did not live for a minute."""
LIVED_SECONDS = 60.0
STOP_SECONDS = 15.0
"""How long one may take to land what it has read."""
_LONGEST_LOG = 1 << 20
_log = logging.getLogger("heptad.data")


class LandingProcesses:
    """One process for each stream, as long as the block takes; they end with this process, also when it is killed."""

    def __init__(self, root: Path, logs: Mapping[str, Path]) -> None:
        """`logs`: for each stream the file that its process writes to."""
        self._stopping = threading.Event()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        # Linux ends a process with the thread that started it: each has one of its own.
        self._threads = [
            threading.Thread(target=self._supervise, args=(root, name, log), name=f"landing-{name}", daemon=True)
            for name, log in logs.items()
        ]

    @property
    def pids(self) -> dict[str, int]:
        """Of the streams that a process lands now."""
        return {name: one.pid for name, one in list(self._processes.items()) if one.poll() is None}

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for process in list(self._processes.values()):
            process.terminate()
        for thread in self._threads:
            thread.join()

    def _supervise(self, root: Path, name: str, log: Path) -> None:
        pause = SHORTEST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            process = self._processes[name] = _started(root, name, log)
            code = self._ended(process)
            if self._stopping.is_set():
                return
            _log.warning("the process that lands %s ended with code %d and is started again; see %s", name, code, log)
            pause = SHORTEST_PAUSE if time.monotonic() - began > LIVED_SECONDS else min(2 * pause, LONGEST_PAUSE)
            self._stopping.wait(pause)

    def _ended(self, process: "subprocess.Popen[bytes]") -> int:
        """Waits until it ends, for not much longer than it may take when it is told to."""
        while True:
            try:
                return process.wait(1.0)
            except subprocess.TimeoutExpired:
                if not self._stopping.is_set():
                    continue
            process.terminate()  # it may have been started in the moment in which the others were told to stop
            try:
                return process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # what it has read and not landed is read again


def _started(root: Path, name: str, log: Path) -> "subprocess.Popen[bytes]":
    make_folder(log.parent)
    options = ["--project", str(root), "--json", "--parent", f"{os.getpid()}"]
    command = [sys.executable, "-m", "heptad", "data", "stream", "land", *options, "--", name]
    long = log.exists() and log.stat().st_size > _LONGEST_LOG
    with log.open("wb" if long else "ab") as file:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)  # noqa: S603 - it is this program
