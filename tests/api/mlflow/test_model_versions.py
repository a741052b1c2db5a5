"""Model versions: frozen when they are registered, numbered without a gap, staged, searched, hidden."""

import http.client
import os
import signal
import threading

import pytest

from heptad.core.errors import RefusedError
from heptad.core.workspace import Workspace
from heptad.release.registry import Registry
from tests.api.conftest import Web
from tests.api.mlflow.asking import Asker, patiently


@pytest.fixture
def ask(workspace: Workspace) -> Asker:
    asker = Asker(workspace)
    asker("POST", "registered-models/create", name="iris")
    return asker


def added(ask: Asker, **fields: object) -> dict:
    run = ask.run()
    ask.keep(run, "m/model.bin", run.encode())
    fields = {"name": "iris", "source": f"runs:/{run}/m", "run_id": run, **fields}
    return ask("POST", "model-versions/create", **fields)["model_version"]


def versions(ask: Asker, query: str = "") -> list[str]:
    return [one["version"] for one in ask("GET", "model-versions/search", query)["model_versions"]]


def test_a_version_has_the_files_that_its_source_had(ask: Asker) -> None:
    """Named from the folder that was registered; what the run does later changes nothing."""
    version = added(ask)
    assert (version["version"], version["status"], version["current_stage"]) == ("1", "READY", "None")
    ask.keep(version["run_id"], "m/model.bin", b"another one")
    uri = ask("GET", "model-versions/get-download-uri", "name=iris&version=1")["artifact_uri"]
    assert ask.content(f"{uri}/model.bin") == version["run_id"].encode()
    path = f"mlflow-artifacts/artifacts/{uri.removeprefix('mlflow-artifacts:/')}/model.bin"
    for method in ("PUT", "DELETE"):
        with pytest.raises(Exception, match="stay as they were"):
            ask.raw(method, path, b"x")


def test_a_version_whose_files_come_later_is_where_they_will_be(ask: Asker) -> None:
    """Registered before anything was logged: its address is that of the source."""
    run = ask.run()
    ask("POST", "model-versions/create", name="iris", source=f"runs:/{run}/later", run_id=run)
    uri = ask("GET", "model-versions/get-download-uri", "name=iris&version=1")["artifact_uri"]
    assert uri == f"mlflow-artifacts:/0/{run}/artifacts/later"


def test_numbers_go_on_after_a_version_was_hidden(ask: Asker) -> None:
    """Its number is not given again, its alias is gone."""
    added(ask)
    added(ask)
    ask("POST", "registered-models/alias", name="iris", alias="best", version="2")
    ask("DELETE", "model-versions/delete", name="iris", version="2")
    assert "NotFoundError" in ask.refused("GET", "model-versions/get", "name=iris&version=2")
    assert "not found" in ask.refused("GET", "registered-models/alias", "name=iris&alias=best")
    assert added(ask)["version"] == "3"
    assert versions(ask, "filter=name = 'iris'&order_by=version_number ASC") == ["1", "3"]


def test_many_at_once_leave_no_gap_and_no_clash(ask: Asker) -> None:
    """Each gets a number of its own."""
    run = ask.run()
    ask.keep(run, "m/f")

    def add() -> None:
        Asker(ask.workspace)("POST", "model-versions/create", name="iris", source=f"runs:/{run}/m", run_id=run)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, versions(ask))) == list(range(1, 9))


def test_a_stage_is_a_word_beside_a_version(ask: Asker) -> None:
    """Of any case; others are archived where that is asked for; nothing is promoted by it."""
    added(ask)
    added(ask)
    for version in ("1", "2"):
        ask(
            "POST",
            "model-versions/transition-stage",
            name="iris",
            version=version,
            stage="production",
            archive_existing_versions=True,
        )
    latest = ask("POST", "registered-models/get-latest-versions", name="iris", stages=["Production", "archived"])
    assert [(one["version"], one["current_stage"]) for one in latest["model_versions"]] == [
        ("2", "Production"),
        ("1", "Archived"),
    ]
    assert Registry(ask.workspace, ask.workspace.name).find("champion") is None


