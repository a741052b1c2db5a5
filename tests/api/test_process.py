"""The api process from the outside, and what it survives."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.errors import InputError
from tests.api.conftest import Web
from tests.api.mlflow.asking import patiently


def test_it_is_not_offered_to_others(tmp_path: Path) -> None:
    """An address that other machines reach is refused before anything is made."""
    with pytest.raises(InputError, match="without a password"):
        start_api(ApiOptions(root=str(tmp_path), host="0.0.0.0", port=0), tmp_path / "log")
    assert list(tmp_path.iterdir()) == []


def batch_of(run: str, client: int, step: int) -> dict[str, Any]:
    """A point of a series of the client's own, one of a series of all, and a parameter."""
    return {
        "run_id": run,
        "metrics": [
            {"key": f"m{client}", "value": step, "timestamp": 1000 + step, "step": step},
            {"key": "shared", "value": step, "timestamp": 1000 + step, "step": 1000 * client + step},
        ],
        "params": [{"key": f"p{client}-{step}", "value": "v"}],
    }


def send_until_answered(web: Web, batch: dict[str, Any]) -> None:
    """As a client does: what was cut off is sent again."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            status, said = web("POST", "/api/2.0/mlflow/runs/log-batch", batch)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        assert status == 200, said
        return


def test_killed_while_clients_log_it_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """`kill -9` of the process and its worker under four clients that send again what was not answered."""
    options = ApiOptions(root=str(tmp_path), port=0)
    with start_api(options, tmp_path / "log") as server:
        web = Web(server, tmp_path)
        run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
        done: list[int] = []

        def log(client: int) -> None:
            for step in range(60):
                send_until_answered(web, batch_of(run, client, step))
                done.append(step)

        clients = [threading.Thread(target=log, args=(client,)) for client in range(4)]
        for client in clients:
            client.start()
        for mark in (60, 160):
            deadline = time.monotonic() + 60
            while len(done) < mark and time.monotonic() < deadline:
                time.sleep(0.01)
            if server.pid:
                os.kill(server.pid, signal.SIGKILL)
        for client in clients:
            client.join(120)
        assert len(done) == 240
        found = web("GET", f"/api/2.0/mlflow/runs/get?run_id={run}")[1]["run"]["data"]
        assert len(found["params"]) == 240
        for client in range(4):
            history = f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m{client}"
            assert [point["step"] for point in web("GET", history)[1]["metrics"]] == list(range(60))
        shared = web("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=shared")[1]["metrics"]
        assert sorted(point["step"] for point in shared) == sorted(1000 * c + s for c in range(4) for s in range(60))
        assert {one["key"]: one["value"] for one in found["metrics"]}["shared"] == 59.0


CLIENTS, POINTS = 8, 15
LOG = f"""
import multiprocessing, os, sys
from mlflow import MlflowClient
done = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def log(number):
    client = MlflowClient()
    for step in range({POINTS}):
        client.log_metric(sys.argv[2], f"m{{number}}", step, timestamp=1000 + step, step=step)
        os.write(done, b".")
clients = [multiprocessing.get_context("fork").Process(target=log, args=(number,)) for number in range({CLIENTS})]
for client in clients:
    client.start()
for client in clients:
    client.join()
sys.exit(any(client.exitcode for client in clients))
"""


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_under_eight_processes_of_the_stock_client_it_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """They know nothing of it: their own retries bring every point to the server that takes its place, once."""
    done = tmp_path / "done"
    done.touch()
    with start_api(ApiOptions(root=str(tmp_path), port=0), tmp_path / "log") as server:
        web = Web(server, tmp_path)
        run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
        script = [sys.executable, "-W", "ignore", "-c", LOG, str(done), run]
        given = {"MLFLOW_TRACKING_URI": server.url, "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"}
        with subprocess.Popen(script, env={**os.environ, **given}) as clients:
            for mark in (CLIENTS, CLIENTS * POINTS // 2):
                wait_for(lambda mark=mark: done.stat().st_size >= mark)
                if server.pid:
                    os.kill(server.pid, signal.SIGKILL)
            assert clients.wait(120) == 0
        for number in range(CLIENTS):
            history = f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m{number}"
            points = patiently(web, "GET", history)[1]["metrics"]
            assert [point["step"] for point in points] == list(range(POINTS))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of twelve megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_costs_nothing_that_was_answered(small_disk: Path, tmp_path: Path) -> None:
    """Calls are refused as ones to send again; when there is space they are taken, by the same server."""
    filler = small_disk / "filler"
    filler.write_bytes(bytes(4 << 20))
    with start_api(ApiOptions(root=str(small_disk / "root"), port=0), tmp_path / "log") as server:
        web = Web(server, small_disk)
        run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]

        def log(step: int) -> tuple[int, Any]:
            metrics = [{"key": f"m{key}", "value": step, "timestamp": step, "step": step} for key in range(200)]
            return web("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": metrics})

        taken = 0
        while (answer := log(taken))[0] == 200:
            taken += 1
        assert answer[0] == 503
        assert "the disk is full" in answer[1]["message"]
        assert "the disk is full" in (tmp_path / "log").read_text()
        artifact = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/large"
        status, said = web("PUT", artifact, os.urandom(6 << 20))
        assert (status, "is full" in said["message"]) == (503, True)
        assert web("GET", artifact)[0] == 404
        assert web("GET", "/health")[0] == 200
        filler.unlink()
        assert log(taken)[0] == 200
        assert web("PUT", artifact, b"small by now")[0] == 200
        for key in (0, 199):
            history = f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m{key}"
            assert [point["step"] for point in web("GET", history)[1]["metrics"]] == list(range(taken + 1))


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Also where that one is killed."""
    code = (
        "import sys, time; from pathlib import Path; from heptad.api.process import start_api;"
        "from heptad.api.settings import ApiOptions;"
        "server = start_api(ApiOptions(root=sys.argv[1], port=0), Path(sys.argv[1], 'log'));"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
