"""The api process from the outside, and what it survives."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.errors import InputError
from tests.api.conftest import Web


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
