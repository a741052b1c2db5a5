"""The stock client of MLflow against our server and against `mlflow server`; the start and the memory of ours.

The peer runs with one worker, which is fair, and as it starts by default. Both keep everything in SQLite. Without the
peer only the start and the memory are measured, and a line says why.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.mlflow_many import FILTER, MOST, ORDER, fill_ours, fill_peer
from bench.mlflow_peer import NoPeerError, database, environment, peer, with_client
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.project import open_root

FAIR = {
    "create_run": 3, "log_metric": 3, "log_batch": 5, "history": 3, "search": 4,
    "create_registered_model": 3, "create_model_version": 3, "set_registered_model_alias": 3, "get_model_version": 3,
}  # fmt: skip
"""Call to how many times as fast ours must be as the peer with one worker."""
DEFAULT = {"create_run": 15, "log_metric": 15}
START_SECONDS, MEMORY_MB = 1.5, 150.0
TIMES = """
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
"""
FEW_CALLS = f"""{TIMES}
experiment = client.create_experiment(f"bench {{time.time_ns()}}")
for _ in range(5):
    run = client.create_run(experiment).info.run_id
found = {{"create_run": median(lambda _: client.create_run(experiment), 40)}}
found["log_metric"] = median(lambda n: client.log_metric(run, "m", float(n), step=n), 100)
"""
FEW = f"{FEW_CALLS}\nprint(json.dumps(found))"
ALL = f"""{FEW_CALLS}
def points(key, turn):
    return [Metric(key(n), float(n), 1_700_000_000_000 + 1000 * turn + n, 1000 * turn + n) for n in range(1000)]
found["log_batch"] = median(lambda n: client.log_batch(run, points(lambda k: f"k{{k % 10}}", n)), 15)
for turn in range(100):
    client.log_batch(run, points(lambda _: "h", turn))
found["history"] = median(lambda _: client.get_metric_history(run, "h"), 3)
source = f"mlflow-artifacts:/{{experiment}}/{{run}}/artifacts/m"
found["create_registered_model"] = median(lambda n: client.create_registered_model(f"model {{n}}"), 30)
found["create_model_version"] = median(lambda _: client.create_model_version("model 0", source, run), 30)
found["set_registered_model_alias"] = median(lambda n: client.set_registered_model_alias("model 0", "best", n + 1), 30)
found["get_model_version"] = median(lambda _: client.get_model_version_by_alias("model 0", "best"), 30)
print(json.dumps(found))
"""
SEARCH = f"""{TIMES}
def search(_):
    found = client.search_runs([sys.argv[2]], {FILTER!r}, max_results={MOST}, order_by={ORDER!r})
    assert len(found) == {MOST}, len(found)
search(0)
print(json.dumps(median(search, 9)))
"""
EXPERIMENT = f"{TIMES}\nprint(client.create_experiment('many'))"


def measure() -> list[Figure]:
    """The client's calls against both servers, the start and the memory."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        began = time.perf_counter()
        with start_api(ApiOptions(root=str(folder / "ours"), port=0), folder / "api.log") as server:
            started = time.perf_counter() - began
            memory = _memory_mb(server.pid or 0)
            figures = _against_peer(server.url, folder)
    return [
        *figures,
        _within("api process, start", started, "s", START_SECONDS),
        _within("api process, memory after the start", memory, "MB", MEMORY_MB),
    ]


def _against_peer(url: str, folder: Path) -> list[Figure]:
    try:
        python = environment(folder)
    except NoPeerError as error:
        print(f"skipped: the calls of the stock client, since {error}", file=sys.stderr)
        return []
    ours = with_client(python, ALL, url)
    ours["search"] = with_client(python, SEARCH, url, fill_ours(open_root(folder / "ours")))
    with peer(python, folder) as theirs:
        fair = with_client(python, ALL, theirs)
        experiment = str(with_client(python, EXPERIMENT, theirs))
        fill_peer(database(folder), experiment)
        fair["search"] = with_client(python, SEARCH, theirs, experiment)
    (folder / "default").mkdir()
    with peer(python, folder / "default", workers=None) as theirs:
        default = with_client(python, FEW, theirs)
    return [
        *(_times(name, "one worker", ours[name], fair[name], floor) for name, floor in FAIR.items()),
        *(_times(name, "its default workers", ours[name], default[name], floor) for name, floor in DEFAULT.items()),
    ]


def _times(name: str, workers: str, ours: float, theirs: float, floor: int) -> Figure:
    return Figure(
        name=f"mlflow client, {name}, mlflow server with {workers} over ours",
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


def _memory_mb(pid: int) -> float:
    """What the process and its workers hold."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=True).stdout.split()
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in (pid, *children))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