def test_searches_know_run_source_number_and_tags(ask: Asker) -> None:
    """Alone or together, page by page, newest change first."""
    first, second = added(ask), added(ask, tags=[{"key": "a", "value": "b"}])
    assert versions(ask, f"filter=run_id = '{first['run_id']}'") == ["1"]
    assert versions(
        ask, f"filter=run_id IN ('{first['run_id']}', '{second['run_id']}')%26name='iris'".replace("%26", " AND ")
    ) == ["2", "1"]
    assert versions(ask, "filter=version_number > 1 AND tags.a = 'b'") == ["2"]
    assert versions(ask, "filter=version_number = '1'") == ["1"]
    assert versions(ask, "filter=source_path LIKE 'runs:/%25'&order_by=version_number ASC&max_results=1") == ["1"]


@pytest.mark.parametrize(
    ("comparison", "found"),
    [
        ("= ''", ["2"]),
        ("!= 'x'", ["2", "1"]),
        ("!= ''", ["1"]),
        ("IN ('', 'x')", ["2"]),
        ("NOT IN ('x')", ["2", "1"]),
        ("NOT IN ('')", ["1"]),
        ("LIKE '%25'", ["2", "1"]),
        ("LIKE 'run%25'", ["1"]),
        ("ILIKE ''", ["2"]),
    ],
)
def test_a_version_of_no_run_has_an_empty_run_for_a_search(ask: Asker, comparison: str, found: list[str]) -> None:
    """As on MLflow's own server."""
    added(ask)
    ask("POST", "model-versions/create", name="iris", source="s3://bucket/x")
    assert versions(ask, f"filter=run_id {comparison}") == found


def test_a_version_of_a_client_is_not_promoted(ask: Asker) -> None:
    """By number, alias or id: no gate has seen it, and the words say what to do."""
    added(ask)
    ask("POST", "registered-models/alias", name="iris", alias="best", version="1")
    registry = Registry(ask.workspace, ask.workspace.name)
    for ref in ("iris@1", "iris@best", registry.version("iris@1").id):
        for act in (registry.promote, registry.approve, registry.refuse):
            with pytest.raises(RefusedError, match="has not passed the gates") as caught:
                act(ref, "It looks good.")
            assert "heptad run" in caught.value.remedy


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("POST", "create", {"name": "none", "source": "s3://b/x"}),
        ("POST", "create", {"name": "iris"}),
        ("POST", "create", {"name": "iris", "source": 5}),
        ("POST", "create", {"name": "iris", "source": "s3://b/x", "tags": {"a": "b"}}),
        ("PATCH", "update", {"name": "iris", "version": "7", "description": "x"}),
        ("POST", "transition-stage", {"name": "iris", "version": "1", "stage": "Nowhere"}),
        ("POST", "transition-stage", {"name": "iris", "version": "-1", "stage": "Staging"}),
        ("DELETE", "delete", {"name": "iris", "version": "1e3"}),
        ("POST", "set-tag", {"name": "iris", "version": "1", "key": ""}),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(ask: Asker, method: str, path: str, fields: dict) -> None:
    """It is the client's mistake, and said so."""
    assert ask.refused(method, f"model-versions/{path}", **fields)


def test_what_was_registered_survives_a_server_that_is_killed(own_web: Web, request: pytest.FixtureRequest) -> None:
    """What was answered is there; a call that got no answer was done whole or not at all."""
    name = f"killed {request.node.name}"
    run = own_web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    own_web.post("registered-models/create", name=name)
    told: list[str] = []
    stop = threading.Event()

    def register() -> None:
        while not stop.is_set():
            try:
                said = own_web.post("model-versions/create", name=name, source=f"runs:/{run}/m", run_id=run)
            except (OSError, http.client.HTTPException):
                return
            told.append(said["model_version"]["version"])

    threads = [threading.Thread(target=register) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(told) < 5:
        stop.wait(0.01)
    os.kill(own_web.server.pid or 0, signal.SIGKILL)
    for thread in threads:
        thread.join()
    found = patiently(own_web, "GET", "/api/2.0/mlflow/model-versions/search?max_results=10000")[1]["model_versions"]
    numbers = sorted(int(one["version"]) for one in found if one["name"] == name)
    assert numbers == list(range(1, len(numbers) + 1))
    assert set(map(int, told)) <= set(numbers)
