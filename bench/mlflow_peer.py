"""The server of MLflow to hold ours against, in an environment of its own, and the stock client in there.

The environment is made in a temporary folder unless HEPTAD_BENCH_MLFLOW names its Python.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.calls import free_port

PEER = "mlflow==3.17.2"


class NoPeerError(Exception):
    """The peer cannot be had here; says why, in words."""


def environment(folder: Path) -> str:
    """The Python of the peer; raises `NoPeerError` where it cannot be installed."""
    if given := os.environ.get("HEPTAD_BENCH_MLFLOW"):
        return given
    place = folder / "peer"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    install = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", PEER]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise NoPeerError(f"{PEER} cannot be installed here: {said[-1]}")
    return str(place / "bin" / "python")


def with_client(python: str, script: str, *arguments: str) -> Any:
    """What a script of the stock client prints as its last line, as JSON."""
    given = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "GIT_PYTHON_REFRESH": "quiet"}
    asked = [python, "-W", "ignore", "-c", script, *arguments]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, **given})
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-4000:])
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def peer(python: str, folder: Path, workers: int | None = 1) -> Iterator[str]:
    """The address of `mlflow server` on SQLite in that folder; with `None` workers, as it starts by default."""
    port = free_port()
    command: list[str | Path] = [Path(python).parent / "mlflow", "server", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{database(folder)}"]
    command += ["--artifacts-destination", folder / "artifacts"]
    command += [] if workers is None else ["--workers", str(workers)]
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


def database(folder: Path) -> Path:
    return folder / "peer.db"


def _wait(url: str) -> None:
    until = time.monotonic() + 180
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
