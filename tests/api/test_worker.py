"""A worker of the api process."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core import graph
from heptad.core.workspace import Workspace
from heptad.experiments import Run, adopt_runs
from tests.api.conftest import Calls, Web


def test_runs_of_an_older_workspace_are_there_for_clients(workspace: Workspace) -> None:
    """Scopes that had runs before there were experiments become experiments, once; the default is number 0."""
    for scope in ("first", "second", "first"):
        graph.save(workspace, Run(name="old", experiment=scope), scope=scope, attributes={"status": "finished"})
    adopt_runs(workspace)
    adopt_runs(workspace)
    calls = Calls(workspace)
    found = {one["name"]: one["experiment_id"] for one in calls.post("experiments/search")["experiments"]}
    assert found == {"first": "1", "second": "2", "Default": "0"}
    assert calls.found("1") == ["old", "old"]


def test_the_default_experiment_is_there_from_the_start(web: Web) -> None:
    """The client logs to it where it names none."""
    _, found = web("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    assert found["experiment"]["name"] == "Default"


class Kept:
    """A connection that is kept alive: one worker answers all that comes over it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.connect()
        self.port = self._connection.sock.getsockname()[1]
        self.close = self._connection.close

    def __call__(self, method: str, path: str, query: str = "", **fields: Any) -> Any:
        body = None if method == "GET" else json.dumps(fields).encode()
        self._connection.request(method, f"/api/2.0/mlflow/{path}?{query}", body)
        response = self._connection.getresponse()
        said = json.loads(response.read())
        return said if response.status == 200 else said["error_code"]


def holders(port: int, clients: set[int]) -> set[str]:
    """The processes that hold the server's ends of connections to a port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        here, there = (int(one.partition(":")[2], 16) for one in fields[1:3])
        if here == port and there in clients:
            inodes.add(f"socket:[{fields[9]}]")
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) in inodes:
                found.add(link.parts[2])
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Kept]]:
    """Connections to a server with two workers, which both hold some of them."""
    folder = tmp_path_factory.mktemp("two")
    with start_api(ApiOptions(root=str(folder), port=0, workers=2), folder / "api.log") as server:
        deadline = time.monotonic() + 60
        connections = [Kept(server.port)]
        while len(holders(server.port, {one.port for one in connections})) < 2:
            assert time.monotonic() < deadline, "one worker took all connections"
            connections.append(Kept(server.port))
            connections[-1]("GET", "experiments/get", "experiment_id=0")
        yield connections
        for one in connections:
            one.close()


def everywhere(kept: list[Kept], method: str, path: str, query: str = "", **fields: Any) -> Any:
    """What is answered over every connection, which must be one and the same."""
    answers = [one(method, path, query, **fields) for one in kept]
    assert all(one == answers[0] for one in answers), answers
    return answers[0]


def test_every_worker_sees_what_became_of_an_experiment(kept: list[Kept]) -> None:
    """Made, renamed, deleted, restored over one connection after the other; runs follow."""
    number = kept[0]("POST", "experiments/create", name="first")["experiment_id"]
    query = f"experiment_id={number}"
    for turn, name in enumerate(("second", "third", "fourth")):
        one = kept[turn % len(kept)]
        one("POST", "experiments/update", experiment_id=number, new_name=name)
        assert everywhere(kept, "GET", "experiments/get", query)["experiment"]["name"] == name
        for other in kept:
            run = other("POST", "runs/create", experiment_id=number)["run"]["info"]
            assert everywhere(kept, "GET", "runs/get", f"run_id={run['run_id']}")["run"]["info"] == run
        one("POST", "experiments/delete", experiment_id=number)
        assert everywhere(kept, "POST", "runs/create", experiment_id=number) == "INVALID_PARAMETER_VALUE"
        kept[-1]("POST", "experiments/restore", experiment_id=number)
    found = everywhere(kept, "POST", "runs/search", experiment_ids=[number])["runs"]
    assert len(found) == 3 * len(kept)


def test_every_worker_sees_the_registry_as_it_is(kept: list[Kept]) -> None:
    """Versions are numbered in turn, aliases and stages move, a model is renamed and given up, its name taken again."""
    run = kept[0]("POST", "runs/create", experiment_id="0")["run"]["info"]["run_id"]
    kept[0]("POST", "registered-models/create", name="net")
    for number, one in enumerate((*kept, *kept), start=1):
        made = one("POST", "model-versions/create", name="net", source=f"runs:/{run}/m", run_id=run)
        assert made["model_version"]["version"] == str(number)
        one("POST", "registered-models/alias", name="net", alias="best", version=str(number))
        best = everywhere(kept, "GET", "registered-models/alias", "name=net&alias=best")["model_version"]
        assert best["version"] == str(number)
        one("POST", "model-versions/transition-stage", name="net", version=str(number), stage="Staging")
        staged = everywhere(kept, "GET", "model-versions/get", f"name=net&version={number}")["model_version"]
        assert staged["current_stage"] == "Staging"
    kept[-1]("POST", "registered-models/rename", name="net", new_name="wire")
    assert everywhere(kept, "GET", "registered-models/get", "name=net") == "RESOURCE_DOES_NOT_EXIST"
    assert everywhere(kept, "GET", "registered-models/get", "name=wire")["registered_model"]["name"] == "wire"
    kept[0]("DELETE", "registered-models/delete", name="wire")
    assert everywhere(kept, "GET", "registered-models/get", "name=wire") == "RESOURCE_DOES_NOT_EXIST"
    kept[-1]("POST", "registered-models/create", name="wire")
    assert everywhere(kept, "GET", "model-versions/get", "name=wire&version=1") == "RESOURCE_DOES_NOT_EXIST"


def test_every_worker_sees_a_metric_that_another_has_logged(kept: list[Kept]) -> None:
    """Latest value and history, and files."""
    run = kept[0]("POST", "runs/create", experiment_id="0")["run"]["info"]["run_id"]
    for step, one in enumerate(kept):
        one("POST", "runs/log-metric", run_id=run, key="loss", value=1 / (1 + step), timestamp=step, step=step)
        run_now = everywhere(kept, "GET", "runs/get", f"run_id={run}")["run"]
        assert run_now["data"]["metrics"][0]["step"] == step
        history = everywhere(kept, "GET", "metrics/get-history", f"run_id={run}&metric_key=loss")["metrics"]
        assert len(history) == step + 1
