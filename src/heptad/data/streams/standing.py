"""Processes that land streams all the time: each started again when it dies or hangs, and stopped with its starter."""

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

import msgspec

from heptad.core.files import make_folder
from heptad.data.streams.state import STATE

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before one that ended is started again; twice as long each time that it did not live for a minute."""
LIVED_SECONDS = 60.0
STOP_SECONDS = 15.0
"""How long one may take to land what it has read."""
LOG = "_landing.log"
"""What such a process writes, beside the table."""
SILENT_SECONDS = 900.0
"""One that says nothing of itself for so long, and for as long as it gathers messages, hangs. It takes longest where a
column of all that has landed becomes of another type: as long as all of it is written anew."""
_LOOK_SECONDS = 1.0
_LONGEST_LOG = 1 << 20
_log = logging.getLogger("heptad.data")


class Standing(msgspec.Struct, frozen=True):
    """A stream that is landed all the time: the folder of its table, and how long it gathers messages, in seconds."""

    folder: Path
    gathers: float = 0.0


class _Ended(msgspec.Struct):
    """The last line of such a process: an error, or what it has landed."""

    problem: str = ""
    remedy: str = ""


class LandingProcesses:
    """One process for each stream, as long as the block takes; they end with this process, also when it is killed."""

    def __init__(self, root: Path, streams: Mapping[str, Standing]) -> None:
        """`root` is the project's folder; streams go by their names in it."""
        self.names = list(streams)
        self._stopping = threading.Event()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        # Linux ends a process with the thread that started it: each has one of its own.
        self._threads = [
            threading.Thread(target=self._supervise, args=(root, name, one), name=f"landing-{name}", daemon=True)
            for name, one in streams.items()
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

    def _supervise(self, root: Path, name: str, stream: Standing) -> None:
        pause, log = SHORTEST_PAUSE, stream.folder / LOG
        while not self._stopping.is_set():
            began = time.monotonic()
            process = self._processes[name] = _started(root, name, log)
            code = self._ended(process, name, stream)
            if self._stopping.is_set():
                return
            why = f": {last_problem(stream.folder)}" if code > 0 else ""
            _log.warning("the process that lands %s ended (%d) and is started again, see %s%s", name, code, log, why)
            pause = SHORTEST_PAUSE if time.monotonic() - began > LIVED_SECONDS else min(2 * pause, LONGEST_PAUSE)
            self._stopping.wait(pause)

    def _ended(self, process: "subprocess.Popen[bytes]", name: str, stream: Standing) -> int:
        """Waits until it ends, for not much longer than it may take when it is told to; ends one that hangs."""
        said, silent = _said(stream), 0.0
        while True:
            try:
                return process.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                # Not by the clock: while a machine sleeps nobody says anything.
                said, silent = (now, 0.0) if (now := _said(stream)) != said else (said, silent + _LOOK_SECONDS)
            if not self._stopping.is_set():
                if silent > SILENT_SECONDS + stream.gathers:
                    _log.warning("the process that lands %s has said nothing for %.0f s: it is ended", name, silent)
                    process.kill()  # what it has read and not landed is read again
                continue
            process.terminate()  # it may have been started in the moment in which the others were told to stop
            try:
                return process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _said(stream: Standing) -> int:
    """When its process said something of itself last; 0 where none ever did."""
    try:
        return (stream.folder / STATE).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def last_problem(folder: Path) -> str:
    """The error that the last process of the table in `folder` ended with, and its remedy; else empty."""
    try:
        said = (folder / LOG).read_bytes().rstrip().rpartition(b"\n")[2]
        ended = msgspec.json.decode(said, type=_Ended)
    except (FileNotFoundError, msgspec.DecodeError):
        return ""
    return f"{ended.problem} Remedy: {ended.remedy}" if ended.remedy else ended.problem


def _started(root: Path, name: str, log: Path) -> "subprocess.Popen[bytes]":
    make_folder(log.parent)
    options = ["--project", str(root), "--json", "--parent", f"{os.getpid()}"]
    command = [sys.executable, "-m", "heptad", "data", "stream", "land", *options, "--", name]
    long = log.exists() and log.stat().st_size > _LONGEST_LOG
    with log.open("wb" if long else "ab") as file:
        return subprocess.Popen(  # noqa: S603 - it is this program
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C reaches its starter only, which then stops it in order
        )
