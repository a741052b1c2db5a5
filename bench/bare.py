"""The limit of a call by HTTP: Granian, a call read off JSON, one durable SQLite transaction, a reply; nothing else.

A process of its own: `python -m bench.bare PORT DATABASE`.
"""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from bench.calls import asking, free_port

DURABLE = ("journal_mode=WAL", "synchronous=FULL")


class App:
    """Answers `{}` once the call is on the disk; the metrics of a batch are a row each."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in DURABLE:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE call (body TEXT)")
        self._connection.execute("CREATE TABLE point (key TEXT, value REAL, timestamp INTEGER, step INTEGER)")

    async def __rsgi__(self, _: Any, protocol: Any) -> None:
        call = msgspec.json.decode(await protocol())
        run = self._connection.execute
        run("BEGIN")
        if points := call.pop("metrics", []):
            rows = [(one["key"], one["value"], one["timestamp"], one["step"]) for one in points]
            self._connection.executemany("INSERT INTO point VALUES (?, ?, ?, ?)", rows)
        run("INSERT INTO call VALUES (?)", (msgspec.json.encode(call).decode(),))
        run("COMMIT")
        protocol.response_bytes(200, [("content-type", "application/json")], b"{}")


@contextmanager
def bare_server(folder: Path) -> Iterator[int]:
    """The port of such a server, with its database in a folder, answering when this returns."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port), str(folder / "bare.db")])
    try:
        until = time.monotonic() + 60
        while True:
            try:
                asking(port)("", {})
                break
            except ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def _app(path: str) -> Any:
    return App(path)


def _serve(port: int, path: str) -> None:
    server = Server("bench.bare", port=port, interface=Interfaces.RSGI, http=HTTPModes.http1, log_level=LogLevels.error)
    server.serve(target_loader=partial(_app, path), wrap_loader=False)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2])
