"""The tracking calls of the MLflow protocol: by the stock client against `mlflow server`, and by plain HTTP.

The peer lives in an environment of its own, which is made in a temporary folder unless HEPTAD_BENCH_MLFLOW names its
Python. Both servers have one worker and SQLite. The plain calls are held against one durable SQLite transaction.
"""

import http.client
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from bench.figures import Figure
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.records import Change, Record, new_id
from heptad.experiments import Run, create_experiment
from heptad.project import open_root

PEER = "mlflow==3.17.2"
FLOORS = {"create_run": 3, "log_metric": 3, "log_batch": 5, "history": 3}
RUNS, SEARCH_MS, PLAIN_RATIO, START_SECONDS, MEMORY_MB = 50_000, 40.0, 3.0, 1.5, 150.0
CLIENT = """
import json, statistics, sys, time
from mlflow import MlflowClient
from mlflow.entities import Metric
client = MlflowClient(tracking_uri=sys.argv[1])
def median(call, times):
    taken = []
    for turn in range(times):
        began = time.perf_counter()
        call(turn)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000
def points(key, turn):
    return [Metric(key(n), float(n), 1_700_000_000_000 + 1000 * turn + n, 1000 * turn + n) for n in range(1000)]
experiment = client.create_experiment(f"bench {time.time_ns()}")
for _ in range(5):
    run = client.create_run(experiment).info.run_id
found = {"create_run": median(lambda _: client.create_run(experiment), 40)}
found["log_metric"] = median(lambda n: client.log_metric(run, "m", float(n), step=n), 100)
found["log_batch"] = median(lambda n: client.log_batch(run, points(lambda k: f"k{k % 10}", n)), 15)
for turn in range(100):
    client.log_batch(run, points(lambda _: "h", turn))
found["history"] = median(lambda _: client.get_metric_history(run, "h"), 3)
print(json.dumps(found))
"""


def measure() -> list[Figure]:
    """The client's calls against both servers, the plain calls, a search, the start and the memory."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        python = os.environ.get("HEPTAD_BENCH_MLFLOW") or _environment(folder / "peer")
        began = time.perf_counter()
        with start_api(ApiOptions(root=str(folder / "ours"), port=0), folder / "api.log") as server:
            started = time.perf_counter() - began
            memory = _memory_mb(server.pid or 0)
            ours = _client(python, server.url)
            with _peer(python, folder) as url:
                theirs = _client(python, url)
            figures = [_times(name, ours[name], theirs[name], floor) for name, floor in FLOORS.items()]
            figures += _plain(server.port, folder)
            figures.append(_search(server.port, folder / "ours"))
    return [
        *figures,
        _within("api process, start", started, "s", START_SECONDS),
        _within("api process, memory after the start", memory, "MB", MEMORY_MB),
    ]


def _times(name: str, ours: float, theirs: float, floor: int) -> Figure:
    return Figure(
        name=f"mlflow client, {name}, mlflow server over ours",
        value=ours,
        unit="ms",
        limit=theirs,
        ratio=theirs / ours,
        floor=f"{floor} times as fast",
        holds=theirs / ours >= floor,
    )


def _within(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(
        name=name,
        value=value,
        unit=unit,
        limit=limit,
        ratio=value / limit,
        floor=f"at most {limit:g} {unit}",
        holds=value <= limit,
    )


def _environment(place: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    install = [place / "bin" / "python", "-m", "pip", "install", "--quiet", PEER]
    subprocess.run(install, check=True)
    return str(place / "bin" / "python")


def _client(python: str, url: str) -> dict[str, float]:
    done = subprocess.run([python, "-c", CLIENT, url], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _peer(python: str, folder: Path) -> Iterator[str]:
    url = "http://127.0.0.1:18399"
    command = [Path(python).parent / "mlflow", "server", "--port", "18399", "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/peer.db", "--artifacts-destination", folder / "artifacts"]
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(url)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


def _wait(url: str) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _plain(port: int, folder: Path) -> list[Figure]:
    ask = _asking(port)
    run = ask("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    point = {"run_id": run, "key": "plain", "value": 1}
    limit = _durable_ms(folder)
    created = _median(lambda _: ask("runs/create", {"experiment_id": "0"}), 100)
    logged = _median(lambda n: ask("runs/log-metric", {**point, "timestamp": n, "step": n}), 200)
    return [
        Figure(
            name=f"plain HTTP, {name}",
            value=value,
            unit="ms",
            limit=limit,
            ratio=value / limit,
            floor=f"{PLAIN_RATIO:g} times one durable SQLite transaction",
            holds=value <= PLAIN_RATIO * limit,
        )
        for name, value in (("create run", created), ("log metric", logged))
    ]


def _durable_ms(folder: Path) -> float:
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (a TEXT, b REAL)")
    taken = _median(lambda n: connection.execute("INSERT INTO t VALUES (?, ?)", (str(n), n)), 200)
    connection.close()
    return taken


def _search(port: int, root: Path) -> Figure:
    """Filter on a parameter and a metric, order by another metric, the first 100 of 50,000 runs."""
    workspace, random, now = open_root(root), Random(1), datetime.now(UTC)
    experiment = create_experiment(workspace, "many")
    for start in range(0, RUNS, 1000):
        records = [
            Record(
                id=new_id(Run.prefix),
                kind=Run.kind,
                scope=experiment.body.scope,
                at=now,
                actor="user:bench",
                body={"name": f"run {n}", "experiment": "many"},
                attributes={
                    "status": "finished",
                    "name": f"run {n}",
                    "started": float(n),
                    **{f"params.p{k}": str(random.randint(0, 9)) for k in range(10)},
                    **{f"metrics.m{k}": random.random() for k in range(10)},
                },
            )
            for n in range(start, start + 1000)
        ]
        workspace.store.write(Change(records=records, durable=False))
    ask = _asking(port)
    query: dict[str, Any] = {
        "experiment_ids": [str(experiment.body.number)],
        "filter": "params.p1 = '3' and metrics.m2 > 0.5",
        "order_by": ["metrics.m1 DESC"],
        "max_results": 100,
    }
    ask("runs/search", query)
    return _within(
        "search of 50,000 runs by plain HTTP", _median(lambda _: ask("runs/search", query), 15), "ms", SEARCH_MS
    )


def _asking(port: int) -> Callable[[str, dict[str, Any]], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(path: str, fields: dict[str, Any]) -> Any:
        connection.request("POST", f"/api/2.0/mlflow/{path}", json.dumps(fields))
        response = connection.getresponse()
        said = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(said)
        return said

    return ask


def _median(call: Callable[[int], object], times: int) -> float:
    taken = []
    for turn in range(times):
        began = time.perf_counter()
        call(turn)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def _memory_mb(pid: int) -> float:
    """What the process and its workers hold."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=True).stdout.split()
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in (pid, *children))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
