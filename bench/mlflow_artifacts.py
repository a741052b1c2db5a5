"""A file of 2 GB through the artifacts proxy, there and back, against copying it from disk to disk.

The clients are as thin as can be: what goes out is sent by `sendfile`; what comes is moved by `splice`, and synced
beside, so that the disk does not wait for the last byte.
"""

import fcntl
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.figures import Figure
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.files import sync_files

BYTES, CHUNK, SYNCED = 2 << 30, 16 << 20, 64 << 20
RATIO, MEMORY_MB, REPEATS = 1.3, 150.0, 3


def measure() -> list[Figure]:
    """Each the best of several, in turns; and what the server held at its worst."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source = folder / "source"
        with source.open("wb") as file:
            for _ in range(BYTES // CHUNK):
                file.write(os.urandom(CHUNK))
        with start_api(ApiOptions(root=str(folder / "ours"), port=0), folder / "api.log") as server:
            path = _place(server.port)
            copied, up, down = _in_turns(
                (
                    lambda copy: _copy(source, copy),
                    lambda copy: _upload(server.port, f"{path}/{copy.name}", source),
                    lambda copy: _download(server.port, f"{path}/{copy.name}", copy),
                ),
                folder,
            )
            memory = _peak_mb(server.pid or 0)
    return [
        *(
            Figure(
                name=f"2 GB artifact through the proxy, {name}",
                value=value,
                unit="s",
                limit=copied,
                ratio=value / copied,
                floor=f"within {RATIO:g} times disk to disk",
                holds=value <= RATIO * copied,
            )
            for name, value in (("upload", up), ("download", down))
        ),
        Figure(
            name="2 GB artifact through the proxy, most memory of the server",
            value=memory,
            unit="MB",
            limit=MEMORY_MB,
            ratio=memory / MEMORY_MB,
            floor=f"at most {MEMORY_MB:g} MB",
            holds=memory <= MEMORY_MB,
        ),
    ]


def _in_turns(acts: tuple[Callable[[Path], None], ...], folder: Path) -> list[float]:
    taken: list[list[float]] = [[] for _ in acts]
    for turn in range(REPEATS):
        copy = folder / f"copy-{turn}"
        for act, some in zip(acts, taken, strict=True):
            os.sync()
            began = time.perf_counter()
            act(copy)
            some.append(time.perf_counter() - began)
            copy.unlink(missing_ok=True)
        # Else the next upload finds the same content there, and has nothing to write.
        shutil.rmtree(folder / "ours" / ".heptad" / "artifacts")
    return [min(some) for some in taken]


def _copy(source: Path, copy: Path) -> None:
    shutil.copyfile(source, copy)
    sync_files(copy.parent, [copy])


def _place(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/api/2.0/mlflow/runs/create", b'{"experiment_id": "0"}')
    run = json.loads(connection.getresponse().read())["run"]["info"]["run_id"]
    connection.close()
    return f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts"


def _upload(port: int, path: str, source: Path) -> None:
    head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {BYTES}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection, source.open("rb") as file:
        connection.sendall(head.encode())
        connection.sendfile(file)
        response = http.client.HTTPResponse(connection)
        response.begin()
        if response.status != 200:
            raise RuntimeError(response.read())


def _download(port: int, path: str, copy: Path) -> None:
    """Past the head of the answer nothing comes to this program: the kernel moves it from the socket to the file."""
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        copy.open("wb", buffering=0) as file,
        ThreadPoolExecutor(1) as beside,
    ):
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        head = b""
        while not (end := head.find(b"\r\n\r\n") + 4) > 3:
            head += connection.recv(1 << 16)
        written = file.write(head[end:])
        out, into = os.pipe()
        fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 1 << 20)
        for synced in range(SYNCED, BYTES + SYNCED, SYNCED):
            while written < min(synced, BYTES):
                moved = os.splice(connection.fileno(), into, 1 << 20)
                if not moved:
                    raise RuntimeError(f"{written:,} bytes came")
                while moved:
                    more = os.splice(out, file.fileno(), moved)
                    moved, written = moved - more, written + more
            beside.submit(os.fdatasync, file.fileno())
        os.close(out)
        os.close(into)
    sync_files(copy.parent, [copy])


def _peak_mb(pid: int) -> float:
    """The most that a worker of the process ever held."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=True).stdout.split()
    lines = [line.split() for one in children for line in Path(f"/proc/{one}/status").read_text().splitlines()]
    return max(int(words[1]) for words in lines if words and words[0] == "VmHWM:") / 1024
