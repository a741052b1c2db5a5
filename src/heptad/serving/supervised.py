"""A server process from the outside: starts it on a free or given port, restarts it when it dies, stops it."""

import http.client
import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from heptad.core.errors import InputError, UnavailableError

START_SECONDS = 30.0
"""How long a server may take until it is ready."""
STOP_SECONDS = 15.0
_EARLY_SECONDS = 5.0
_EARLY_DEATHS = 3
"""A server that dies so often within `_EARLY_SECONDS` of its start is not started again."""
_POLL_SECONDS = 0.02
_LONGEST_LOG = 8 << 20
"""Bytes of the server's log, which is put aside by the first start after it; one such is kept."""

_log = logging.getLogger("heptad.serving")


class SupervisedServer:
    """A running server of some kind. It ends with the process that started it, also when that one is killed.

    The port stays reserved for it while this object lives, so that a server that was killed comes back where its
    clients look for it. Use as a context manager, or call `stop`. `command` says how to start it on a port; what it
    prints goes to `log_path`; it is ready when it answers 200 at `ready`.
    """

    def __init__(
        self, host: str, port: int, command: Callable[[int], Sequence[str]], log_path: Path, ready: str = "/readyz"
    ) -> None:
        self._host = host
        self._ready = ready
        self._log_path = log_path
        self._log_start = 0
        self._reserved = reserve_port(host, port)
        self.port: int = self._reserved.getsockname()[1]
        self._command = command(self.port)
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._was_ready = threading.Event()
        self._ended = threading.Event()
        # Linux ends the server with the thread that started it: that must be one which lives as long as this object.
        self._thread = threading.Thread(target=self._supervise, name="server", daemon=True)
        self._thread.start()
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        self._was_ready.set()

    @property
    def url(self) -> str:
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The server's process; `None` while there is none."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def alive(self) -> bool:
        """Whether it answers now."""
        return not self._ended.is_set() and self._is_ready()

    def stop(self) -> None:
        """Let it finish what it is answering, and end it; may be called twice."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join()
        self._reserved.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _supervise(self) -> None:
        early_deaths = 0
        while not self._stopping.is_set() and early_deaths < _EARLY_DEATHS:
            started = time.monotonic()
            self._process = self._spawn()
            if self._stopping.is_set():
                self._process.terminate()
            code = self._process.wait()
            if not self._was_ready.is_set():
                break
            early_deaths = early_deaths + 1 if time.monotonic() - started < _EARLY_SECONDS else 0
            if not self._stopping.is_set():
                _log.warning("the server %s ended with code %d and is started again", self.url, code)
        self._ended.set()

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEPTAD_FAULT_")}
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        if self._log_path.exists() and self._log_path.stat().st_size > _LONGEST_LOG:
            self._log_path.replace(self._log_path.with_suffix(".log.1"))
        with self._log_path.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(  # noqa: S603 - our own module, with options that we encoded
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches this process only, which then stops the server in order
            )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._ended.is_set() or time.monotonic() > deadline:
                said = self._log_path.read_bytes()[self._log_start :].decode(errors="replace").splitlines()
                raise UnavailableError(
                    f"The server at {self.url} did not become ready{': ' + said[-1] if said else ''}.",
                    remedy=f"see {self._log_path}",
                )
            time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self.port, timeout=5)
        try:
            connection.request("GET", self._ready)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def reserve_port(host: str, port: int) -> socket.socket:
    """A socket that holds the port (0: a free one) without listening; raises `InputError` where it is taken.

    Workers share a port by SO_REUSEPORT, and so would two servers, each getting half of the requests: hence the first
    socket below, which does not share. The second shares with our workers, and does not listen, so it gets nothing.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind((host, port))
            port = alone.getsockname()[1]
        reserved = socket.socket(family)
        try:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind((host, port))
        except OSError:
            reserved.close()
            raise
    except OSError as error:
        raise InputError(
            f"Port {port} of {host} cannot be used: {error.strerror}.",
            remedy="stop the program that uses it, or choose another port (0: any free one)",
        ) from error
    return reserved
