"""The stock client of MLflow against our server and against `mlflow server`; the start and the memory of ours.

The peer runs with one worker, which is fair, and as it starts by default. Both keep everything in SQLite, and are asked
in turns. Without the peer only the start and the memory are measured, and a line says why.
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

REGISTRY = ("create_registered_model", "create_model_version", "set_registered_model_alias", "get_model_version")
FAIR = {"create_run": 3, "log_metric": 3, "log_batch": 5, "history": 3, "search": 4, **dict.fromkeys(REGISTRY, 1.5)}
"""Call to how many times as fast ours must be as the peer with one worker.

Calls of the registry take the client longer than either server.
"""
DEFAULT = {"create_run": 15, "log_metric": 15}
START_SECONDS, MEMORY_MB = 1.5, 150.0
TIMES = """
import json, statistics, sys, time
from mlflow import MlflowClient
from mlflow.entities import Metric
clients = [MlflowClient(tracking_uri=url) for url in sys.argv[1:3]]
def in_turns(acts, times):
    taken = [[] for _ in acts]
    for turn in range(times):
        for act, some in zip(acts, taken):
            began = time.perf_counter()
            act(turn)
            some.append(time.perf_counter() - began)
    return [statistics.median(some) * 1000 for some in taken]
"""
FEW_CALLS = f"""{TIMES}
class Side:
    def __init__(self, client):
        self.client = client
        self.experiment = client.create_experiment(f"bench {{time.time_ns()}}")
        self.run = [client.create_run(self.experiment) for _ in range(5)][-1].info.run_id
sides = [Side(client) for client in clients]
def both(call, times):
    return in_turns([lambda turn, side=side: call(side, side.client, turn) for side in sides], times)
found = {{"create_run": both(lambda side, client, _: client.create_run(side.experiment), 40)}}
found["log_metric"] = both(lambda side, client, n: client.log_metric(side.run, "m", float(n), step=n), 100)
"""
FEW = f"{FEW_CALLS}\nprint(json.dumps(found))"
ALL = f"""{FEW_CALLS}
def points(key, turn):
    return [Metric(key(n), float(n), 1_700_000_000_000 + 1000 * turn + n, 1000 * turn + n) for n in range(1000)]
found["log_batch"] = both(lambda side, client, n: client.log_batch(side.run, points(lambda k: f"k{{k % 10}}", n)), 15)
both(lambda side, client, n: client.log_batch(side.run, points(lambda _: "h", n)), 100)
found["history"] = both(lambda side, client, _: client.get_metric_history(side.run, "h"), 3)
found["create_registered_model"] = both(lambda _, client, n: client.create_registered_model(f"model {{n}}"), 30)
def version(side, client, _):
    source = f"mlflow-artifacts:/{{side.experiment}}/{{side.run}}/artifacts/m"
    client.create_model_version("model 0", source, side.run)
found["create_model_version"] = both(version, 30)
alias = "set_registered_model_alias"
found[alias] = both(lambda _, client, n: client.set_registered_model_alias("model 0", "best", n + 1), 30)
found["get_model_version"] = both(lambda _, client, n: client.get_model_version("model 0", n + 1), 30)
print(json.dumps(found))
"""
SEARCH = f"""{TIMES}
def search(client, experiment):
    found = client.search_runs([experiment], {FILTER!r}, max_results={MOST}, order_by={ORDER!r})
    assert len(found) == {MOST}, len(found)
acts = [lambda _, client=client, one=one: search(client, one) for client, one in zip(clients, sys.argv[3:5])]
in_turns(acts, 1)
print(json.dumps(in_turns(acts, 5)))
"""
EXPERIMENT = """
import sys
from mlflow import MlflowClient
print(MlflowClient(tracking_uri=sys.argv[1]).create_experiment("many"))
"""


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
    with peer(python, folder) as theirs:
        fair = with_client(python, ALL, url, theirs)
        experiments = fill_ours(open_root(folder / "ours")), str(with_client(python, EXPERIMENT, theirs))
        fill_peer(database(folder), experiments[1])
        fair["search"] = with_client(python, SEARCH, url, theirs, *experiments)
    (folder / "default").mkdir()
    with peer(python, folder / "default", workers=None) as theirs:
        default = with_client(python, FEW, url, theirs)
    return [
        *(_times(name, "one worker", fair[name], floor) for name, floor in FAIR.items()),
        *(_times(name, "its default workers", default[name], floor) for name, floor in DEFAULT.items()),
    ]


def _times(name: str, workers: str, taken: tuple[float, float], floor: float) -> Figure:
    ours, theirs = taken
    return Figure(
        name=f"mlflow client, {name}, mlflow server with {workers} over ours",
        value=ours,
        unit="ms",
        limit=theirs,
        ratio=theirs / ours,
        floor=f"{floor:g} times as fast",
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
